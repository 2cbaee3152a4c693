"""How often a held-out item is scored above an unseen one that is not held out."""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array


@kernel()
def shares_in_order(
    scores: Float32Array,
    users: Int64Array,
    held_indptr: Int64Array,
    held_items: Int32Array,
    shares: Float64Array,
) -> None:
    """Write the share of pairs (held-out, other unseen item) that the scores put in order.

    Ties are half in order. NaN where a user has no such pair. Pairs are counted in whole numbers,
    so that nothing is rounded before the last division.

    Parameters
    ----------
    scores : (n_block, n_items)
        Of unseen items; -inf for what is left out.
    users : (n_block,)
    held_indptr, held_items : (n_users + 1,), (n_held_out,)
        Held-out items by user, none of them left out.
    shares : (n_block,)
        Receives the shares.
    """
    for row in prange(scores.shape[0]):
        line = scores[row]
        held = np.sort(line[held_items[held_indptr[users[row]] : held_indptr[users[row] + 1]]])
        n_held = len(held)
        n_others = -n_held
        twice = -n_held * n_held  # held-out against held-out: each two once in order, each with itself level
        for item in range(len(line)):
            score = line[item]
            if score == -np.inf:
                continue
            n_others += 1
            if n_held == 0 or score < held[0]:
                twice += 2 * n_held
                continue
            low, high = 0, n_held  # the number of held-out items scored below
            while low < high:
                middle = (low + high) // 2
                if held[middle] < score:
                    low = middle + 1
                else:
                    high = middle
            upto, high = low, n_held  # below or level; ties may be many, so they are not counted one by one
            while upto < high:
                middle = (upto + high) // 2
                if held[middle] <= score:
                    upto = middle + 1
                else:
                    high = middle
            twice += 2 * (n_held - upto) + (upto - low)
        shares[row] = twice / (2.0 * n_held * n_others) if n_held > 0 and n_others > 0 else np.nan
