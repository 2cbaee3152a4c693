"""Between dense rows of factors and their non-zeros alone.

Legend: row ``i`` has the entries ``indptr[i] : indptr[i + 1]`` of ``themes``, ascending, and ``values``.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array


@njit(cache=True, parallel=True)
def count_nonzeros(dense: Float32Array, counts: Int64Array) -> None:
    """Write how many entries of each row are not zero.

    Parameters
    ----------
    dense : (n_rows, rank)
    counts : (n_rows,)
    """
    for row in prange(dense.shape[0]):
        found = 0
        for f in range(dense.shape[1]):
            found += dense[row, f] != 0
        counts[row] = found


@njit(cache=True, parallel=True)
def gather_nonzeros(
    dense: Float32Array, indptr: Int64Array, themes: UInt16Array, values: Float32Array
) -> None:
    """Write the entries that are not zero, row by row.

    Parameters
    ----------
    dense : (n_rows, rank)
    indptr : (n_rows + 1,)
        By `count_nonzeros`.
    themes, values : (nnz,)
    """
    for row in prange(dense.shape[0]):
        at = indptr[row]
        for f in range(dense.shape[1]):
            if dense[row, f] != 0:
                themes[at], values[at] = f, dense[row, f]
                at += 1


@njit(cache=True, parallel=True)
def spread_nonzeros(
    indptr: Int64Array, themes: UInt16Array, values: Float32Array, dense: Float32Array
) -> None:
    """Write dense rows, zeros included.

    Parameters
    ----------
    indptr : (n_rows + 1,)
        The first may be above 0: a slice of a longer one.
    themes, values : (nnz,)
    dense : (n_rows, rank)
    """
    for row in prange(dense.shape[0]):
        dense[row, :] = 0
        for at in range(indptr[row], indptr[row + 1]):
            dense[row, themes[at]] = values[at]


@njit(cache=True, parallel=True, fastmath={"contract"})
def sparse_gram(
    bands: Int64Array,
    indptr: Int64Array,
    themes: UInt16Array,
    values: Float32Array,
    importance: Float32Array,
    gram: Float32Array,
) -> None:
    """Write the upper half of ``sum_i s_i h_i h_i'``; a cell sums over rows in their order.

    Parameters
    ----------
    bands : (n_bands + 1,)
        Themes at which the shares of work begin.
    indptr, themes, values : (n_rows + 1,), (nnz,), (nnz,)
    importance : (n_rows,)
        The weights ``s``.
    gram : (rank, rank)
        Below the diagonal it is left as it is; see `mirror`.
    """
    for band in prange(len(bands) - 1):
        first, last = bands[band], bands[band + 1]
        gram[first:last] = 0
        for row in range(len(indptr) - 1):
            low, end = indptr[row], indptr[row + 1]
            high = end
            while low < high:  # the row's first theme of this band
                middle = (low + high) // 2
                if themes[middle] < first:
                    low = middle + 1
                else:
                    high = middle
            while low < end and themes[low] < last:
                line, value = gram[themes[low]], values[low] * importance[row]
                for at in range(low, end):
                    line[themes[at]] += value * values[at]
                low += 1


@njit(cache=True, parallel=True)
def mirror(square: Float32Array) -> None:
    """Copy the upper half of a square matrix to the lower one."""
    for row in prange(square.shape[0]):
        for column in range(row):
            square[row, column] = square[column, row]


@njit(cache=True, parallel=True)
def sum_products(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    own_indptr: Int64Array,
    own_themes: UInt16Array,
    own_values: Float32Array,
    other_indptr: Int64Array,
    other_themes: UInt16Array,
    other_values: Float32Array,
    sums: Float64Array,
) -> None:
    """Write, for each block of rows, ``sum w_f h_f`` over its observed entries.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
    indptr, columns : (n_rows + 1,), (nnz,)
        The observed entries by row.
    own_indptr, own_themes, own_values : (n_rows + 1,), (n_own,), (n_own,)
    other_indptr, other_themes, other_values : (n_columns + 1,), (n_other,), (n_other,)
    sums : (n_blocks, rank)
        Zeros; receives the sums.
    """
    for block in prange(len(blocks) - 1):
        met = np.zeros(sums.shape[1])  # of a row: the sum of its entries' factors
        for row in range(blocks[block], blocks[block + 1]):
            for entry in range(indptr[row], indptr[row + 1]):
                column = columns[entry]
                for at in range(other_indptr[column], other_indptr[column + 1]):
                    met[other_themes[at]] += other_values[at]
            for at in range(own_indptr[row], own_indptr[row + 1]):
                sums[block, own_themes[at]] += own_values[at] * met[own_themes[at]]
            for entry in range(indptr[row], indptr[row + 1]):
                column = columns[entry]
                for at in range(other_indptr[column], other_indptr[column + 1]):
                    met[other_themes[at]] = 0
