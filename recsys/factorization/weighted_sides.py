"""The rows of one side under weighted squared errors over the whole matrix.

Legend as in `recsys.factorization.weighted`. Any sign: factors are dense. Non-negative: most of them are
zero, and sweeps go by those that are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import row_blocks
from recsys.factorization.factor_matrix import FactorMatrix
from recsys.factorization.factors import SideFactors
from recsys.factorization.penalty import RowPenalty
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.weighted import sweep_weighted
from recsys.kernels.weighted_sparse import sweep_weighted_sparse
from recsys.kernels.weighted_support import sweep_weighted_support
from recsys.typing import Float32Array, Float64Array

# Of complete sweeps: on Gowalla, eight sweeps ranked as well as eight complete ones (0.1075, 0.1077).
_PERIOD = 3
_CHUNK_BYTES = 16 * 2**20  # rows that are dense at a time: their factors are improved, then stored sparse


@dataclass(frozen=True, eq=False)
class HeldWeighted:
    """A side held, as the opposite one is swept against it.

    Attributes
    ----------
    target : float32, (n_rows,)
    factors : FactorMatrix, (n_rows, rank)
        Times the target.
    gram : float32, (rank, rank)
        ``sum s h h'`` over the rows.
    """

    target: Float32Array
    factors: FactorMatrix
    gram: Float32Array


@dataclass(frozen=True, eq=False)
class RowScales:
    """What the number of its entries says of each row.

    Attributes
    ----------
    target : float32, (n_rows,)
        The row's part of its targets.
    importance : float32, (n_rows,)
        s, the row's part of the weight of its unobserved cells.
    """

    target: Float32Array
    importance: Float32Array

    def hold(self, factors: FactorMatrix) -> HeldWeighted:
        """Return factors, times the target, as the opposite side is swept against them."""
        if isinstance(factors, SparseFactors):
            return HeldWeighted(self.target, factors, factors.gram(self.importance))
        dense = factors.dense()
        with threads.launch_beside():  # BLAS rounds by its number of threads
            gram = np.ascontiguousarray((dense * self.importance[:, None]).T @ dense)
        return HeldWeighted(self.target, factors, gram.astype(np.float32, copy=False))


class _WeightedRows:
    """What both kinds of sides hold and answer alike; see `recsys.factorization.objective.Side`.

    Parameters
    ----------
    rows : CompressedRows, (n_rows, n_columns)
        Values are confidences, above 0.
    scales : RowScales
    unobserved : float32, (n_rows,)
        Weight of a row's part of the sum over all cells.
    penalty : RowPenalty
    n_inner : int
    """

    def __init__(
        self,
        rows: CompressedRows,
        scales: RowScales,
        unobserved: Float32Array,
        penalty: RowPenalty,
        n_inner: int,
    ) -> None:
        self.rows, self.scales, self.unobserved, self.penalty = rows, scales, unobserved, penalty
        self.n_inner, self.blocks = n_inner, row_blocks(rows.indptr)
        self.row_objectives: Float64Array = np.zeros(rows.n_rows)
        self.is_complete, self.n_sweeps = True, 0

    def unscaled(self, side: SideFactors) -> SideFactors:
        """Return factors in units of preference."""
        return SideFactors(side.factors.divided(self.scales.target), side.bias)

    def hold(self, side: SideFactors, mean: float) -> HeldWeighted:
        """Return this side as the opposite one is swept against it."""
        return self.scales.hold(side.factors)

    def slopes(self, predictions: Float64Array, held: HeldWeighted) -> Float64Array:
        """Return ``c (q - p)`` of each entry, (nnz,)."""
        targets = self.scales.target[self.rows.row_numbers] * held.target[self.rows.columns]
        return np.asarray(self.rows.values * (predictions - targets), dtype=np.float64)

    def absent_gradient(self, side: SideFactors, held: HeldWeighted) -> Float64Array:
        """Return ``a0 s_u G w`` of each row, (n_rows, rank)."""
        with threads.launch_beside():  # BLAS rounds by its number of threads
            products = side.factors.dense().astype(np.float64) @ held.gram
        return np.asarray(self.unobserved[:, None].astype(np.float64) * products)

    def bias_gradient(self, side: SideFactors, slope_sums: Float64Array) -> None:
        """Return None: there are no biases."""


class DenseWeightedSide(_WeightedRows):
    """Factors of any sign."""

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return dense factors times the target."""
        return SideFactors.of(side.factors.dense() * self.scales.target[:, None])

    def sweep(self, side: SideFactors, held: HeldWeighted, penalty: RowPenalty) -> SideFactors:
        """Improve every row in place."""
        sweep_weighted(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.scales.target,
            held.target,
            side.factors.dense(),
            held.factors.dense(),
            held.gram,
            self.unobserved,
            penalty.ridge,
            penalty.l1,
            np.float32(-np.inf),
            self.n_inner,
            self.row_objectives,
        )
        return side


