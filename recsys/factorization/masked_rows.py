"""Rows of masked factorization, the other side held: new ones, or some of those that are there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors
from recsys.factorization.folding import PASSES, settle
from recsys.factorization.masked import MaskedObjective, MaskedSide
from recsys.factorization.units import unit_of
from recsys.typing import Float32Array, Int64Array


class MaskedRows:
    """Some users with all their entries, to be swept again and again.

    Parameters
    ----------
    rows : CompressedRows, (n_rows, n_items)
        At least one entry.
    objective : MaskedObjective
    weights : float32, (nnz,), optional
    """

    def __init__(
        self, rows: CompressedRows, objective: MaskedObjective, weights: Float32Array | None = None
    ) -> None:
        self._unit = unit_of(rows.values)
        # Only items that are met are converted: few users cost little, however many items there are.
        self._items, columns = np.unique(rows.columns, return_inverse=True)
        near = CompressedRows(rows.indptr, columns.astype(np.int32), rows.values, len(self._items))
        self._side = MaskedSide(near, objective, self._unit, weights)

    def improve(self, at: Factors, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over factors and biases of the rows, in place and in the units of the data."""
        unit, root = np.float32(self._unit), np.float32(np.sqrt(self._unit))
        factors, biases = own / root, bias / unit
        items, item_bias = at.item_factors[self._items] / root, at.item_bias[self._items] / unit
        self._side.sweep(at.mean / self._unit, factors, biases, items, item_bias)
        own[:], bias[:] = factors * root, biases * unit


def fold_in_masked(
    rows: CompressedRows,
    objective: MaskedObjective,
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
    objective : MaskedObjective
    fitted : Factors
    tol : float
        A row is done when ten passes change no factor by more than this share of its largest, nor
        the bias by more than this share of the row's largest value.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
        Zeros for rows without entries.
    """
    own = np.zeros((rows.n_rows, fitted.item_factors.shape[1]), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    if rows.nnz == 0:
        return own, bias
    scale = unit_of(rows.values)
    unit, root = np.float32(scale), np.float32(np.sqrt(scale))
    items, item_bias = fitted.item_factors / root, fitted.item_bias / unit
    passes = replace(objective, n_inner=PASSES)
    active = np.flatnonzero(rows.counts)
    largest = np.zeros(rows.n_rows, dtype=np.float32)
    largest[active] = np.maximum.reduceat(rows.values, rows.indptr[active]) / unit

    def sweep(some: Int64Array, factors: Float32Array, biases: Float32Array) -> None:
        side = MaskedSide(rows.select(some), passes, scale)
        side.sweep(fitted.mean / scale, factors, biases, items, item_bias)

    settle(active, own, bias, sweep, tol=tol, max_iter=max_iter, largest=largest)
    return own * root, bias * unit
