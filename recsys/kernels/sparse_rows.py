"""Between dense rows of factors and their non-zeros alone.

Legend: row ``i`` has the entries ``indptr[i] : indptr[i + 1]`` of ``components``, ascending, and ``values``.
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
        n_nonzeros = 0
        for f in range(dense.shape[1]):
            n_nonzeros += dense[row, f] != 0
        counts[row] = n_nonzeros


@kernel()
def gather_nonzeros(
    dense: Float32Array, indptr: Int64Array, components: UInt16Array, values: Float32Array
) -> None:
    """Write the entries that are not zero, row by row.

    Parameters
    ----------
    dense : (n_rows, rank)
    indptr : (n_rows + 1,)
        By `count_nonzeros`.
    components, values : (nnz,)
    """
    for row in prange(dense.shape[0]):
        entry = indptr[row]
        for f in range(dense.shape[1]):
            if dense[row, f] != 0:
                components[entry], values[entry] = f, dense[row, f]
                entry += 1


@kernel()
def spread_nonzeros(
    indptr: Int64Array, components: UInt16Array, values: Float32Array, dense: Float32Array
) -> None:
    """Write dense rows, zeros included.

    Parameters
    ----------
    indptr : (n_rows + 1,)
        The first may be above 0: a slice of a longer one.
    components, values : (nnz,)
    dense : (n_rows, rank)
    """
    for row in prange(dense.shape[0]):
        dense[row, :] = 0
        for entry in range(indptr[row], indptr[row + 1]):
            dense[row, components[entry]] = values[entry]
