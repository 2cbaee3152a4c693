"""The next item of a list by what it adds to those already in it, and a most for each label."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

_CHUNK = 16  # rows that share a scratch


@njit(cache=True)
def _count_history(
    items: Int32Array, indptr: Int64Array, columns: Int32Array, mix: Float64Array
) -> float:  # pragma: no cover
    """Write the mix of labels of a history, and return whether there is one."""
    mix[:] = 0.0
    total = 0.0
    for item in items:
        n_labels = indptr[item + 1] - indptr[item]
        total += n_labels > 0
        for entry in range(indptr[item], indptr[item + 1]):
            mix[columns[entry]] += 1.0 / n_labels
    if total > 0:
        mix /= total
    return total


@njit(cache=True)
def _divergence(
    item: int,
    indptr: Int64Array,
    columns: Int32Array,
    mix: Float64Array,
    listed: Float64Array,
    n_labelled: float,
    smoothing: float,
) -> float:  # pragma: no cover
    """Return KL(p || (1 - a) q + a p), q being the mix of a list with one more item."""
    n_own = indptr[item + 1] - indptr[item]
    n_after = n_labelled + (n_own > 0)
    if n_after == 0:
        return 0.0
    for entry in range(indptr[item], indptr[item + 1]):
        listed[columns[entry]] += 1.0 / n_own
    total = 0.0
    for label in range(len(mix)):
        if mix[label] > 0:
            q = (1.0 - smoothing) * listed[label] / n_after + smoothing * mix[label]
            total += mix[label] * np.log(mix[label] / q)
    for entry in range(indptr[item], indptr[item + 1]):
        listed[columns[entry]] -= 1.0 / n_own
    return total


@kernel()
def pick_in_turn(
    candidates: Int32Array,
    scores: Float32Array,
    n_candidates: Int64Array,
    history_indptr: Int64Array,
    history_items: Int32Array,
    indptr: Int64Array,
    columns: Int32Array,
    n_labels: int,
    most_per_label: int,
    vectors: Float32Array,
    popularity: Float64Array,
    weights: Float64Array,
    smoothing: float,
    chosen: Int32Array,
    n_chosen: Int64Array,
) -> None:
    """Write lists made one item after the other, each the best beside those before it.

    Best is ``(1 - d - c - b) r_i + d (1 - max_j v_i . v_j) - b p_i - c n KL``: r is the score, from 0 for
    the last candidate to 1 for the first; j are the items before, of which there are n - 1; p is popularity;
    KL is the divergence of the labels of these n items from those of the history. Ties fall to the earlier
    candidate.

    Parameters
    ----------
    candidates, scores : (n_block, depth)
        Items by score, the best first.
    n_candidates : (n_block,)
        How many of a row count.
    history_indptr, history_items : (n_block + 1,), (n_entries,)
        What each user has; calibration leaves out a user without labels.
    indptr, columns, n_labels : (n_items + 1,), (n_entries,), int
        The labels of each item.
    most_per_label : int
        Most items of one label in a list; 0 for any number.
    vectors : (n_items, width)
        Of length 1 or 0.
    popularity : (n_items,)
        From 0 to 1.
    weights : (3,)
        The d, c and b above, 0 or more, together 1 at most.
    smoothing : float
        The share of the history's mix that is added to the list's, so that KL is finite.
    chosen : (n_block, n)
        Receives positions among the candidates.
    n_chosen : (n_block,)
        Receives how many there are.
    """
    n_block, n = chosen.shape
    depth = candidates.shape[1]
    diversity, calibration, discount = weights
    own = 1.0 - diversity - calibration - discount
    for chunk in prange((n_block + _CHUNK - 1) // _CHUNK):
        mix, listed, counts = np.empty(n_labels), np.empty(n_labels), np.empty(n_labels, np.int64)
        nearest, is_left = np.empty(depth), np.empty(depth, np.bool_)
        for row in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_block)):
            length = n_candidates[row]
            history = history_items[history_indptr[row] : history_indptr[row + 1]]
            calibrates = calibration > 0 and _count_history(history, indptr, columns, mix) > 0
            listed[:], counts[:], nearest[:] = 0.0, 0, 0.0
            is_left[:length] = True
            low = np.float64(scores[row, length - 1]) if length else 0.0
            span = np.float64(scores[row, 0]) - low if length else 0.0
            n_labelled, n_listed = 0.0, 0
            while n_listed < n:
                best, best_value = -1, -np.inf
                for place in range(length):
                    if not is_left[place]:
                        continue
                    item = candidates[row, place]
                    if most_per_label > 0:
                        for entry in range(indptr[item], indptr[item + 1]):
                            if counts[columns[entry]] >= most_per_label:
                                is_left[place] = False
                        if not is_left[place]:
                            continue
                    value = own * (scores[row, place] - low) / span if span > 0 else 0.0
                    if diversity > 0:
                        value += diversity * (1.0 - nearest[place])
                    value -= discount * popularity[item]
                    if calibrates:
                        value -= (
                            calibration
                            * (n_listed + 1)
                            * _divergence(item, indptr, columns, mix, listed, n_labelled, smoothing)
                        )
                    if value > best_value:
                        best, best_value = place, value
                if best < 0:
                    break
                item = candidates[row, best]
                chosen[row, n_listed] = best
                is_left[best] = False
                n_listed += 1
                n_own = indptr[item + 1] - indptr[item]
                n_labelled += n_own > 0
                for entry in range(indptr[item], indptr[item + 1]):
                    listed[columns[entry]] += 1.0 / n_own
                    counts[columns[entry]] += 1
                if diversity > 0 and n_listed < n:
                    for place in range(length):
                        if is_left[place]:
                            other = candidates[row, place]
                            cosine = 0.0
                            for f in range(vectors.shape[1]):
                                cosine += np.float64(vectors[item, f]) * vectors[other, f]
                            if n_listed == 1 or cosine > nearest[place]:
                                nearest[place] = cosine
            n_chosen[row] = n_listed
