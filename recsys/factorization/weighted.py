"""Weighted factorization: the whole matrix, absent cells with a small weight.

Legend: W (n_users, rank) and H (n_items, rank) are the factors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import rng
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.factorization.descent import History, descend
from recsys.factorization.factors import UNBOUNDED, nonzero_share
from recsys.factorization.sharing import row_blocks
from recsys.kernels.weighted import sweep_weighted
from recsys.progress import SILENT, Progress
from recsys.typing import Float32Array, Float64Array


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
        Weight of the sum of all factors.
    nonnegative : bool
    n_inner : int
        Coordinate passes over a row in one sweep.
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

    def __post_init__(self) -> None:
        if self.l1 > 0 and not self.nonnegative:
            raise ParameterError("an l1 penalty needs non-negative factors here.")


class _Side:
    """One side's entries with all that its sweeps need."""

    def __init__(
        self,
        rows: CompressedRows,
        objective: WeightedObjective,
        target_exponent: float,
        absent_exponent: float,
    ) -> None:
        counts = rows.counts.astype(np.float64)
        present = np.where(counts > 0, counts, 1.0)
        relative = present / max(1.0, float(present.mean()))
        self.rows = rows
        self.blocks = row_blocks(rows.indptr)
        self.target = (relative**-target_exponent).astype(np.float32)
        self.importance = (relative**absent_exponent).astype(np.float32)
        self.absent = (objective.absent_weight * self.importance).astype(np.float32)
        self.ridge = (objective.l2 * present**objective.l2_exponent).astype(np.float32)
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._objective = objective

    def sweep(self, own: Float32Array, other_side: _Side, other: Float32Array) -> None:
        weighted = other * other_side.importance[:, None]
        sweep_weighted(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.target,
            other_side.target,
            own,
            other,
            np.ascontiguousarray(weighted.T @ other),
            self.absent,
            self.ridge,
            np.float32(self._objective.l1),
            np.float32(0.0 if self._objective.nonnegative else UNBOUNDED),
            self._objective.n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array) -> float:
        factors = own.astype(np.float64)
        return float(
            0.5 * np.sum(self.ridge * np.sum(factors**2, axis=1))
            + self._objective.l1 * np.sum(np.abs(factors))
        )


class WeightedProblem:
    """The two sides and the factors between them.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        Values are the confidences ``c`` of the observed entries, above 0.
    objective : WeightedObjective
    user_factors, item_factors : float32
        The start; improved in place.
    """

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: WeightedObjective,
        user_factors: Float32Array,
        item_factors: Float32Array,
    ) -> None:
        self.users = _Side(by_user, objective, objective.user_exponent, objective.user_absent_exponent)
        self.items = _Side(by_item, objective, objective.item_exponent, objective.item_absent_exponent)
        self.user_factors, self.item_factors = user_factors, item_factors

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        self.users.sweep(self.user_factors, self.items, self.item_factors)

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        self.items.sweep(self.item_factors, self.users, self.user_factors)
        return float(np.sum(self.items.slots)) + self.users.penalty(self.user_factors)

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self.user_factors, self.item_factors)


def weighted_start(
    rows: CompressedRows, rank: int, objective: WeightedObjective, *, seed: int
) -> tuple[Float32Array, Float32Array]:
    """Draw factors whose products are, on average, the best constant for the whole matrix.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        Values are confidences.
    rank : int
    objective : WeightedObjective
    seed : int
    """
    observed = float(np.sum(rows.values, dtype=np.float64))
    level = observed / (observed + objective.absent_weight * rows.n_rows * rows.n_columns)
    width = np.float32(np.sqrt(level / rank))
    sides = []
    for side, n_rows in (("users", rows.n_rows), ("items", rows.n_columns)):
        drawn = rng.stream(seed, "weighted-factors", side).random((n_rows, rank), dtype=np.float32)
        sides.append((drawn + np.float32(0.5) if objective.nonnegative else 2 * drawn - 1) * width)
    return sides[0], sides[1]


def fit_weighted(
    by_user: CompressedRows,
    by_item: CompressedRows,
    objective: WeightedObjective,
    start: tuple[Float32Array, Float32Array],
    *,
    max_iter: int,
    tol: float,
    name: str = "weighted-nmf",
    progress: Progress = SILENT,
) -> tuple[WeightedProblem, History]:
    """Descend from a start; see `recsys.factorization.descent.descend`."""
    problem = WeightedProblem(by_user, by_item, objective, start[0].copy(), start[1].copy())
    history = descend(problem, max_iter=max_iter, tol=tol, name=name, progress=progress)
    return problem, history
