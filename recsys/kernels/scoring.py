"""Scores of a factor model, for blocks of users and for single pairs."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int64Array

# A tile of item factors (rank x 1,024 floats) is read from memory once for all users of a chunk.
ITEM_TILE = 1024
USER_CHUNK = 16


@njit(cache=True, fastmath={"contract"})
def add_up(
    components: Int64Array,
    weights: Float32Array,
    factors: Float32Array,
    start: int,
    stop: int,
    offset: float,
    item_offset: Float32Array,
    out: Float32Array,
) -> None:
    """Write one user's scores of the items from start to stop, component by component in the order given."""
    n, n_used, t = len(out), len(components), 0
    if n_used < 8:
        for j in range(n):
            out[j] = offset + item_offset[j]
    while t + 8 <= n_used:  # eight components a pass, to load and store a score less often
        h0, h1 = factors[components[t], start:stop], factors[components[t + 1], start:stop]
        h2, h3 = factors[components[t + 2], start:stop], factors[components[t + 3], start:stop]
        h4, h5 = factors[components[t + 4], start:stop], factors[components[t + 5], start:stop]
        h6, h7 = factors[components[t + 6], start:stop], factors[components[t + 7], start:stop]
        w0, w1, w2, w3 = weights[t], weights[t + 1], weights[t + 2], weights[t + 3]
        w4, w5, w6, w7 = weights[t + 4], weights[t + 5], weights[t + 6], weights[t + 7]
        if t == 0:  # the offsets, which come first in every sum, need no pass of their own
            for j in range(n):
                half = ((((offset + item_offset[j]) + w0 * h0[j]) + w1 * h1[j]) + w2 * h2[j]) + w3 * h3[j]
                out[j] = (((half + w4 * h4[j]) + w5 * h5[j]) + w6 * h6[j]) + w7 * h7[j]
        else:
            for j in range(n):
                half = (((out[j] + w0 * h0[j]) + w1 * h1[j]) + w2 * h2[j]) + w3 * h3[j]
                out[j] = (((half + w4 * h4[j]) + w5 * h5[j]) + w6 * h6[j]) + w7 * h7[j]
        t += 8
    while t + 2 <= n_used:
        h0, h1 = factors[components[t], start:stop], factors[components[t + 1], start:stop]
        w0, w1 = weights[t], weights[t + 1]
        for j in range(n):
            out[j] = (out[j] + w0 * h0[j]) + w1 * h1[j]
        t += 2
    if t < n_used:
        h0, w0 = factors[components[t], start:stop], weights[t]
        for j in range(n):
            out[j] = out[j] + w0 * h0[j]


@kernel(fastmath={"contract"})
def score_block(
    user_factors: Float32Array,
    item_factors_by_component: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + W H'`` for a block of users.

    The terms of one score are added in the order of the components, whatever the block, so a score
    does not depend on who else is in the block. Themes in which a user has no part are skipped:
    they would add exact zeros.

    Parameters
    ----------
    user_factors : (n_block, rank)
    item_factors_by_component : (rank, n_items)
    user_offset, item_offset : (n_block,), (n_items,)
    scores : (n_block, n_items)
        Receives the scores.
    """
    n_users, rank = user_factors.shape
    n_items = item_factors_by_component.shape[1]
    for chunk in prange((n_users + USER_CHUNK - 1) // USER_CHUNK):
        first, last = chunk * USER_CHUNK, min((chunk + 1) * USER_CHUNK, n_users)
        used = np.empty((last - first, rank), dtype=np.int64)
        parts = np.empty((last - first, rank), dtype=np.float32)
        counts = np.zeros(last - first, dtype=np.int64)
        for user in range(first, last):
            for f in range(rank):
                if user_factors[user, f] != 0:
                    used[user - first, counts[user - first]] = f
                    parts[user - first, counts[user - first]] = user_factors[user, f]
                    counts[user - first] += 1
        for start in range(0, n_items, ITEM_TILE):
            stop = min(start + ITEM_TILE, n_items)
            for user in range(first, last):
                add_up(
                    used[user - first, : counts[user - first]],
                    parts[user - first],
                    item_factors_by_component,
                    start,
                    stop,
                    user_offset[user],
                    item_offset[start:stop],
                    scores[user, start:stop],
                )


@kernel(fastmath={"contract"})
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
