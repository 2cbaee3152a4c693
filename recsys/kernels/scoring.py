"""Scores of a factor model, for blocks of users and for single pairs."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.typing import Float32Array, Int64Array

# A tile of item factors (rank x 512 floats) is read from memory once for all users of a chunk.
ITEM_TILE = 512
USER_CHUNK = 16


@njit(cache=True, parallel=True, fastmath={"contract"})
def score_block(
    user_factors: Float32Array,
    item_factors_by_theme: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + W H'`` for a block of users.

    The terms of one score are added in the order of the themes, whatever the block, so a score
    does not depend on who else is in the block. Themes in which a user has no part are skipped:
    they would add exact zeros.

    Parameters
    ----------
    user_factors : (n_block, rank)
    item_factors_by_theme : (rank, n_items)
    user_offset, item_offset : (n_block,), (n_items,)
    scores : (n_block, n_items)
        Receives the scores.
    """
    n_users, rank = user_factors.shape
    n_items = item_factors_by_theme.shape[1]
    for chunk in prange((n_users + USER_CHUNK - 1) // USER_CHUNK):
        used = np.empty(rank, dtype=np.int64)
        for start in range(0, n_items, ITEM_TILE):
            stop = min(start + ITEM_TILE, n_items)
            for user in range(chunk * USER_CHUNK, min((chunk + 1) * USER_CHUNK, n_users)):
                out = scores[user, start:stop]
                for j in range(stop - start):
                    out[j] = user_offset[user] + item_offset[start + j]
                n_used = 0
                for f in range(rank):
                    if user_factors[user, f] != 0:
                        used[n_used] = f
                        n_used += 1
                t = 0
                while t + 4 <= n_used:  # four themes a pass, to load and store a score less often
                    h0 = item_factors_by_theme[used[t], start:stop]
                    h1 = item_factors_by_theme[used[t + 1], start:stop]
                    h2 = item_factors_by_theme[used[t + 2], start:stop]
                    h3 = item_factors_by_theme[used[t + 3], start:stop]
                    w0 = user_factors[user, used[t]]
                    w1 = user_factors[user, used[t + 1]]
                    w2 = user_factors[user, used[t + 2]]
                    w3 = user_factors[user, used[t + 3]]
                    for j in range(stop - start):
                        out[j] = (((out[j] + w0 * h0[j]) + w1 * h1[j]) + w2 * h2[j]) + w3 * h3[j]
                    t += 4
                while t < n_used:
                    h0 = item_factors_by_theme[used[t], start:stop]
                    w0 = user_factors[user, used[t]]
                    for j in range(stop - start):
                        out[j] = out[j] + w0 * h0[j]
                    t += 1


@njit(cache=True, parallel=True, fastmath={"contract"})
def score_pairs(
    users: Int64Array,
    items: Int64Array,
    user_factors: Float32Array,
    item_factors: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + w_u . h_i`` for each pair.

    A row number of -1 means unknown: that side's offset and the product are then left out.

    Parameters
    ----------
    users, items : (n_pairs,)
    user_factors, item_factors : (n_users, rank), (n_items, rank)
    user_offset, item_offset : (n_users,), (n_items,)
    scores : (n_pairs,)
        Receives the scores.
    """
    rank = user_factors.shape[1]
    for pair in prange(len(users)):
        user, item = users[pair], items[pair]
        total = np.float32(0)
        if user >= 0:
            total += user_offset[user]
        if item >= 0:
            total += item_offset[item]
        if user >= 0 and item >= 0:
            for f in range(rank):
                total += user_factors[user, f] * item_factors[item, f]
        scores[pair] = total
