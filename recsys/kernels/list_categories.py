"""Which categories stand in each list, beside those of the user's history."""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float64Array, Int32Array, Int64Array

_CHUNK = 64  # rows that share a scratch


@kernel()
def divergences(
    lists: Int32Array,
    n_listed: Int64Array,
    n_counted: int,
    users: Int64Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    indptr: Int64Array,
    columns: Int32Array,
    n_columns: int,
    smoothing: float,
    results: Float64Array,
) -> None:
    """Write the divergence of each list's categories from those of the user's history.

    Kullback-Leibler, KL(p || (1 - a) q + a p): p over the history, q over the first places, each
    item's weight shared evenly among its categories; items without any are left out. NaN where
    the history or the list has no item with a category.

    Parameters
    ----------
    lists, n_listed : (n_block, n), (n_block,)
        Items by rank, -1 for one that is not known, and how many of a row count.
    n_counted : int
        Positions that count, at most n.
    users : (n_block,)
    seen_indptr, seen_items : (n_users + 1,), (n_seen,)
        The histories.
    indptr, columns, n_columns : (n_items + 1,), (n_entries,), int
        The categories of each item.
    smoothing : float
        The a above.
    results : (n_block,)
        Receives the divergences.
    """
    n_block = lists.shape[0]
    for chunk in prange((n_block + _CHUNK - 1) // _CHUNK):
        history, listed = np.empty(n_columns), np.empty(n_columns)
        for row in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_block)):
            history[:], listed[:] = 0.0, 0.0
            n_history, n_shown = 0, 0
            for position in range(seen_indptr[users[row]], seen_indptr[users[row] + 1]):
                item = seen_items[position]
                n_categories = indptr[item + 1] - indptr[item]
                n_history += n_categories > 0
                for entry in range(indptr[item], indptr[item + 1]):
                    history[columns[entry]] += 1.0 / n_categories
            for position in range(min(n_counted, n_listed[row])):
                item = lists[row, position]
                if item < 0:
                    continue
                n_categories = indptr[item + 1] - indptr[item]
                n_shown += n_categories > 0
                for entry in range(indptr[item], indptr[item + 1]):
                    listed[columns[entry]] += 1.0 / n_categories
            total = 0.0
            for column in range(n_columns):
                if history[column] > 0 and n_shown > 0:
                    p = history[column] / n_history
                    q = (1.0 - smoothing) * listed[column] / n_shown + smoothing * p
                    total += p * np.log(p / q)
            results[row] = total if n_history > 0 and n_shown > 0 else np.nan
