"""Rows of weighted factorization, the other side held: new ones, or some of those that are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors
from recsys.factorization.folding import PASSES, settle
from recsys.factorization.weighted import Terms, WeightedObjective, WeightedSide
from recsys.typing import Float32Array, Int64Array


def _held(objective: WeightedObjective, n_items: int) -> Terms:
    """Return the terms of the side that is held: of its first rows, where there are new ones."""
    assert objective.scale is not None
    assert objective.scale.item_counts is not None
    return Terms(objective.scale.item_counts[:n_items], objective.of_items)


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
        self._side, self._items = WeightedSide(rows, objective), _held(objective, rows.n_columns)

    def improve(self, at: Factors, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over the factors of the rows, in place and in units of preference."""
        scale = self._side.terms.target[:, None]
        factors, items = own * scale, at.item_factors * self._items.target[:, None]
        self._side.sweep(factors, self._items.target, items, self._items.gram(items))
        own[:] = factors / scale


def fold_in_weighted(
    rows: CompressedRows,
    objective: WeightedObjective,
    fitted: Factors,
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
    fitted : Factors
        In units of preference.
    tol : float
        A row is done when ten passes change no factor by more than this share of its largest.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
        In units of preference. Biases are zeros, and so are the factors of rows without entries.
    """
    own = np.zeros((rows.n_rows, fitted.item_factors.shape[1]), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    held, passes = _held(objective, rows.n_columns), replace(objective, n_inner=PASSES)
    items = fitted.item_factors * held.target[:, None]
    gram = held.gram(items)

    def sweep(some: Int64Array, factors: Float32Array, biases: Float32Array) -> None:
        WeightedSide(rows.select(some), passes).sweep(factors, held.target, items, gram)

    settle(np.flatnonzero(rows.counts), own, bias, sweep, tol=tol, max_iter=max_iter)
    return own / Terms(rows.counts, objective).target[:, None], bias
