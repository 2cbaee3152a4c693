"""Coordinate descent on the observed entries only.

Legend: a row ``u`` of the side being fitted has factors ``w`` (rank,) and bias ``b``; its ``n``
entries ``x_j`` meet the factors ``h_j`` of the other side, whose biases are ``a_j``; the residual
is ``r_j = x_j - mean - b - a_j - w . h_j``.

Sources: Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and
tensor factorizations" (HALS); Hsieh & Dhillon (2011) and Yu, Hsieh, Si & Dhillon (2012, CCD++),
the residual form.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array


@njit(cache=True, parallel=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def sweep_masked(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
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
    mean : float32
        The constant part of the prediction.
    own, own_bias : (n_rows, rank), (n_rows,)
        Factors and biases of this side, improved in place.
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
        Receives half the squared residual plus the penalties of the row.
    """
    rank = own.shape[1]
    for block in prange(len(blocks) - 1):
        first, last = blocks[block], blocks[block + 1]
        longest = 0
        for row in range(first, last):
            longest = max(longest, indptr[row + 1] - indptr[row])
        gathered = np.empty(rank * longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        squares = np.empty(rank, dtype=np.float32)
        for row in range(first, last):
            begin = indptr[row]
            n = indptr[row + 1] - begin
            if n == 0:
                own[row, :] = 0
                own_bias[row] = 0
                objective[row] = 0
                continue
            for j in range(n):
                column = columns[begin + j]
                residual[j] = values[begin + j] - mean - own_bias[row] - other_bias[column]
                for f in range(rank):
                    gathered[f * n + j] = other[column, f]
            for f in range(rank):
                h = gathered[f * n : (f + 1) * n]
                w = own[row, f]
                total = np.float32(0)
                for j in range(n):
                    total += h[j] * h[j]
                    residual[j] -= w * h[j]
                squares[f] = total

            for _ in range(n_inner):
                if fit_bias:
                    total = np.float32(0)
                    for j in range(n):
                        total += residual[j]
                    bias = (total + n * own_bias[row]) / (n + bias_ridge[row])
                    delta = np.float32(bias - own_bias[row])
                    own_bias[row] += delta
                    for j in range(n):
                        residual[j] -= delta
                for f in range(rank):
                    curvature = squares[f] + ridge[row]
                    if curvature <= 0:
                        continue  # nothing observed speaks of this coordinate
                    h = gathered[f * n : (f + 1) * n]
                    w = own[row, f]
                    total = np.float32(0)
                    for j in range(n):
                        total += residual[j] * h[j]
                    better = max(lower, (total + squares[f] * w - l1) / curvature)
                    delta = np.float32(better - w)
                    if delta != 0:
                        own[row, f] = better
                        for j in range(n):
                            residual[j] -= delta * h[j]

            loss = 0.0
            for j in range(n):
                loss += np.float64(residual[j]) * np.float64(residual[j])
            norm, absolute = 0.0, 0.0
            for f in range(rank):
                norm += np.float64(own[row, f]) ** 2
                absolute += abs(own[row, f])
            objective[row] = 0.5 * (
                loss + ridge[row] * norm + bias_ridge[row] * np.float64(own_bias[row]) ** 2
            ) + (l1 * absolute)
