"""Coordinate descent on the whole matrix, unobserved cells with a small weight.

Legend: a row ``u`` has factors ``w`` (rank,); its ``n`` observed entries have targets ``p_j``,
weights ``c_j`` and the other side's factors ``h_j``; ``r_j = p_j - w . h_j``. All cells together
add ``absent_u / 2 * w' G w``, where ``G`` is the other side's weighted Gram matrix: the unobserved
part costs rank x rank a row, however many cells are unobserved.

Sources: Hu, Koren & Volinsky (2008), section 4; He, Zhang, Kan & Chua (2016, eALS), section 4.2;
Rendle, Krichene, Zhang & Koren (2021, iALS++).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import dot, exact_dot, padded, weighted_sums
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""


@kernel(fastmath={"contract"})
def sweep_weighted(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    weights: Float32Array,
    row_target: Float32Array,
    column_target: Float32Array,
    own: Float32Array,
    other: Float32Array,
    gram: Float32Array,
    unobserved: Float32Array,
    ridge: Float32Array,
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
    indptr, columns, weights : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row and their weights ``c``.
    row_target, column_target : (n_rows,), (n_columns,)
        The target of an observed entry is the product of the two.
    own : (n_rows, rank)
        Factors of this side, improved in place.
    other : (n_columns, rank)
    gram : (rank, rank)
        ``sum_i s_i h_i h_i'`` over all rows of the other side.
    unobserved : (n_rows,)
        Weight of this row's part of the sum over all cells.
    ridge : (n_rows,)
        The weight of half the squared norm of a row's factors.
    l1 : float32
        The weight of the sum of a row's factors.
    lower : float32
        The least value a factor may take: 0, or -inf for the unconstrained twin.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives the row's loss and penalties.
    """
    rank = own.shape[1]
    for block in prange(len(blocks) - 1):
        first, last = blocks[block], blocks[block + 1]
        longest = 0
        for row in range(first, last):
            longest = max(longest, indptr[row + 1] - indptr[row])
        longest = padded(longest)
        sums = np.empty(2, dtype=np.float32)
        gathered = np.empty(rank * longest, dtype=np.float32)
        weight = np.empty(longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        weighted = np.empty(longest, dtype=np.float32)  # c_j r_j, so that a sum needs two streams
        squares = np.empty(rank, dtype=np.float32)
        pull = np.empty(rank, dtype=np.float32)  # G w
        for row in range(first, last):
            begin = indptr[row]
            n = indptr[row + 1] - begin
            if n == 0:
                own[row, :] = 0
                objective[row] = 0
                continue
            m = padded(n)  # with entries that are zero
            for j in range(n):
                column = columns[begin + j]
                weight[j] = weights[begin + j]
                residual[j] = row_target[row] * column_target[column]
                for f in range(rank):
                    gathered[f * m + j] = other[column, f]
            for j in range(n, m):
                weight[j], residual[j] = 1, 0
                for f in range(rank):
                    gathered[f * m + j] = 0
            pull[:] = 0
            for f in range(rank):
                h = gathered[f * m : (f + 1) * m]
                w = own[row, f]
                weighted_sums(weight, h, residual, m, sums)
                squares[f] = sums[1]
                if w != 0:
                    for j in range(m):
                        residual[j] -= w * h[j]
                    for g in range(rank):
                        pull[g] += w * gram[f, g]
            for j in range(m):
                weighted[j] = weight[j] * residual[j]

            for _ in range(n_inner):
                for f in range(rank):
                    quadratic = squares[f] + unobserved[row] * gram[f, f]
                    if quadratic + ridge[row] <= 0:
                        continue  # no cell speaks of this coordinate
                    h = gathered[f * m : (f + 1) * m]
                    w = own[row, f]
                    dot(weighted, h, m, sums)
                    gradient = sums[0] - unobserved[row] * pull[f]
                    better = max(lower, (gradient + quadratic * w - l1) / (quadratic + ridge[row]))
                    delta = np.float32(better - w)
                    if delta != 0:
                        own[row, f] = better
                        for j in range(m):
                            weighted[j] -= delta * weight[j] * h[j]
                        for g in range(rank):
                            pull[g] += delta * gram[f, g]

            for j in range(m):
                residual[j] = weighted[j] / weight[j]
            loss = exact_dot(weighted, residual, m)
            norm, absolute, spread = 0.0, 0.0, 0.0
            for f in range(rank):
                w = own[row, f]
                norm += np.float64(w) ** 2
                absolute += abs(w)
                spread += np.float64(w) * np.float64(pull[f])
            objective[row] = 0.5 * (loss + unobserved[row] * spread + ridge[row] * norm) + l1 * absolute
