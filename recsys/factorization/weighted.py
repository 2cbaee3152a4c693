"""Weighted factorization: the whole matrix, absent cells with a small weight.

Legend: W (n_users, rank) and H (n_items, rank) are the factors; the solver works on them times the
scale of the targets of their rows, and shows them without it, in units of preference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.factorization.factors import (
    UNBOUNDED,
    AnyFactors,
    Factors,
    SparsePair,
    nonzero_share,
    predictions,
)
from recsys.factorization.gradient import projected_squares
from recsys.factorization.sharing import row_blocks
from recsys.factorization.starts import drawn_start
from recsys.kernels.weighted import sweep_weighted
from recsys.typing import Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class WeightedScale:
    """What targets and absent weights are relative to, where that is settled.

    Attributes
    ----------
    user_level, item_level : float
        Entries of a typical user and a typical item; see `level_of`.
    user_counts, item_counts : int64, (n_users,), (n_items,), optional
        Entries of each: of the side that is held when some rows are fitted alone.
    """

    user_level: float
    item_level: float
    user_counts: Int64Array | None = None
    item_counts: Int64Array | None = None

    @classmethod
    def of(cls, by_user: CompressedRows, by_item: CompressedRows) -> WeightedScale:
        """Return the scale of data."""
        users, items = by_user.counts, by_item.counts
        return cls(level_of(users), level_of(items), users, items)

    @property
    def of_items(self) -> WeightedScale:
        """The same with the two sides exchanged."""
        return WeightedScale(self.item_level, self.user_level, self.item_counts, self.user_counts)


def level_of(counts: Int64Array) -> float:
    """Return the mean number of entries of a row, rows without any counted as of one."""
    return max(1.0, float(_present(counts).mean()))


def _present(counts: Int64Array) -> Float64Array:
    return np.where(counts > 0, counts.astype(np.float64), 1.0)


@dataclass(frozen=True)
class WeightedObjective:
    """``1/2 sum_observed c (p - w . h)^2 + a0/2 sum_all s_u s_i (w . h)^2`` plus penalties.

    Attributes
    ----------
    absent_weight : float
        a0.
    user_absent_exponent, item_absent_exponent : float
        s is the number of entries of the row over its mean, to this power.
    user_exponent, item_exponent : float
        The target is ``p = (n_u / mean n_u)^-x (n_i / mean n_i)^-y``; both 0: the target is 1.
    l2 : float
        Weight of ``1/2 n^nu ||w||^2``.
    l2_exponent : float
        nu.
    l1 : float
        Weight of the sum of the factors: of users, and of items unless ``item_l1`` says otherwise.
    nonnegative : bool
    n_inner : int
        Coordinate passes over a row in one sweep.
    item_l1 : float, optional
        Weight of the sum of the item factors, where it is another.
    scale : WeightedScale, optional
        Where the means are not to be those of the data fitted.
    """

    absent_weight: float
    user_absent_exponent: float
    item_absent_exponent: float
    user_exponent: float
    item_exponent: float
    l2: float
    l2_exponent: float
    l1: float
    nonnegative: bool = True
    n_inner: int = 1
    item_l1: float | None = None
    scale: WeightedScale | None = None

    def __post_init__(self) -> None:
        if max(self.l1, self.item_l1 or 0) > 0 and not self.nonnegative:
            raise ParameterError("an l1 penalty needs non-negative factors here.")

    @property
    def of_items(self) -> WeightedObjective:
        """The same with the two sides exchanged."""
        return replace(
            self,
            user_absent_exponent=self.item_absent_exponent,
            item_absent_exponent=self.user_absent_exponent,
            user_exponent=self.item_exponent,
            item_exponent=self.user_exponent,
            l1=self.l1 if self.item_l1 is None else self.item_l1,
            item_l1=self.l1,
            scale=None if self.scale is None else self.scale.of_items,
        )


class Terms:
    """What the number of its entries says of each row.

    Attributes
    ----------
    target : float32, (n_rows,)
        The row's part of its targets.
    importance : float32, (n_rows,)
        s, the row's part of the weight of its absent cells.
    """

    def __init__(self, counts: Int64Array, objective: WeightedObjective) -> None:
        level = level_of(counts) if objective.scale is None else objective.scale.user_level
        relative = _present(counts) / level
        self.target = (relative**-objective.user_exponent).astype(np.float32)
        self.importance = (relative**objective.user_absent_exponent).astype(np.float32)

    def gram(self, factors: Float32Array) -> Float32Array:
        """Return ``sum s h h'`` over the rows, (rank, rank)."""
        with threads.launch():  # BLAS rounds by its number of threads
            return np.ascontiguousarray((factors * self.importance[:, None]).T @ factors)


