"""Errors of predicted values, summed by user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.errors import ParameterError
from recsys.evaluation.definitions import ErrorMetric
from recsys.evaluation.registry import find_metric
from recsys.typing import BoolArray, Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class EntryErrors:
    """What errors of predicted values, such as rmse, are made of, so that whole users can be resampled.

    They are means over entries, not over users, yet the entries of one user err together: an
    interval that resampled single entries would be too short.

    Attributes
    ----------
    users : int64, (n_users,)
        Row numbers of users with held-out entries, ascending. After them -1 for each entry of a user
        whom training does not know, on its own, since such users cannot be distinguished.
    n_entries : float64, (n_users,)
        The user's held-out entries.
    sums : mapping of str to float64, (n_users,)
        By the name of an error metric: the sum of the errors of the user's held-out entries.
    """

    users: Int64Array
    n_entries: Float64Array
    sums: Mapping[str, Float64Array]

    @classmethod
    def of(cls, errors: Mapping[str, Float64Array], held_out: HeldOut) -> EntryErrors:
        """Sum errors by user.

        Parameters
        ----------
        errors : mapping of str to float64, (n_pairs,)
            By the name of an error metric: the error of each held-out pair; see `errors_of`.
        held_out : HeldOut
        """
        n_known, n_pairs = held_out.by_user.n_rows, len(held_out.users)
        own = np.where(held_out.users >= 0, held_out.users, n_known + np.arange(n_pairs))
        users, units = np.unique(own, return_inverse=True)
        return cls(
            users=np.where(users < n_known, users, -1),
            n_entries=_sums(units, np.ones(n_pairs)),
            sums={name: _sums(units, values) for name, values in errors.items()},
        )

    @classmethod
    def added(cls, parts: Sequence[EntryErrors]) -> EntryErrors:
        """Add up what several parts hold of the same users and metrics."""
        users = np.concatenate([part.users for part in parts])
        n_known = int(users.max(initial=-1)) + 1
        distinct, units = np.unique(
            np.where(users >= 0, users, n_known + np.arange(len(users))), return_inverse=True
        )
        return cls(
            users=np.where(distinct < n_known, distinct, -1),
            n_entries=_sums(units, np.concatenate([part.n_entries for part in parts])),
            sums={
                name: _sums(units, np.concatenate([part.sums[name] for part in parts]))
                for name in parts[0].sums
            },
        )

    def only(self, chosen: BoolArray) -> EntryErrors:
        """Return the rows of a mask, (n_users,)."""
        return replace(
            self,
            users=self.users[chosen],
            n_entries=self.n_entries[chosen],
            sums={name: values[chosen] for name, values in self.sums.items()},
        )

    def value(self, name: str) -> float:
        """Return a metric over all entries."""
        return float(value_of(name, self.sums[name].sum() / self.n_entries.sum()))


def errors_of(metric: ErrorMetric, predicted: Float32Array, actual: Float32Array) -> Float64Array:
    """Return the error of each entry.

    Raises
    ------
    ParameterError
        If the metric returns anything but a number for each entry.
    """
    errors = np.asarray(metric.function(predicted, actual), dtype=np.float64)
    if errors.shape != actual.shape:
        raise ParameterError(
            f"the function of metric {metric.name!r} returned an array of shape {errors.shape} for "
            f"{len(actual):,} held-out entries; expected a number for each, shape {actual.shape}."
        )
    return errors


def value_of(name: str, mean: Any) -> Any:
    """Return what an error metric makes of mean errors, float64 of any shape.

    Raises
    ------
    ParameterError
        If there is no error metric of this name.
    """
    metric = find_metric(name)
    if not isinstance(metric, ErrorMetric):
        raise ParameterError(f"{name!r} is no error of predicted values.")
    return metric.of_mean(mean)


def _sums(units: Int64Array, values: Float64Array) -> Float64Array:
    return np.asarray(np.bincount(units, weights=values), dtype=np.float64)