class SparseWeightedSide(_WeightedRows):
    """Factors of 0 or more; no array of all of them is made.

    The first two sweeps over sparse factors and every third one from there examine all coordinates, a chunk
    of rows at a time, dense for the moment; those between them only the ones that are not zero, for about
    half the time. What they leave out the next complete sweep finds: nearly all zeros stay zero. Factors
    given dense, those of few rows that are fitted alone, are swept completely each time.

    Attributes
    ----------
    n_sweeps : int
        Sweeps over sparse factors so far, by which the next one is complete or not.
    """

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return factors times the target, sparse where they come so."""
        return SideFactors(side.factors.times(self.scales.target), side.bias)

    def sweep(self, side: SideFactors, held: HeldWeighted, penalty: RowPenalty) -> SideFactors:
        """Improve every row: dense factors in place, sparse ones in new arrays."""
        factors, items = side.factors, held.factors.sparse()
        if not isinstance(factors, SparseFactors):
            self._sweep_rows(factors.dense(), items, held, penalty, 0, self.rows.n_rows)
            return side
        self.is_complete = self.n_sweeps == 0 or self.n_sweeps % _PERIOD == 1
        self.n_sweeps += 1
        sweep = self._sweep_all if self.is_complete else self._sweep_nonzeros
        return SideFactors(sweep(factors, items, held, penalty), side.bias)

    def _sweep_all(
        self, own: SparseFactors, items: SparseFactors, held: HeldWeighted, penalty: RowPenalty
    ) -> SparseFactors:
        """Return the factors improved, zeros included."""
        step = max(1, _CHUNK_BYTES // (4 * own.rank))
        parts = []
        for first in range(0, len(own), step):
            last = min(first + step, len(own))
            factors = own.dense(first, last)
            self._sweep_rows(factors, items, held, penalty, first, last)
            parts.append(SparseFactors.of(factors))
        return SparseFactors.concatenated(parts)

    def _sweep_rows(
        self,
        factors: Float32Array,
        items: SparseFactors,
        held: HeldWeighted,
        penalty: RowPenalty,
        first: int,
        last: int,
    ) -> None:
        """Improve a run of rows in place."""
        indptr = self.rows.indptr[first : last + 1]
        sweep_weighted_sparse(
            row_blocks(indptr - indptr[0]),
            indptr,
            self.rows.columns,
            self.rows.values,
            self.scales.target[first:last],
            held.target,
            factors,
            items.indptr,
            items.components,
            items.values,
            held.gram,
            self.unobserved[first:last],
            penalty.ridge[first:last],
            penalty.l1,
            self.n_inner,
            self.row_objectives[first:last],
        )

    def _sweep_nonzeros(
        self, own: SparseFactors, items: SparseFactors, held: HeldWeighted, penalty: RowPenalty
    ) -> SparseFactors:
        """Return the factors that are not zero improved."""
        values = own.values.copy()
        sweep_weighted_support(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.scales.target,
            held.target,
            own.indptr,
            own.components,
            values,
            items.indptr,
            items.components,
            items.values,
            held.gram,
            self.unobserved,
            penalty.ridge,
            penalty.l1,
            self.n_inner,
            self.row_objectives,
        )
        kept = values > 0
        indptr = np.r_[0, np.cumsum(kept)][own.indptr]
        return SparseFactors(indptr, own.components[kept], values[kept], own.rank)