class WeightedSide:
    """The user side's entries, as the objective sees it, with all that sweeps over them need."""

    def __init__(self, rows: CompressedRows, objective: WeightedObjective) -> None:
        self.rows = rows
        self.terms = Terms(rows.counts, objective)
        self.blocks = row_blocks(rows.indptr)
        self.absent = (objective.absent_weight * self.terms.importance).astype(np.float32)
        self.ridge = (objective.l2 * _present(rows.counts) ** objective.l2_exponent).astype(np.float32)
        self.l1 = objective.l1
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._lower = np.float32(0.0 if objective.nonnegative else UNBOUNDED)
        self.n_inner = objective.n_inner

    def sweep(self, own: Float32Array, target: Float32Array, other: Float32Array, gram: Float32Array) -> None:
        """Improve the rows, given the other side's targets, factors and `Terms.gram`."""
        sweep_weighted(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.terms.target,
            target,
            own,
            other,
            gram,
            self.absent,
            self.ridge,
            np.float32(self.l1),
            self._lower,
            self.n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array) -> float:
        """Return what the factors cost."""
        factors = own.astype(np.float64)
        return float(
            0.5 * np.sum(self.ridge * np.sum(factors**2, axis=1)) + self.l1 * np.sum(np.abs(factors))
        )


class WeightedProblem:
    """The two sides and the factors between them.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        Values are the confidences ``c`` of the observed entries, above 0.
    objective : WeightedObjective
    start : Factors
        Times the scale of the targets, as `weighted_start` and `scaled` give them; left as it is.
    weights : None
        They are part of the confidences.
    """

    looked_at_all = True

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: WeightedObjective,
        start: Factors,
        weights: None = None,
    ) -> None:
        self._objective = objective
        self._users = WeightedSide(by_user, objective)
        self._items = WeightedSide(by_item, objective.of_items)
        self._w, self._h = start.user_factors.copy(), start.item_factors.copy()

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        terms = self._items.terms
        self._users.sweep(self._w, terms.target, self._h, terms.gram(self._h))

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        terms = self._users.terms
        self._items.sweep(self._h, terms.target, self._w, terms.gram(self._w))
        total = float(np.sum(self._items.slots)) + self._users.penalty(self._w)
        # A bound at zero turns what is no number into 0, but the user sweep's own objective shows it.
        return total if np.isfinite(np.sum(self._users.slots)) else float("nan")

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self._w, self._h)

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides; see `projected_squares`."""
        rows, columns = self._users.rows.row_numbers, self._users.rows.columns
        products = predictions(Factors.unbiased(self._w, self._h), rows, columns)
        targets = self._users.terms.target[rows] * self._items.terms.target[columns]
        slopes = self._users.rows.to_scipy().astype(np.float64)
        slopes.data = slopes.data * (products - targets)
        total = 0.0
        for side, matrix, own, other, terms in (
            (self._users, slopes, self._w, self._h, self._items.terms),
            (self._items, slopes.T.tocsr(), self._h, self._w, self._users.terms),
        ):
            ridge = np.where(side.rows.counts > 0, side.ridge, 0.0)
            pull = side.absent[:, None].astype(np.float64) * (own.astype(np.float64) @ terms.gram(other))
            total += projected_squares(
                matrix, own, other, ridge, side.l1, nonnegative=self._objective.nonnegative, pull=pull
            )
        return float(np.sqrt(total))

    def factors(self) -> Factors:
        """Return the factors in units of preference; mean and biases are zero."""
        return Factors.unbiased(
            self._w / self._users.terms.target[:, None], self._h / self._items.terms.target[:, None]
        )


def scaled(
    at: AnyFactors, by_user: CompressedRows, by_item: CompressedRows, objective: WeightedObjective
) -> AnyFactors:
    """Return factors in units of preference as a `WeightedProblem` takes them."""
    users, items = Terms(by_user.counts, objective), Terms(by_item.counts, objective.of_items)
    if isinstance(at, SparsePair):
        return SparsePair(at.users.scaled(users.target), at.items.scaled(items.target))
    return Factors.unbiased(at.user_factors * users.target[:, None], at.item_factors * items.target[:, None])


def weighted_level(rows: CompressedRows, objective: WeightedObjective) -> float:
    """Return the best constant for the whole matrix; values are confidences."""
    observed = float(np.sum(rows.values, dtype=np.float64))
    return observed / (observed + objective.absent_weight * rows.n_rows * rows.n_columns)


def weighted_start(
    rows: CompressedRows, rank: int, objective: WeightedObjective, *, seed: int, chain: int = 0
) -> Factors:
    """Draw factors whose products are, on average, the best constant for the whole matrix.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        Values are confidences.
    rank : int
    objective : WeightedObjective
    seed : int
    chain : int
        Another number gives another start.
    """
    width = float(np.sqrt(weighted_level(rows, objective) / rank))
    nonnegative = objective.nonnegative
    return drawn_start(rows, rank, width, "weighted-factors", nonnegative=nonnegative, seed=seed, chain=chain)
