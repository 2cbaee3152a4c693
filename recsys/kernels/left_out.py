"""Non-negative factors of one row of the whole matrix, and of the same row without one of its entries.

Legend: the row has entries with weights ``c_j``, targets ``p_j`` and the other side's factors ``h_j``. With
``A = sum_j c_j h_j h_j' + a G + ridge I`` and ``b = sum_j c_j p_j h_j - l1``, where ``G`` is the other side's
weighted Gram matrix and ``a`` the weight of unobserved cells, its factors minimise ``w' A w / 2 - b' w`` over
``w >= 0``. Leaving entry ``j`` out takes ``c_j h_j h_j'`` from ``A`` and ``c_j p_j h_j`` from ``b``: one
matrix serves all entries to be left out; what each takes from it is kept apart, as the product ``h_j . w``.

Coordinate descent as in `recsys.kernels.weighted`, by the gradient ``b - A w`` in place of residuals; sources
are given there.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import BoolArray, Float64Array

_NEGLIGIBLE = 0.01  # of the change at which a row has converged: not worth a look at the other components


@kernel(fastmath={"contract"})
def solve_without(
    quadratic: Float64Array,
    linear: Float64Array,
    own: Float64Array,
    weights: Float64Array,
    targets: Float64Array,
    is_absent: BoolArray,
    tol: float,
    max_passes: int,
    factors: Float64Array,
) -> None:
    """Improve the factors of a row without each of some entries, each until it no longer changes.

    Parameters
    ----------
    quadratic, linear : (rank, rank), (rank,)
        ``A`` and ``b`` of all entries.
    own : (n_rows, rank)
        ``h_j`` of the entry that each row does without; zeros where it does without none.
    weights, targets : (n_rows,)
        Its ``c_j`` and ``p_j``.
    is_absent : (n_rows, rank)
        Whether no entry that is left has the component: its factor is zero.
    tol : float
        A row has converged when a pass changes no factor by more than this share of its largest.
    max_passes : int
    factors : (n_rows, rank)
        The start, 0 or more; improved in place.
    """
    rank = len(linear)
    for row in prange(len(factors)):
        w, h, weight, product = factors[row], own[row], weights[row], 0.0
        gradient, largest = np.empty(rank), 0.0
        for f in range(rank):
            gradient[f] = linear[f] - weight * targets[row] * h[f]
            if is_absent[row, f]:
                w[f] = 0
        for f in range(rank):
            if w[f] != 0:
                line, value = quadratic[f], w[f]
                product += h[f] * value
                largest = max(largest, value)
                for g in range(rank):
                    gradient[g] -= value * line[g]
        for _ in range(max_passes):
            least, moved, largest = _NEGLIGIBLE * tol * largest, 0.0, 0.0
            for f in range(rank):
                diagonal = quadratic[f, f] - weight * h[f] * h[f]
                if is_absent[row, f] or diagonal <= 0:
                    continue
                slope = gradient[f] + weight * h[f] * product
                better = max(0.0, w[f] + slope / diagonal)
                delta = better - w[f]
                largest = max(largest, better)
                if abs(delta) > least:
                    w[f] = better
                    product += h[f] * delta
                    moved = max(moved, abs(delta))
                    line = quadratic[f]
                    for g in range(rank):
                        gradient[g] -= delta * line[g]
            if moved <= tol * largest:
                break
