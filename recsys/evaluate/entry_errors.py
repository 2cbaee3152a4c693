"""Errors of predicted values, summed by user."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.typing import Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class EntryErrors:
    """What rmse and mae are made of, so that whole users can be resampled.

    Both are means over entries, not over users, yet the entries of one user err together: an
    interval that resampled single entries would be too short.

    Attributes
    ----------
    users : int64, (n_users,)
        Row numbers of users with held-out entries, ascending. After them -1 for each entry of a user
        whom training does not know, on its own, since such users are not told apart.
    squared, absolute : float64, (n_users,)
        Sums over the user's held-out entries.
    n_entries : float64, (n_users,)
    """

    users: Int64Array
    squared: Float64Array
    absolute: Float64Array
    n_entries: Float64Array

    @classmethod
    def of(cls, predicted: Float32Array, held_out: HeldOut) -> EntryErrors:
        """Sum the errors of predictions.

        Parameters
        ----------
        predicted : float32, (n_pairs,)
            One for each held-out pair.
        held_out : HeldOut
        """
        error = predicted.astype(np.float64) - held_out.values
        n_known = held_out.by_user.n_rows
        own = np.where(held_out.users >= 0, held_out.users, n_known + np.arange(len(error)))
        users, units = np.unique(own, return_inverse=True)
        return cls(
            users=np.where(users < n_known, users, -1),
            squared=_sums(units, error**2),
            absolute=_sums(units, np.abs(error)),
            n_entries=_sums(units, np.ones(len(error))),
        )

    @classmethod
    def joined(cls, parts: Sequence[EntryErrors]) -> EntryErrors:
        """Add up what several parts hold of the same users."""
        users = np.concatenate([part.users for part in parts])
        apart = int(users.max(initial=-1)) + 1
        known, units = np.unique(
            np.where(users >= 0, users, apart + np.arange(len(users))), return_inverse=True
        )
        sums = [
            _sums(units, np.concatenate([getattr(part, name) for part in parts]))
            for name in ("squared", "absolute", "n_entries")
        ]
        return cls(np.where(known < apart, known, -1), *sums)

    @property
    def rmse(self) -> float:
        """The root of the mean squared error over entries."""
        return math.sqrt(self.squared.sum() / self.n_entries.sum())

    @property
    def mae(self) -> float:
        """The mean absolute error over entries."""
        return float(self.absolute.sum() / self.n_entries.sum())


def _sums(units: Int64Array, values: Float64Array) -> Float64Array:
    return np.asarray(np.bincount(units, weights=values), dtype=np.float64)
