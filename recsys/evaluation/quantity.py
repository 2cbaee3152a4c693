"""A metric of users as a ratio of two sums, which is what resampling users needs of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from recsys.evaluation.entry_errors import value_of
from recsys.evaluation.measurements import Measurements
from recsys.typing import BoolArray, Float64Array


@dataclass(frozen=True, eq=False)
class Quantity:
    """A metric as a ratio of two sums over users: the mean of a value a user, or of a value an entry.

    Attributes
    ----------
    totals : float64, (n_users,)
        A user's value, or the sum over the user's entries; NaN where there is none.
    sizes : float64, (n_users,)
        What it counts for: 1, or the number of entries.
    of_mean : function, optional
        What makes the metric of the mean, where it is not the mean itself.
    """

    totals: Float64Array
    sizes: Float64Array
    of_mean: Callable[[Any], Any] | None = None

    @property
    def known(self) -> BoolArray:
        """Which users have a value, (n_users,)."""
        return ~np.isnan(self.totals)

    @property
    def overall(self) -> float:
        """The metric over all users who have a value."""
        known = self.known
        return float(self.value(self.totals[known].sum(), self.sizes[known].sum()))

    def value(self, totals: Any, sizes: Any) -> Any:
        """Return the metric from its sums."""
        means = totals / sizes
        return means if self.of_mean is None else self.of_mean(means)


def quantity_of(measured: Measurements, metric: str) -> Quantity | None:
    """Return a metric that was measured as sums over users; None for one of all lists together."""
    if metric in measured.per_user:
        values = measured.per_user[metric]
        return None if np.isnan(values).all() else Quantity(values, np.ones(len(values)))
    errors = measured.entry_errors
    if errors is None or measured.metrics.get(metric) is None or metric not in errors.sums:
        return None
    return Quantity(errors.sums[metric], errors.n_entries, partial(value_of, metric))
