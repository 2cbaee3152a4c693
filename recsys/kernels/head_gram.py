"""Inner products of the columns of popular items, kept dense, which `recsys.kernels.slim` reads pairs off."""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int32Array, Int64Array


@kernel()
def head_gram(
    head: Int32Array,
    places: Int32Array,
    user_indptr: Int64Array,
    user_items: Int32Array,
    user_values: Float32Array,
    item_indptr: Int64Array,
    item_users: Int32Array,
    item_values: Float32Array,
    gram: Float32Array,
) -> None:
    """Write the inner products of the columns of some items.

    Parameters
    ----------
    head : (n_head,)
        The items.
    places : (n_items,)
        Where each item stands in ``head``; -1 for the others.
    user_indptr, user_items, user_values : (n_users + 1,), (nnz,), (nnz,)
        X by user.
    item_indptr, item_users, item_values : (n_items + 1,), (nnz,), (nnz,)
        X by item.
    gram : (n_head, n_head)
    """
    for row in prange(len(head)):
        sums = np.zeros(len(head))
        for entry in range(item_indptr[head[row]], item_indptr[head[row] + 1]):
            user, value = item_users[entry], np.float64(item_values[entry])
            for other in range(user_indptr[user], user_indptr[user + 1]):
                place = places[user_items[other]]
                if place >= 0:
                    sums[place] += value * user_values[other]
        for place in range(len(head)):
            gram[row, place] = sums[place]
