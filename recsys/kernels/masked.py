"""Coordinate descent on the observed entries only, in residual form.

Legend: a row ``u`` of the side being fitted has factors ``w`` (rank,) and bias ``b``; its ``n``
entries ``x_j`` with weights ``c_j`` meet the factors ``h_j`` of the other side, whose biases are
``a_j``; the residual is ``r_j = x_j - mean - b - a_j - w . h_j``. Residuals and factors are gathered
times the root of ``c_j``, so that what follows need not know of weights.

Sources: Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and
tensor factorizations" (HALS); Hsieh & Dhillon (2011) and Yu, Hsieh, Si & Dhillon (2012, CCD++),
the residual form.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

# Entries turned at once, and gathered before that: they stay in a core's first cache.
_TILE, _CHUNK = 8, 64


@njit(cache=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def _turn(entries: np.ndarray, n: int, by_theme: np.ndarray, at: int) -> None:
    """Write the first ``n`` rows of ``entries`` to the columns of ``by_theme`` from ``at`` on."""
    rank = entries.shape[1]
    whole = n - n % _TILE
    for j in range(0, whole, _TILE):
        e0, e1, e2, e3 = entries[j], entries[j + 1], entries[j + 2], entries[j + 3]
        e4, e5, e6, e7 = entries[j + 4], entries[j + 5], entries[j + 6], entries[j + 7]
        for f in range(rank):
            line = by_theme[f]
            k = at + j
            line[k], line[k + 1], line[k + 2], line[k + 3] = e0[f], e1[f], e2[f], e3[f]
            line[k + 4], line[k + 5], line[k + 6], line[k + 7] = e4[f], e5[f], e6[f], e7[f]
    for j in range(whole, n):
        for f in range(rank):
            by_theme[f, at + j] = entries[j, f]


@kernel(fastmath={"contract", "reassoc", "nsz", "arcp"})
def sweep_masked(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    weights: Float32Array,
    scale: np.float32,
    mean: np.float32,
    own: Float32Array,
    own_bias: Float32Array,
    other: Float32Array,
    other_bias: Float32Array,
    fit_bias: bool,
    ridge: Float32Array,
    bias_ridge: Float32Array,
    l1: np.float32,
    lower: np.float32,
    n_inner: int,
    objective: Float64Array,
) -> None:
    """Improve every row of one side, the other side held.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, values : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row.
    weights : (nnz,) or (0,)
        The weight of each entry, 0 or more; none: all are 1.
    scale : float32
        What the values are multiplied by.
    mean : float32
        The constant part of the prediction.
    own, own_bias : (n_rows, rank), (n_rows,)
        Factors and biases of this side, improved in place; those of a row whose entries weigh
        nothing become 0.
    other, other_bias : (n_columns, rank), (n_columns,)
    fit_bias : bool
        Whether ``own_bias`` is fitted, too.
    ridge, bias_ridge : (n_rows,)
        The weight of half the squared norm of a row's factors and of its squared bias.
    l1 : float32
        The weight of the sum of a row's factors.
    lower : float32
        The least value a factor may take: 0, or -inf for the unconstrained twin.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives half the weighted squared residual plus the penalties of the row.
    """
    rank = own.shape[1]
    weighted = len(weights) > 0
    for block in prange(len(blocks) - 1):
        first, last = blocks[block], blocks[block + 1]
        longest = 0
        for row in range(first, last):
            longest = max(longest, indptr[row + 1] - indptr[row])
        entries = np.empty((_CHUNK, rank), dtype=np.float32)
        space = np.empty(rank * longest, dtype=np.float32)
        roots = np.ones(longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        squares = np.empty(rank, dtype=np.float32)
        for row in range(first, last):
            begin = indptr[row]
            n = indptr[row + 1] - begin
            mass = np.float32(n)
            if weighted:
                mass = np.float32(0)
                for j in range(n):
                    mass += weights[begin + j]
                    roots[j] = np.sqrt(weights[begin + j])
            if mass == 0:
                own[row, :] = 0
                own_bias[row] = 0
                objective[row] = 0
                continue
            w = own[row]
            squares[:] = 0
            by_theme = space[: rank * n].reshape((rank, n))
            for at in range(0, n, _CHUNK):
                m = min(_CHUNK, n - at)
                for k in range(m):
                    j = at + k
                    column = columns[begin + j]
                    h = other[column]
                    left = scale * values[begin + j] - mean - own_bias[row] - other_bias[column]
                    for f in range(rank):
                        met = roots[j] * h[f]
                        entries[k, f] = met
                        squares[f] += met * met
                        left -= w[f] * h[f]
                    residual[j] = roots[j] * left
                _turn(entries, m, by_theme, at)

            for _ in range(n_inner):
                if fit_bias:
                    total = np.float32(0)
                    for j in range(n):
                        total += roots[j] * residual[j]
                    delta = np.float32((total - bias_ridge[row] * own_bias[row]) / (mass + bias_ridge[row]))
                    own_bias[row] += delta
                    for j in range(n):
                        residual[j] -= delta * roots[j]
                for f in range(rank):
                    curvature = squares[f] + ridge[row]
                    if curvature <= 0:  # nothing observed speaks of this coordinate
                        if l1 > 0:
                            w[f] = 0
                        continue
                    h = by_theme[f]
                    total = np.float32(0)
                    for j in range(n):
                        total += residual[j] * h[j]
                    better = max(lower, (total + squares[f] * w[f] - l1) / curvature)
                    delta = np.float32(better - w[f])
                    if delta != 0:
                        w[f] = better
                        for j in range(n):
                            residual[j] -= delta * h[j]

            loss = 0.0
            for j in range(n):
                loss += np.float64(residual[j]) * np.float64(residual[j])
            norm, absolute = 0.0, 0.0
            for f in range(rank):
                norm += np.float64(w[f]) ** 2
                absolute += abs(w[f])
            objective[row] = 0.5 * (
                loss + ridge[row] * norm + bias_ridge[row] * np.float64(own_bias[row]) ** 2
            ) + (l1 * absolute)
