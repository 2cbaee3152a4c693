"""Non-negative coordinate descent on the whole matrix, by the non-zeros of the other side.

Legend as in `recsys.kernels.weighted`. A row's problem knows only the components of its entries: a component
that none of them has gains nothing and costs a little, so its coordinate is zero, without a look at
it. For the others the entries' factors are turned into a list for each component, so that a coordinate
costs the entries that have it. What remains of ``rank`` is the product with the Gram matrix, one
line of it for each coordinate that is not zero or changes.

The steps are those of `recsys.kernels.weighted.sweep_weighted`, in the same order.
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
def sweep_weighted_sparse(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    weights: Float32Array,
    row_target: Float32Array,
    column_target: Float32Array,
    own: Float32Array,
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
    """Improve every row of one side, the other side held.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr : (n_rows + 1,)
        The first may be above 0: a slice of a longer one.
    columns, weights : (nnz,)
        The observed entries by row and their weights ``c``.
    row_target, column_target : (n_rows,), (n_columns,)
        The target of an observed entry is the product of the two.
    own : (n_rows, rank)
        Factors of this side, 0 or more, improved in place.
    other_indptr, other_components, other_values : (n_columns + 1,), (n_nonzeros,), (n_nonzeros,)
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
    rank = own.shape[1]
    for block in prange(len(blocks) - 1):
        longest, most = 0, 0
        for row in range(blocks[block], blocks[block + 1]):
            n_nonzeros = 0
            for entry in range(indptr[row], indptr[row + 1]):
                n_nonzeros += other_indptr[columns[entry] + 1] - other_indptr[columns[entry]]
            longest, most = max(longest, indptr[row + 1] - indptr[row]), max(most, n_nonzeros)
        longest = padded(longest)
        residual = np.empty(longest, dtype=np.float32)  # c_j r_j
        left_over = np.empty(longest, dtype=np.float32)  # r_j
        listed = np.empty(most, dtype=np.int32)  # by component: entries j that have it ...
        factors = np.empty(most, dtype=np.float32)  # ... and h_jf
        begin, end = np.empty(rank, dtype=np.int64), np.empty(rank, dtype=np.int64)
        present = np.empty(rank, dtype=np.int64)  # components that an entry has, ascending
        squares = np.empty(rank, dtype=np.float32)
        pull = np.empty(rank, dtype=np.float32)  # G w
        for row in range(blocks[block], blocks[block + 1]):
            w, first = own[row], indptr[row]
            n = indptr[row + 1] - first
            if n == 0:
                w[:] = 0
                objective[row] = 0
                continue
            c = weights[first : first + n]
            end[:] = 0
            for j in range(n):
                column = columns[first + j]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    end[other_components[entry]] += 1
            n_present, offset = 0, 0
            for f in range(rank):
                count = end[f]
                if count > 0:
                    present[n_present] = f
                    n_present += 1
                    begin[f], end[f] = offset, offset
                    offset += count
                else:
                    w[f] = 0
            for j in range(n):
                column = columns[first + j]
                left = row_target[row] * column_target[column]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    f = other_components[entry]
                    listed[end[f]], factors[end[f]] = j, other_values[entry]
                    end[f] += 1
                    left -= w[f] * other_values[entry]
                residual[j] = c[j] * left
            pull[:] = 0
            for k in range(n_present):
                f = present[k]
                total = np.float32(0)
                for entry in range(begin[f], end[f]):
                    total += c[listed[entry]] * factors[entry] * factors[entry]
                squares[f] = total
                if w[f] != 0:
                    line, value = gram[f], w[f]
                    for g in range(rank):
                        pull[g] += value * line[g]

            for _ in range(n_inner):
                for k in range(n_present):
                    f = present[k]
                    total = gathered_dot(residual, listed[begin[f] : end[f]], factors[begin[f] : end[f]])
                    quadratic = squares[f] + unobserved[row] * gram[f, f]
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
                        line = gram[f]
                        for g in range(rank):
                            pull[g] += delta * line[g]

            for j in range(n):
                left_over[j] = residual[j] / c[j]
            for j in range(n, padded(n)):
                residual[j], left_over[j] = 0, 0
            loss = exact_dot(residual, left_over, padded(n))
            norm, absolute, spread = 0.0, 0.0, 0.0
            for k in range(n_present):
                value = np.float64(w[present[k]])
                norm += value**2
                absolute += value
                spread += value * np.float64(pull[present[k]])
            objective[row] = 0.5 * (loss + unobserved[row] * spread + ridge[row] * norm) + l1 * absolute
