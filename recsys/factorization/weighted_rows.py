"""Rows of weighted factorization, the other side held: new ones, or some of those that are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.factors import AnyFactors
from recsys.factorization.folding import PASSES, settle
from recsys.factorization.sides import dense_side
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.weighted import Terms, WeightedObjective, WeightedSide
from recsys.kernels.weighted_sparse import sweep_weighted_sparse
from recsys.typing import Float32Array, Int64Array


def _held(objective: WeightedObjective, n_items: int) -> Terms:
    """Return the terms of the side that is held: of its first rows, where there are new ones."""
    assert objective.scale is not None
    assert objective.scale.item_counts is not None
    return Terms(objective.scale.item_counts[:n_items], objective.of_items)


class HeldItems:
    """The item side while users are swept against it: what all of them need of it, made once.

    Parameters
    ----------
    objective : WeightedObjective
        With a scale and the counts of the items.
    at : Factors or SparsePair
        In units of preference; users are not looked at.
    """

    def __init__(self, objective: WeightedObjective, at: AnyFactors) -> None:
        terms, items = _held(objective, at.n_items), at.sides[1]
        self.rank, self.target = at.rank, terms.target
        self._nonnegative = objective.nonnegative
        if self._nonnegative:
            sparse = items if isinstance(items, SparseFactors) else SparseFactors.of(items)
            self._sparse = sparse.scaled(terms.target)
            self._gram = self._sparse.gram(terms.importance)
        else:
            self._dense = dense_side(items) * terms.target[:, None]
            self._gram = terms.gram(self._dense)

    def sweep(self, side: WeightedSide, own: Float32Array) -> None:
        """Improve users in place, by the non-zeros of the items where there is a bound at zero."""
        if not self._nonnegative:
            side.sweep(own, self.target, self._dense, self._gram)
            return
        sweep_weighted_sparse(
            side.blocks,
            side.rows.indptr,
            side.rows.columns,
            side.rows.values,
            side.terms.target,
            self.target,
            own,
            self._sparse.indptr,
            self._sparse.themes,
            self._sparse.values,
            self._gram,
            side.absent,
            side.ridge,
            np.float32(side.l1),
            side.n_inner,
            side.slots,
        )


class WeightedRows:
    """Some users with all their entries, to be swept again and again.

    Parameters
    ----------
    rows : CompressedRows, (n_rows, n_items)
        Values are confidences.
    objective : WeightedObjective
        With a scale and the counts of the items.
    weights : None
        They are part of the confidences.
    """

    def __init__(self, rows: CompressedRows, objective: WeightedObjective, weights: None = None) -> None:
        self._side = WeightedSide(rows, objective)

    def improve(self, held: HeldItems, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over the factors of the rows, in place and in units of preference."""
        scale = self._side.terms.target[:, None]
        factors = own * scale
        held.sweep(self._side, factors)
        own[:] = factors / scale


def fold_in_weighted(
    rows: CompressedRows,
    objective: WeightedObjective,
    held: HeldItems,
    *,
    tol: float = 1e-5,
    max_iter: int = 2000,
) -> tuple[Float32Array, Float32Array]:
    """Fit new users to fixed items, each until it no longer changes.

    The problem of one row is convex: what is found does not depend on a start, as far as the items
    determine it. Rows do not know of each other: a user gets the same bits alone and in a crowd.

    Parameters
    ----------
    rows : CompressedRows, (n_new_users, n_items)
        Values are confidences.
    objective : WeightedObjective
        With a scale and the counts of the items.
    held : HeldItems
    tol : float
        A row is done when ten passes change no factor by more than this share of its largest.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
        In units of preference. Biases are zeros, and so are the factors of rows without entries.
    """
    own = np.zeros((rows.n_rows, held.rank), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    passes = replace(objective, n_inner=PASSES)

    def sweep(some: Int64Array, factors: Float32Array, biases: Float32Array) -> None:
        held.sweep(WeightedSide(rows.select(some), passes), factors)

    settle(np.flatnonzero(rows.counts), own, bias, sweep, tol=tol, max_iter=max_iter)
    return own / Terms(rows.counts, objective).target[:, None], bias
