"""What factors cost: l2 by rows, l1 by sides, clamped to single precision; said once for every objective."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import ParameterError
from recsys.factorization.factors import SideFactors
from recsys.typing import Float32Array, Int64Array

_HEAVIEST = 1e30  # more would leave single precision when it is multiplied
_FIRST_L2 = 3.0  # what l2 is multiplied by in the first sweep of a warm-up


@dataclass(frozen=True)
class Penalty:
    """``l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2) + user_l1 sum W + item_l1 sum H``.

    Attributes
    ----------
    l2 : float
    l2_exponent : float
        nu, of a row's number of entries n; 1 is ALS-WR (Zhou, Wilkinson, Schreiber & Pan 2008, section
        3.1), 0 plain ridge.
    user_l1, item_l1 : float
    """

    l2: float = 0.0
    l2_exponent: float = 0.0
    user_l1: float = 0.0
    item_l1: float = 0.0

    @property
    def transposed(self) -> Penalty:
        """The same with the two sides exchanged."""
        return replace(self, user_l1=self.item_l1, item_l1=self.user_l1)

    def check_bound(self, *, nonnegative: bool) -> None:
        """Raise ParameterError if there is an l1 penalty and factors may have any sign."""
        if max(self.user_l1, self.item_l1) > 0 and not nonnegative:
            raise ParameterError("an l1 penalty needs non-negative factors here.")

    def on_users(
        self,
        counts: Int64Array,
        *,
        l2_unit: float | np.ndarray = 1.0,
        l1_unit: float = 1.0,
        bias_l2: float = 0.0,
    ) -> RowPenalty:
        """Return the penalty of the user side by rows.

        Parameters
        ----------
        counts : int64, (n_rows,)
            Entries of each row; a row without any counts as of one.
        l2_unit, l1_unit : float
            What the two are divided by, where factors and objective are in other units; l2's may be one
            number a row.
        bias_l2 : float
            Weight of half the square of a bias.
        """
        powers = np.maximum(counts, 1).astype(np.float64) ** self.l2_exponent
        with np.errstate(over="ignore"):  # what leaves double precision is clamped like the rest
            ridge = np.minimum(self.l2 * powers / l2_unit, _HEAVIEST).astype(np.float32)
        bias_ridge = np.full(len(ridge), min(bias_l2, _HEAVIEST), dtype=np.float32)
        return RowPenalty(ridge, np.float32(min(self.user_l1 / l1_unit, _HEAVIEST)), bias_ridge)


@dataclass(frozen=True, eq=False)
class RowPenalty:
    """The penalty of one side as kernels take it.

    Attributes
    ----------
    ridge : float32, (n_rows,)
        Weight of half the squared norm of a row's factors.
    l1 : float32
        Weight of the sum of a row's factors.
    bias_ridge : float32, (n_rows,)
        Weight of half the square of a row's bias.
    """

    ridge: Float32Array
    l1: np.float32
    bias_ridge: Float32Array

    def multiplied(self, l2: float, l1: float) -> RowPenalty:
        """Return the penalty with both parts on factors multiplied."""
        return RowPenalty(self.ridge * np.float32(l2), np.float32(self.l1 * l1), self.bias_ridge)

    def cost(self, side: SideFactors) -> float:
        """Return what the factors and biases of the side cost."""
        cost = 0.5 * float(np.dot(self.ridge, side.factors.row_squares()))
        if self.l1 > 0:
            cost += float(self.l1) * side.factors.total()
        return cost + 0.5 * float(np.sum(self.bias_ridge * side.bias.astype(np.float64) ** 2))


@dataclass(frozen=True)
class PenaltySchedule:
    """Sweeps at the beginning of a fit in which penalties do not have their values yet.

    Attributes
    ----------
    l2_sweeps : int
        In these l2 falls evenly from three times its value to it. Components for which the data speaks
        loudest settle first; with all free at once, the first sweeps fit noise that later ones have to
        unlearn.
    l1_sweeps : int
        In these l1 rises evenly from nothing to its value: a start is too small and too even for components
        to hold their own against the whole of it.
    """

    l2_sweeps: int = 0
    l1_sweeps: int = 0

    def multipliers(self, n_done: int) -> tuple[float, float]:
        """Return what l2 and l1 are multiplied by after ``n_done`` sweeps; both 1.0 when they are final."""
        remaining = (self.l2_sweeps - n_done) / self.l2_sweeps if n_done < self.l2_sweeps else 0.0
        l1 = n_done / self.l1_sweeps if n_done < self.l1_sweeps else 1.0
        return 1.0 + (_FIRST_L2 - 1.0) * remaining, l1
