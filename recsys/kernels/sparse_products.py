"""Products of factors by their non-zeros alone.

Legend: row ``i`` has the entries ``indptr[i] : indptr[i + 1]`` of ``components``, ascending, and ``values``.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

# Rows that are summed in single precision, which is fast; more of them would lose their last digits, so
# that the sums of runs are added up in double.
RUN = 4096


@kernel(fastmath={"contract"})
def sparse_gram(
    bands: Int64Array,
    indptr: Int64Array,
    components: UInt16Array,
    values: Float32Array,
    importance: Float32Array,
    gram: Float32Array,
) -> None:
    """Write the upper half of ``sum_i s_i h_i h_i'``; a cell sums over rows in their order.

    Parameters
    ----------
    bands : (n_bands + 1,)
        Components at which the shares of work begin.
    indptr, components, values : (n_rows + 1,), (nnz,), (nnz,)
    importance : (n_rows,)
        The weights ``s``.
    gram : (rank, rank)
        Below the diagonal there is nothing of use; see `mirror`.
    """
    rank, n_rows = gram.shape[1], len(indptr) - 1
    for band in prange(len(bands) - 1):
        first, last = bands[band], bands[band + 1]
        total, part = np.zeros((last - first, rank)), gram[first:last]  # which holds one run at a time
        part[:] = 0
        for run in range(0, n_rows, RUN):
            for row in range(run, min(run + RUN, n_rows)):
                low, end = indptr[row], indptr[row + 1]
                high = end
                while low < high:  # the row's first component of this band
                    middle = (low + high) // 2
                    if components[middle] < first:
                        low = middle + 1
                    else:
                        high = middle
                while low < end and components[low] < last:
                    line, value = part[components[low] - first], values[low] * importance[row]
                    for entry in range(low, end):
                        line[components[entry]] += value * values[entry]
                    low += 1
            for f in range(last - first):
                for g in range(first, rank):
                    total[f, g] += part[f, g]
                    part[f, g] = 0
        for f in range(last - first):
            for g in range(first, rank):
                gram[first + f, g] = total[f, g]


@kernel()
def mirror(square: Float32Array) -> None:
    """Copy the upper half of a square matrix to the lower one."""
    for row in prange(square.shape[0]):
        for column in range(row):
            square[row, column] = square[column, row]


@kernel()
def sum_products(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    own_indptr: Int64Array,
    own_components: UInt16Array,
    own_values: Float32Array,
    other_indptr: Int64Array,
    other_components: UInt16Array,
    other_values: Float32Array,
    sums: Float64Array,
) -> None:
    """Write, for each block of rows, ``sum w_f h_f`` over its observed entries.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
    indptr, columns : (n_rows + 1,), (nnz,)
        The observed entries by row.
    own_indptr, own_components, own_values : (n_rows + 1,), (n_own,), (n_own,)
    other_indptr, other_components, other_values : (n_columns + 1,), (n_other,), (n_other,)
    sums : (n_blocks, rank)
        Zeros; receives the sums.
    """
    for block in prange(len(blocks) - 1):
        met = np.zeros(sums.shape[1])  # of a row: the sum of its entries' factors
        for row in range(blocks[block], blocks[block + 1]):
            for entry in range(indptr[row], indptr[row + 1]):
                column = columns[entry]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    met[other_components[entry]] += other_values[entry]
            for entry in range(own_indptr[row], own_indptr[row + 1]):
                sums[block, own_components[entry]] += own_values[entry] * met[own_components[entry]]
            for entry in range(indptr[row], indptr[row + 1]):
                column = columns[entry]
                for entry in range(other_indptr[column], other_indptr[column + 1]):
                    met[other_components[entry]] = 0
