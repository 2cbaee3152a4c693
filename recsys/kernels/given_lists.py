"""Lists of any lengths, end to end, laid out as a block."""

from __future__ import annotations

from numba import njit, prange

from recsys.typing import Int32Array, Int64Array


@njit(cache=True, parallel=True)
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
        repeated = 0
        for place in range(length):
            item = items[begin + place]
            for before in range(place):
                if item >= 0 and items[begin + before] == item:
                    item = -1
                    repeated += 1
            lists[row, place] = item
        for place in range(length, n):
            lists[row, place] = -1
        n_listed[row], n_repeated[row] = length, repeated
