"""Which places of the lists are held-out items, and what they are worth."""

from __future__ import annotations

from numba import njit, prange

from recsys.typing import BoolArray, Float32Array, Int32Array, Int64Array


@njit(cache=True, parallel=True)
def mark_hits(
    lists: Int32Array,
    n_listed: Int64Array,
    users: Int64Array,
    held_indptr: Int64Array,
    held_items: Int32Array,
    hits: BoolArray,
) -> None:
    """Write whether each place of a list is a held-out item of the user.

    Parameters
    ----------
    lists, n_listed : (n_block, n), (n_block,)
        Items by rank, and how many of a row count.
    users : (n_block,)
        The row of ``held_indptr`` that belongs to each list.
    held_indptr, held_items : (n_users + 1,), (n_held_out,)
        Held-out items by user, ascending inside a row.
    hits : (n_block, n)
        Receives the marks.
    """
    for row in prange(lists.shape[0]):
        begin, end = held_indptr[users[row]], held_indptr[users[row] + 1]
        for place in range(lists.shape[1]):
            low, high = begin, end
            if place < n_listed[row]:
                item = lists[row, place]
                while low < high:
                    middle = (low + high) // 2
                    if held_items[middle] < item:
                        low = middle + 1
                    else:
                        high = middle
                hits[row, place] = low < end and held_items[low] == item
            else:
                hits[row, place] = False


@njit(cache=True, parallel=True)
def mark_gains(
    lists: Int32Array,
    hits: BoolArray,
    users: Int64Array,
    held_indptr: Int64Array,
    held_items: Int32Array,
    held_values: Float32Array,
    gains: Float32Array,
) -> None:
    """Write the held-out value at each hit, and 0 elsewhere.

    Parameters
    ----------
    lists, hits : (n_block, n)
        Items by rank, and whether each is a hit.
    users, held_indptr, held_items : as in `mark_hits`
    held_values : (n_held_out,)
    gains : (n_block, n)
        Receives the values.
    """
    for row in prange(lists.shape[0]):
        for place in range(lists.shape[1]):
            gains[row, place] = 0
            if hits[row, place]:
                low, high = held_indptr[users[row]], held_indptr[users[row] + 1]
                item = lists[row, place]
                while low < high:
                    middle = (low + high) // 2
                    if held_items[middle] < item:
                        low = middle + 1
                    else:
                        high = middle
                gains[row, place] = held_values[low]
