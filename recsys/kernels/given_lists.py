"""Lists of any lengths, end to end, laid out as a block."""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Int32Array, Int64Array


@kernel()
def lay_out(
    rows: Int64Array,
    indptr: Int64Array,
    items: Int32Array,
    lists: Int32Array,
    n_listed: Int64Array,
    n_repeated: Int64Array,
) -> None:
    """Write the lists of some users into a block; a repeat of an item becomes -1.

    Parameters
    ----------
    rows : (n_block,)
        Which lists.
    indptr, items : (n_lists + 1,), (n_entries,)
        Items by rank, list after list.
    lists : (n_block, n)
        Receives the first n of each list; -1 beyond its end.
    n_listed, n_repeated : (n_block,)
        Receive the places that are taken, and how many of them by a repeat.
    """
    n = lists.shape[1]
    for row in prange(len(rows)):
        begin = indptr[rows[row]]
        length = min(n, indptr[rows[row] + 1] - begin)
        given, out, repeated = items[begin : begin + length], lists[row], 0
        out[:length] = given
        out[length:] = -1
        for position in range(1, length):
            again = 0  # counted to the end, without a way out: so that the loop vectorises
            for before in range(position):
                again += given[before] == given[position]
            if again > 0 and given[position] >= 0:
                out[position] = -1
                repeated += 1
        n_listed[row], n_repeated[row] = length, repeated
