"""Non-negative coordinate descent on the whole matrix, over the factors that are not zero.

Legend as in `recsys.kernels.weighted`. Most coordinates that are zero stay so from sweep to sweep, and to
find that out is nearly all that a sweep over all of them costs. Here a row's zeros are left alone: its
problem shrinks to the components it has, whose part of the Gram matrix fits the cache, so that several passes
cost little more than one. `recsys.kernels.weighted_sparse` looks at the zeros again, now and then.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import exact_dot, gathered_dot, padded
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""


@kernel(fastmath={"contract"})
def sweep_weighted_support(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    weights: Float32Array,
    row_target: Float32Array,
    column_target: Float32Array,
    own_indptr: Int64Array,
    own_components: UInt16Array,
    own_values: Float32Array,
    other_indptr: Int64Array,
    other_components: UInt16Array,
    other_values: Float32Array,
    gram: Float32Array,
    unobserved: Float32Array,
    ridge: Float32Array,
    l1: np.float32,
    n_inner: int,
    objective: Float64Array,
) -> None:
    """Improve the non-zeros of every row of one side, the other side held.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, weights : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row and their weights ``c``.
    row_target, column_target : (n_rows,), (n_columns,)
        The target of an observed entry is the product of the two.
    own_indptr, own_components, own_values : (n_rows + 1,), (n_own,), (n_own,)
        The non-zeros of this side's factors; values are improved in place and may become zero.
    other_indptr, other_components, other_values : (n_columns + 1,), (n_other,), (n_other,)
        The non-zeros of the other side's factors.
    gram : (rank, rank)
        ``sum_i s_i h_i h_i'`` over all rows of the other side, both halves.
    unobserved : (n_rows,)
        Weight of this row's part of the sum over all cells.
    ridge : (n_rows,)
        The weight of half the squared norm of a row's factors.
    l1 : float32
        The weight of the sum of a row's factors.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives the row's loss and penalties.
    """
    rank = gram.shape[0]
    for block in prange(len(blocks) - 1):
        longest, widest, most = 0, 0, 0
        for row in range(blocks[block], blocks[block + 1]):
            n_nonzeros = 0
            for entry in range(indptr[row], indptr[row + 1]):
                n_nonzeros += other_indptr[columns[entry] + 1] - other_indptr[columns[entry]]
            longest, most = max(longest, indptr[row + 1] - indptr[row]), max(most, n_nonzeros)
            widest = max(widest, own_indptr[row + 1] - own_indptr[row])
        longest = padded(longest)
        residual = np.empty(longest, dtype=np.float32)  # c_j r_j
        left_over = np.empty(longest, dtype=np.float32)  # r_j
        listed = np.empty(most, dtype=np.int32)  # by component of the row: entries j that have it ...
        factors = np.empty(most, dtype=np.float32)  # ... and h_jf
        begin, end = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
        local_of = np.full(rank, -1, dtype=np.int32)  # of a component among those of the row
        squares, pull = np.empty(widest, dtype=np.float32), np.empty(widest, dtype=np.float32)
        lines = np.empty((widest, widest), dtype=np.float32)  # the row's part of the Gram matrix
        for row in range(blocks[block], blocks[block + 1]):
            first, n = indptr[row], indptr[row + 1] - indptr[row]
            start, width = own_indptr[row], own_indptr[row + 1] - own_indptr[row]
            w, c = own_values[start : start + width], weights[first : first + n]
            for f in range(width):
                local_of[own_components[start + f]], end[f] = f, 0
            for j in range(n):
                column = columns[first + j]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    f = local_of[other_components[entry]]
                    if f >= 0:
                        end[f] += 1
            offset = 0
            for f in range(width):
                count = end[f]
                begin[f], end[f], pull[f], squares[f] = offset, offset, 0, 0
                offset += count
                for g in range(width):
                    lines[f, g] = gram[own_components[start + f], own_components[start + g]]
            for j in range(n):
                column = columns[first + j]
                left = row_target[row] * column_target[column]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    f = local_of[other_components[entry]]
                    if f >= 0:
                        value = other_values[entry]
                        listed[end[f]], factors[end[f]] = j, value
                        end[f] += 1
                        squares[f] += c[j] * value * value
                        left -= w[f] * value
                residual[j] = c[j] * left
            for f in range(width):
                local_of[own_components[start + f]] = -1
                for g in range(width):
                    pull[g] += w[f] * lines[f, g]

            for _ in range(n_inner):
                for f in range(width):
                    total = gathered_dot(residual, listed[begin[f] : end[f]], factors[begin[f] : end[f]])
                    quadratic = squares[f] + unobserved[row] * lines[f, f]
                    if quadratic + ridge[row] <= 0:
                        continue  # its factors are too small to say anything
                    gradient = total - unobserved[row] * pull[f]
                    better = (gradient + quadratic * w[f] - l1) / (quadratic + ridge[row])
                    better = max(np.float32(0), np.float32(better))
                    delta = np.float32(better - w[f])
                    if delta != 0:
                        w[f] = better
                        for entry in range(begin[f], end[f]):
                            residual[listed[entry]] -= delta * c[listed[entry]] * factors[entry]
                        for g in range(width):
                            pull[g] += delta * lines[f, g]

            for j in range(n):
                left_over[j] = residual[j] / c[j]
            for j in range(n, padded(n)):
                residual[j], left_over[j] = 0, 0
            loss = exact_dot(residual, left_over, padded(n))
            norm, absolute, spread = 0.0, 0.0, 0.0
            for f in range(width):
                value = np.float64(w[f])
                norm += value**2
                absolute += value
                spread += value * np.float64(pull[f])
            objective[row] = 0.5 * (loss + unobserved[row] * spread + ridge[row] * norm) + l1 * absolute
