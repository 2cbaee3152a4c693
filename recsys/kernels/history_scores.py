"""Scores that histories come to by sparse weights between items."""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int32Array, Int64Array


@kernel(fastmath={"contract"})
def add_history_scores(
    history_indptr: Int64Array,
    history_items: Int32Array,
    history_values: Float32Array,
    weight_indptr: Int64Array,
    weight_items: Int32Array,
    weight_values: Float32Array,
    scores: Float32Array,
) -> None:
    """Add histories times weights to the scores of a block of users, in the order of the histories.

    Parameters
    ----------
    history_indptr, history_items, history_values : (n_block + 1,), (n_entries,), (n_entries,)
    weight_indptr, weight_items, weight_values : (n_items + 1,), (n_weights,), (n_weights,)
        By past item: which items it speaks for, and how much.
    scores : (n_block, n_items)
    """
    for user in prange(len(scores)):
        line = scores[user]
        for entry in range(history_indptr[user], history_indptr[user + 1]):
            past, value = history_items[entry], history_values[entry]
            for weight in range(weight_indptr[past], weight_indptr[past + 1]):
                line[weight_items[weight]] += value * weight_values[weight]
