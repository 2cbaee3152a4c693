"""Between dense rows of factors and their non-zeros alone.

Legend: row ``i`` has the entries ``indptr[i] : indptr[i + 1]`` of ``themes``, ascending, and ``values``.
"""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int64Array, UInt16Array


@kernel()
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


@kernel()
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


@kernel()
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
