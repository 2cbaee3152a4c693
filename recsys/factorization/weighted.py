"""Weighted squared errors over the whole matrix, absent cells with a small weight: for purchases and plays.

Legend: W (n_users, rank) and H (n_items, rank) are the factors; the solver works on them times the
target of their rows, and shows them without it, in units of preference.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.held_out_errors import ranking_loss
from recsys.factorization.objective import Units
from recsys.factorization.penalty import Penalty, PenaltySchedule
from recsys.factorization.validation import HeldOutEntries
from recsys.factorization.weighted_sides import (
    DenseWeightedSide,
    HeldWeighted,
    RowScales,
    SparseWeightedSide,
)
from recsys.typing import Float32Array, Int64Array


@dataclass(frozen=True, eq=False)
class WeightedScale:
    """The activity and popularity that targets and unobserved weights are relative to.

    Attributes
    ----------
    user_level, item_level : float
        Entries of a typical user and a typical item; see `mean_count`.
    user_counts, item_counts : int64, (n_users,), (n_items,), optional
        Entries of each: of the side that is held when some rows are fitted alone.
    """

    user_level: float
    item_level: float
    user_counts: Int64Array | None = None
    item_counts: Int64Array | None = None

    @classmethod
    def of(cls, entries: Entries) -> WeightedScale:
        """Return the scale of data."""
        users, items = entries.by_user.counts, entries.by_item.counts
        return cls(mean_count(users), mean_count(items), users, items)

    @property
    def transposed(self) -> WeightedScale:
        """The same with the two sides exchanged."""
        return WeightedScale(self.item_level, self.user_level, self.item_counts, self.user_counts)


def mean_count(counts: Int64Array) -> float:
    """Return the mean number of entries of a row, rows without any counted as of one."""
    return max(1.0, float(np.mean(np.maximum(counts, 1), dtype=np.float64)))


@dataclass(frozen=True)
class WeightedObjective:
    """``1/2 sum_observed c (p - w . h)^2 + a0/2 sum_all s_u s_i (w . h)^2`` plus penalties.

    Values of the entries are the confidences ``c``, above 0; weights are part of them.

    Attributes
    ----------
    penalty : Penalty
    unobserved_weight : float
        a0.
    user_unobserved_exponent, item_unobserved_exponent : float
        s is the number of entries of the row over its mean, to this power.
    user_exponent, item_exponent : float
        The target is ``p = (n_u / mean n_u)^-x (n_i / mean n_i)^-y``; both 0: the target is 1.
    nonnegative : bool
        Factors are then stored and swept by their non-zeros.
    n_inner : int
        Coordinate passes over a row in one sweep.
    scale : WeightedScale, optional
        Where the means are not to be those of the data fitted.
    """

    penalty: Penalty = field(default_factory=Penalty)
    unobserved_weight: float = 0.1
    user_unobserved_exponent: float = 0.0
    item_unobserved_exponent: float = 0.0
    user_exponent: float = 0.0
    item_exponent: float = 0.0
    nonnegative: bool = True
    n_inner: int = 1
    scale: WeightedScale | None = None

    covers_all_cells = True
    stays_empty = True  # what l1 has emptied
    draws_scaled = True
    stream = "weighted-factors"
    schedule = PenaltySchedule()

    @property
    def stores_sparse(self) -> bool:
        """Whether factors are bounded at zero, so that most of them are zero."""
        return self.nonnegative

    def __post_init__(self) -> None:
        self.penalty.check_bound(nonnegative=self.nonnegative)

    @property
    def transposed(self) -> Self:
        """The same with the two sides exchanged."""
        return replace(
            self,
            penalty=self.penalty.transposed,
            user_unobserved_exponent=self.item_unobserved_exponent,
            item_unobserved_exponent=self.user_unobserved_exponent,
            user_exponent=self.item_exponent,
            item_exponent=self.user_exponent,
            scale=None if self.scale is None else self.scale.transposed,
        )

    def with_passes(self, n_inner: int) -> Self:
        """Return the same with another number of coordinate passes."""
        return replace(self, n_inner=n_inner)

    def units(self, entries: Entries) -> Units:
        """Return ones: targets are near 1."""
        return Units()

    def row_units(self, rows: CompressedRows, weights: Float32Array | None, held: HeldWeighted) -> Units:
        """Return ones: targets are near 1."""
        return Units()

    def row_scales(self, counts: Int64Array) -> RowScales:
        """Return what the number of its entries says of each row of the user side, (n_rows,)."""
        level = mean_count(counts) if self.scale is None else self.scale.user_level
        relative = np.maximum(counts, 1) / level
        return RowScales(
            (relative**-self.user_exponent).astype(np.float32),
            (relative**self.user_unobserved_exponent).astype(np.float32),
        )

    def side(
        self, rows: CompressedRows, weights: Float32Array | None, units: Units
    ) -> DenseWeightedSide | SparseWeightedSide:
        """Return the rows of the user side, ready to be swept."""
        scales = self.row_scales(rows.counts)
        unobserved = (self.unobserved_weight * scales.importance).astype(np.float32)
        penalty = self.penalty.on_users(rows.counts)
        kind = SparseWeightedSide if self.nonnegative else DenseWeightedSide
        return kind(rows, scales, unobserved, penalty, self.n_inner)

    def hold_items(self, items: SideFactors, mean: float) -> HeldWeighted:
        """Return items, in units of preference, as any rows of users are swept against them.

        The objective needs a scale with the counts of the items, of the first of them at least.
        """
        assert self.scale is not None
        assert self.scale.item_counts is not None
        scales = self.transposed.row_scales(self.scale.item_counts[: len(items)])
        factors = items.factors.sparse() if self.nonnegative else items.factors
        return scales.hold(factors.times(scales.target))

    def start_mean(self, entries: Entries) -> float:
        """Return 0: predictions are products alone."""
        return 0.0

    def start_level(self, rows: CompressedRows) -> float:
        """Return the best constant for the whole matrix."""
        observed = float(np.sum(rows.values, dtype=np.float64))
        return observed / (observed + self.unobserved_weight * rows.n_rows * rows.n_columns)

    def given_start(self, factors: Factors) -> Factors:
        """Return given factors as they are; they have no biases."""
        return factors

    def held_out_error(self, factors: Factors, held_out: HeldOutEntries) -> float:
        """Return `ranking_loss`."""
        return ranking_loss(factors, held_out)
