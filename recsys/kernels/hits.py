"""Which places of the lists are held-out items, and which entry each one is."""

from __future__ import annotations

from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Int32Array, Int64Array

# Up to this length a look at every held-out item, eight at once, is quicker than the jumps of a search.
LONGEST_SCAN = 256


@njit(cache=True, inline="always")
def _holds(items: Int32Array, wanted: int) -> bool:
    is_held = False  # without a way out, and with |: so that the loop vectorises
    for j in range(len(items)):
        is_held |= items[j] == wanted
    return is_held


@kernel()
def find_hits(
    lists: Int32Array,
    n_listed: Int64Array,
    users: Int64Array,
    held_indptr: Int64Array,
    held_items: Int32Array,
    entries: Int64Array,
) -> None:
    """Write the entry of the user's held-out items that each position of a list is; -1 where it is none.

    Parameters
    ----------
    lists, n_listed : (n_block, n), (n_block,)
        Items by rank, and how many of a row count.
    users : (n_block,)
        The row of ``held_indptr`` that belongs to each list.
    held_indptr, held_items : (n_users + 1,), (n_held_out,)
        Held-out items by user, ascending inside a row.
    entries : (n_block, n)
        Receives positions in ``held_items``.
    """
    for row in prange(lists.shape[0]):
        begin, end = held_indptr[users[row]], held_indptr[users[row] + 1]
        for position in range(lists.shape[1]):
            entry = -1
            if position < n_listed[row]:
                item = lists[row, position]
                if end - begin > LONGEST_SCAN or _holds(held_items[begin:end], item):
                    low, high = begin, end
                    while low < high:
                        middle = (low + high) // 2
                        if held_items[middle] < item:
                            low = middle + 1
                        else:
                            high = middle
                    if low < end and held_items[low] == item:
                        entry = low
            entries[row, position] = entry
