"""The best n unseen items of each user, chosen while scores are still near: no block of scores is written.

A score is the same sum in the same order as in `recsys.kernels.scoring`, and lists are those that
`recsys.kernels.ranking` makes of such scores, bit for bit. What is kept of a user so far stands in order;
most stretches of items hold nothing better, which a comparison of all at once shows.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.dense_scoring import ITEMS, USER_CHUNK, USERS, score_tile
from recsys.kernels.launching import kernel
from recsys.kernels.scoring import ITEM_TILE, add_up
from recsys.typing import BoolArray, Float32Array, Int32Array, Int64Array, UInt16Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""
SCORED_BY = "12318e5f7a36"
"""Digest of the files of `add_up` and `score_tile`, for the same reason."""

LONGEST = 128
"""Lists that are kept in order entry by entry; longer ones are better kept in a heap."""

_STRETCH = 16 * ITEMS  # items that are looked at together: with 24 users, their scores fit the nearest cache
_EXPONENT = np.uint32(0x7F800000)  # all of these bits are set in NaN and infinity, and in nothing else


@njit(cache=True)
def _all_finite(scores: Float32Array) -> bool:
    bits, largest = scores.view(np.uint32), np.uint32(0)
    for j in range(len(bits)):
        largest = max(largest, bits[j] & _EXPONENT)
    return largest != _EXPONENT


@njit(cache=True)
def _keep_best(
    scores: Float32Array, start: int, kept_items: Int32Array, kept_scores: Float32Array, size: int
) -> int:
    """Put what is better than what is kept into its place, and return how many are kept.

    Items come in ascending order, so that one with an equal score is worse; -inf stands for seen.
    """
    n = len(kept_items)
    bound = kept_scores[n - 1] if size == n else np.float32(-np.inf)
    above = False  # without a way out, and with |: so that the loop vectorises
    for j in range(len(scores)):
        above |= scores[j] > bound
    if not above:
        return size
    for j in range(len(scores)):
        score = scores[j]
        if not score > bound:
            continue
        position = size if size < n else n - 1
        while position > 0 and score > kept_scores[position - 1]:
            kept_scores[position], kept_items[position] = kept_scores[position - 1], kept_items[position - 1]
            position -= 1
        kept_scores[position], kept_items[position] = score, start + j
        size = min(size + 1, n)
        if size == n:
            bound = kept_scores[n - 1]
    return size


@njit(cache=True)
def _begin_lists(
    first: int,
    last: int,
    users: Int64Array,
    seen_indptr: Int64Array,
    seen: Int64Array,
    n_listed: Int64Array,
    is_finite: BoolArray,
) -> None:
    """Let the lists of a chunk of users be empty, and ``seen`` stand at the first item that each has seen."""
    for user in range(first, last):
        seen[user - first] = seen_indptr[users[user]] if users[user] >= 0 else 0
        n_listed[user], is_finite[user] = 0, True


@njit(cache=True)
def _leave_out_seen(
    scores: Float32Array, start: int, row: int, seen_indptr: Int64Array, seen_items: Int32Array, entry: int
) -> int:
    """Write -inf for what a row has seen of the items from ``start`` on, and return where the rest begins."""
    end, stop = seen_indptr[row + 1] if row >= 0 else 0, start + len(scores)
    while entry < end and seen_items[entry] < stop:
        scores[seen_items[entry] - start] = -np.inf
        entry += 1
    return entry


@kernel()
def rank_block_dense(
    user_factors: Float32Array,
    item_panels: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    users: Int64Array,
    top_items: Int32Array,
    top_scores: Float32Array,
    n_listed: Int64Array,
    is_finite: BoolArray,
) -> None:
    """Write the best unseen items of each user, best first, for factors of which most are not zero.

    Parameters
    ----------
    user_factors, item_panels, user_offset, item_offset
        As in `recsys.kernels.dense_scoring.score_block_dense`.
    seen_indptr, seen_items, users, top_items, top_scores, n_listed, is_finite
        As in `recsys.kernels.ranking.select_top`; lists are of at least one item.
    """
    (n_users, rank), n_items = user_factors.shape, len(item_offset)
    for chunk in prange((n_users + USER_CHUNK - 1) // USER_CHUNK):
        first, last = chunk * USER_CHUNK, min((chunk + 1) * USER_CHUNK, n_users)
        n_groups = (last - first + USERS - 1) // USERS
        packed = np.zeros((n_groups, rank * USERS), dtype=np.float32)
        own = np.zeros((n_groups, USERS), dtype=np.float32)
        seen = np.zeros(last - first, dtype=np.int64)
        for user in range(first, last):
            group, lane = (user - first) // USERS, (user - first) % USERS
            own[group, lane] = user_offset[user]
            for f in range(rank):
                packed[group, f * USERS + lane] = user_factors[user, f]
        _begin_lists(first, last, users, seen_indptr, seen, n_listed, is_finite)
        offset, tile = np.zeros(ITEMS, dtype=np.float32), np.empty(USERS * ITEMS, dtype=np.float32)
        lines = np.empty((n_groups * USERS, _STRETCH), dtype=np.float32)
        for start in range(0, n_items, _STRETCH):
            stop = min(start + _STRETCH, n_items)
            for begin in range(start, stop, ITEMS):
                width = min(ITEMS, n_items - begin)
                offset[:width] = item_offset[begin : begin + width]
                factors = item_panels[begin // ITEMS].reshape(-1)
                for group in range(n_groups):
                    score_tile(packed[group], factors, rank, own[group], offset, tile)
                    for lane in range(USERS):
                        line = lines[group * USERS + lane]
                        for j in range(ITEMS):  # beyond the last item, what is not looked at
                            line[begin - start + j] = tile[lane * ITEMS + j]
            for user in range(first, last):
                row = user - first
                line = lines[row, : stop - start]
                is_finite[user] &= _all_finite(line)
                seen[row] = _leave_out_seen(line, start, users[user], seen_indptr, seen_items, seen[row])
                n_listed[user] = _keep_best(line, start, top_items[user], top_scores[user], n_listed[user])


@kernel(fastmath={"contract"})
def rank_block(
    user_factors: Float32Array,
    item_factors_by_component: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    users: Int64Array,
    top_items: Int32Array,
    top_scores: Float32Array,
    n_listed: Int64Array,
    is_finite: BoolArray,
) -> None:
    """Write the best unseen items of each user, best first, passing over the zeros of users.

    Parameters
    ----------
    user_factors, item_factors_by_component, user_offset, item_offset
        As in `recsys.kernels.scoring.score_block`.
    seen_indptr, seen_items, users, top_items, top_scores, n_listed, is_finite
        As in `recsys.kernels.ranking.select_top`; lists are of at least one item.
    """
    (n_users, rank), n_items = user_factors.shape, len(item_offset)
    for chunk in prange((n_users + USER_CHUNK - 1) // USER_CHUNK):
        first, last = chunk * USER_CHUNK, min((chunk + 1) * USER_CHUNK, n_users)
        used = np.empty((last - first, rank), dtype=np.int64)
        parts = np.empty((last - first, rank), dtype=np.float32)
        counts, seen = np.zeros(last - first, dtype=np.int64), np.zeros(last - first, dtype=np.int64)
        for user in range(first, last):
            row = user - first
            for f in range(rank):
                if user_factors[user, f] != 0:
                    used[row, counts[row]], parts[row, counts[row]] = f, user_factors[user, f]
                    counts[row] += 1
        _begin_lists(first, last, users, seen_indptr, seen, n_listed, is_finite)
        scores = np.empty(ITEM_TILE, dtype=np.float32)
        for start in range(0, n_items, ITEM_TILE):
            stop = min(start + ITEM_TILE, n_items)
            offsets, tile = item_offset[start:stop], scores[: stop - start]
            for user in range(first, last):
                row = user - first
                add_up(
                    used[row, : counts[row]],
                    parts[row],
                    item_factors_by_component,
                    start,
                    stop,
                    user_offset[user],
                    offsets,
                    tile,
                )
                is_finite[user] &= _all_finite(tile)
                seen[row] = _leave_out_seen(tile, start, users[user], seen_indptr, seen_items, seen[row])
                for begin in range(start, stop, _STRETCH):
                    n_listed[user] = _keep_best(
                        tile[begin - start : min(begin - start + _STRETCH, stop - start)],
                        begin,
                        top_items[user],
                        top_scores[user],
                        n_listed[user],
                    )


@kernel(fastmath={"contract"})
def rank_block_sparse(
    user_indptr: Int64Array,
    user_components: UInt16Array,
    user_values: Float32Array,
    component_indptr: Int64Array,
    component_items: Int32Array,
    component_values: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    blocks: Int64Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    users: Int64Array,
    top_items: Int32Array,
    top_scores: Float32Array,
    n_listed: Int64Array,
    is_finite: BoolArray,
) -> None:
    """Write the best unseen items of each user, best first, for factors of which most are zero.

    Parameters
    ----------
    user_indptr, user_components, user_values, component_indptr, component_items, component_values
        As in `recsys.kernels.sparse_scoring.score_block_sparse`, like the offsets.
    user_offset, item_offset : (n_block,), (n_items,)
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin; each has one line of scores.
    seen_indptr, seen_items, users, top_items, top_scores, n_listed, is_finite
        As in `recsys.kernels.ranking.select_top`; lists are of at least one item.
    """
    n_items = len(item_offset)
    for block in prange(len(blocks) - 1):
        line = np.empty(n_items, dtype=np.float32)
        for row in range(blocks[block], blocks[block + 1]):
            offset, size = user_offset[row], 0
            for item in range(n_items):
                line[item] = offset + item_offset[item]
            for k in range(user_indptr[row], user_indptr[row + 1]):
                component, weight = user_components[k], user_values[k]
                for entry in range(component_indptr[component], component_indptr[component + 1]):
                    line[component_items[entry]] += weight * component_values[entry]
            is_finite[row] = _all_finite(line)
            if users[row] >= 0:
                for entry in range(seen_indptr[users[row]], seen_indptr[users[row] + 1]):
                    line[seen_items[entry]] = -np.inf
            for start in range(0, n_items, _STRETCH):
                part = line[start : min(start + _STRETCH, n_items)]
                size = _keep_best(part, start, top_items[row], top_scores[row], size)
            n_listed[row] = size
