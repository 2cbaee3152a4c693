"""The best n unseen items of each row of scores."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import AnyArray, BoolArray, Float32Array, Int32Array, Int64Array

# A tile is looked through only if one of its scores is above the worst one kept; few are.
TILE = 64
_EXPONENT = np.uint32(0x7F800000)  # all of these bits are set in NaN and infinity, and in nothing else


@njit(cache=True, inline="always")
def _largest_exponent(bits: AnyArray) -> np.uint32:
    largest = np.uint32(0)
    for j in range(len(bits)):
        largest = max(largest, bits[j] & _EXPONENT)
    return largest


@njit(cache=True, inline="always")
def _has_above(scores: Float32Array, bound: float) -> bool:
    above = False  # without a way out, and with |: so that the loop vectorises
    for j in range(len(scores)):
        above |= scores[j] > bound
    return above


@njit(cache=True, inline="always")
def _is_worse(score: float, item: int, other_score: float, other_item: int) -> bool:
    return score < other_score or (score == other_score and item > other_item)


@njit(cache=True)
def _sift_down(scores: Float32Array, items: Int32Array, position: int, size: int) -> None:
    """Restore the heap whose root is the worst entry kept."""
    score, item = scores[position], items[position]
    child = 2 * position + 1
    while child < size:
        if child + 1 < size and _is_worse(scores[child + 1], items[child + 1], scores[child], items[child]):
            child += 1
        if not _is_worse(scores[child], items[child], score, item):
            break
        scores[position], items[position] = scores[child], items[child]
        position = child
        child = 2 * position + 1
    scores[position], items[position] = score, item


@kernel()
def select_top(
    scores: Float32Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    users: Int64Array,
    top_items: Int32Array,
    top_scores: Float32Array,
    n_listed: Int64Array,
    is_finite: BoolArray,
) -> None:
    """Write the best unseen items of each row, best first; ties fall to the lower item number.

    Parameters
    ----------
    scores : (n_block, n_items)
        Used as scratch: seen items are overwritten with -inf.
    seen_indptr, seen_items : (n_users + 1,), (n_seen,)
        Items to leave out, by user, ascending inside a row.
    users : (n_block,)
        The row of ``seen_indptr`` that belongs to each row of scores; -1: nothing seen.
    top_items, top_scores : (n_block, n)
        Receive the lists; what lies beyond ``n_listed`` is not meaningful.
    n_listed : (n_block,)
        Receives the length of each list.
    is_finite : (n_block,)
        Receives whether all scores of the row are finite.
    """
    n_block, n_items = scores.shape
    n = top_items.shape[1]
    for row in prange(n_block):
        line, kept_scores, kept_items = scores[row], top_scores[row], top_items[row]
        user = users[row]
        seen, seen_end = (seen_indptr[user], seen_indptr[user + 1]) if user >= 0 else (0, 0)
        exponent, size = np.uint32(0), 0
        for start in range(0, n_items, TILE):
            stop = min(start + TILE, n_items)
            tile = line[start:stop]
            exponent = max(exponent, _largest_exponent(tile.view(np.uint32)))  # of seen items, too
            while seen < seen_end and seen_items[seen] < stop:
                line[seen_items[seen]] = -np.inf
                seen += 1
            if size == n and not (n > 0 and _has_above(tile, kept_scores[0])):
                continue
            for item in range(start, stop):
                score = line[item]
                if score == -np.inf:
                    continue
                if size < n:
                    kept_scores[size], kept_items[size] = score, item
                    size += 1
                    if size == n:
                        for position in range(n // 2 - 1, -1, -1):
                            _sift_down(kept_scores, kept_items, position, n)
                elif n > 0 and score > kept_scores[0]:  # an equal score has a higher item number: worse
                    kept_scores[0], kept_items[0] = score, item
                    _sift_down(kept_scores, kept_items, 0, n)
        is_finite[row] = exponent != _EXPONENT
        if size < n:
            for position in range(size // 2 - 1, -1, -1):
                _sift_down(kept_scores, kept_items, position, size)
        for end in range(size - 1, 0, -1):  # the worst left goes to the end
            kept_scores[0], kept_scores[end] = kept_scores[end], kept_scores[0]
            kept_items[0], kept_items[end] = kept_items[end], kept_items[0]
            _sift_down(kept_scores, kept_items, 0, end)
        n_listed[row] = size
