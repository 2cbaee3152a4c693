"""The alternating problem: two sides of factors, improved in turn until nothing is left to gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recsys.factorization import engine
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors, nonzero_share
from recsys.factorization.objective import Objective, Side
from recsys.typing import Float64Array


@dataclass(frozen=True)
class Sweep:
    """What one iteration, a sweep over users and one over items, says of itself.

    Attributes
    ----------
    objective : float
        After it; NaN if numbers left single precision.
    nonzero_share : float
        Of the factors, after it.
    is_comparable : bool
        Whether penalties had their final values, so that objectives before and after compare.
    is_complete : bool
        Whether every factor was examined: only then can it show that nothing moves any more.
    """

    objective: float
    nonzero_share: float = 1.0
    is_comparable: bool = True
    is_complete: bool = True


class AlternatingProblem:
    """An objective, the entries, and factors between the two sides, in the solver's scale.

    Parameters
    ----------
    objective : Objective
    entries : Entries
    start : Factors
        Left as they are. A component that is zero on both sides stays zero.
    is_scaled : bool
        Whether the start is in the solver's scale, as drawn ones are where ``objective.draws_scaled``, and
        not in the units of the data.
    n_sweeps : int
        Sweeps that the start has behind it, where it is the `state` of a problem that was cut off.
    """

    def __init__(
        self,
        objective: Objective,
        entries: Entries,
        start: Factors,
        *,
        is_scaled: bool = False,
        n_sweeps: int = 0,
    ) -> None:
        units = objective.units(entries)
        self._objective, self._units = objective, units
        self._users, self._items = engine.current().sides(objective, entries, units)
        self._mean = start.mean / float(units.values)
        if is_scaled:
            self._w, self._h = start.users.copy(), start.items.copy()
        else:
            self._w, self._h = self._users.scaled(start.users), self._items.scaled(start.items)
        if objective.stores_sparse:
            self._w, self._h = self._w.as_sparse(), self._h.as_sparse()
        elif self._w.factors.is_sparse:  # a start by non-zeros for factors of any sign
            self._w, self._h = self._w.as_dense(), self._h.as_dense()
        self._n_done = self._users.n_sweeps = self._items.n_sweeps = n_sweeps

    def sweep(self) -> Sweep:
        """Improve the user side, then the item side."""
        users, items = self._users, self._items
        l2, l1 = self._objective.schedule.multipliers(self._n_done)
        user_penalty, item_penalty = users.penalty, items.penalty
        is_final = l2 == l1 == 1.0
        if not is_final:
            user_penalty, item_penalty = user_penalty.multiplied(l2, l1), item_penalty.multiplied(l2, l1)
        self._w = users.sweep(self._w, items.hold(self._h, self._mean), user_penalty)
        self._h = items.sweep(self._h, users.hold(self._w, self._mean), item_penalty)
        self._n_done += 1
        total = float(np.sum(items.row_objectives))
        total += user_penalty.cost(self._w)
        # A bound at zero turns what is no number into 0, but the users' own objectives show it.
        is_finite = bool(np.isfinite(np.sum(users.row_objectives)))
        return Sweep(
            total * self._units.objective if is_finite else float("nan"),
            nonzero_share(self._w.factors, self._h.factors),
            is_comparable=is_final,
            is_complete=users.is_complete and items.is_complete,
        )

    def factors(self) -> Factors:
        """Return the factors in the units of the data, as arrays of their own."""
        mean = self._mean * float(self._units.values)
        return Factors(mean, self._users.unscaled(self._w), self._items.unscaled(self._h))

    def state(self) -> Factors:
        """Return the factors as they are swept, in the solver's scale but for the mean; not copies."""
        return Factors(self._mean * float(self._units.values), self._w, self._h)

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides, in the solver's scale.

        Where a factor is zero, only a slope that falls to the right counts (Lin 2007, "Projected
        gradient methods for nonnegative matrix factorization", section 2).
        """
        rows = self._users.rows
        predictions = Factors(self._mean, self._w, self._h).predictions(rows.row_numbers, rows.columns)
        held_items, held_users = self._items.hold(self._h, self._mean), self._users.hold(self._w, self._mean)
        slopes = rows.to_scipy().astype(np.float64)
        slopes.data = self._users.slopes(predictions, held_items)
        return float(
            np.sqrt(
                self._squared_gradient(self._users, slopes, self._w, self._h, held_items)
                + self._squared_gradient(self._items, slopes.T.tocsr(), self._h, self._w, held_users)
            )
        )

    def _squared_gradient(
        self, side: Side, slopes: sparse.csr_array, own: SideFactors, other: SideFactors, held: Any
    ) -> float:
        """Return the squared norm of one side's projected gradient.

        Parameters
        ----------
        side : Side
        slopes : CSR array, (n_rows, n_columns)
            Slope of the loss by the prediction, for each observed entry.
        own, other : SideFactors
        held : as by the opposite side's `Side.hold`
        """
        factors, filled = own.factors.dense(), (side.rows.counts > 0)[:, None]
        gradient: Float64Array = slopes @ other.factors.dense().astype(np.float64)
        gradient += np.where(filled, side.penalty.ridge[:, None] * factors.astype(np.float64), 0.0)
        gradient += np.where(filled, float(side.penalty.l1), 0.0)
        absent = side.absent_gradient(own, held)
        if absent is not None:
            gradient += np.where(filled, absent, 0.0)
        if self._objective.nonnegative:
            gradient = np.where(factors > 0, gradient, np.minimum(gradient, 0.0))
        biases = side.bias_gradient(own, np.asarray(slopes.sum(axis=1)))
        return float(np.sum(gradient**2)) + (0.0 if biases is None else float(np.sum(biases**2)))
