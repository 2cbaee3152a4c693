"""Sparse linear item models: each item's column as a non-negative sum of the columns of its neighbors.

Legend: ``X`` is the users x items matrix of what entries count, stored by user and by item; ``G = X'X``.
A target item is fitted over its candidates, the items most alike to it, from the part of ``G`` that they
span. Pairs of popular items are read off a dense head of ``G``; the others are few entries to multiply.
Users of more than ``most_items`` items, who would make every two of them a pair to look at, do not say which
items are alike; as entries of the columns they count as everybody's.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array


@njit(cache=True)
def _multiply(
    target: int,
    user_indptr: Int64Array,
    user_items: Int32Array,
    user_values: Float32Array,
    item_indptr: Int64Array,
    item_users: Int32Array,
    item_values: Float32Array,
    most_items: int,
    products: Float64Array,
    touched: Int32Array,
) -> int:
    """Add the target's inner products to ``products``; return how many other items it shares a user with.

    Users of more than ``most_items`` items are left out.
    """
    n_touched = 0
    for entry in range(item_indptr[target], item_indptr[target + 1]):
        user, value = item_users[entry], np.float64(item_values[entry])
        if user_indptr[user + 1] - user_indptr[user] > most_items:
            continue
        for other in range(user_indptr[user], user_indptr[user + 1]):
            item = user_items[other]
            if products[item] == 0 and item != target:  # no value is 0, and none so small that squares are
                touched[n_touched] = item
                n_touched += 1
            products[item] += value * user_values[other]
    return n_touched


@njit(cache=True)
def _multiply_candidates(
    target: int,
    candidates: Int32Array,
    user_indptr: Int64Array,
    user_items: Int32Array,
    user_values: Float32Array,
    item_indptr: Int64Array,
    item_users: Int32Array,
    item_values: Float32Array,
    most_items: int,
    products: Float64Array,
) -> None:
    """Add what users of more than ``most_items`` items add to the target's products with its candidates."""
    for entry in range(item_indptr[target], item_indptr[target + 1]):
        user, value = item_users[entry], np.float64(item_values[entry])
        start, end = user_indptr[user], user_indptr[user + 1]
        if end - start > most_items:
            items = user_items[start:end]
            for item in candidates:
                position = np.searchsorted(items, item)
                if position < len(items) and items[position] == item:
                    products[item] += value * user_values[start + position]


@njit(cache=True)
def _replace_least(keys: Float64Array, items: Int32Array, size: int, key: float, item: int) -> None:
    """Put a pair in place of the least one of a heap; of equal keys the larger item's is less."""
    parent = 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            keys[other] < keys[child] or (keys[other] == keys[child] and items[other] > items[child])
        ):
            child = other
        if key < keys[child] or (key == keys[child] and item > items[child]):
            break
        keys[parent], items[parent] = keys[child], items[child]
        parent = child
    keys[parent], items[parent] = key, item


@njit(cache=True)
def _choose_candidates(
    products: Float64Array,
    touched: Int32Array,
    norms: Float64Array,
    keys: Float64Array,
    places: Int32Array,
    candidates: Int32Array,
) -> int:
    """Write the items of largest cosine and return how many there are.

    Those of the head come first, each kind ascending by number.
    """
    size = min(len(touched), len(candidates))
    for k in range(size):  # no cosine is below 0
        keys[k], candidates[k] = -1.0, np.iinfo(np.int32).max
    for t in range(len(touched)):
        item = touched[t]
        key = products[item] / norms[item]
        if key > keys[0] or (key == keys[0] and item < candidates[0]):
            _replace_least(keys, candidates, size, key, item)
    candidates[:size].sort()
    rare, n_head = candidates[:size].copy(), 0
    for k in range(size):
        if places[rare[k]] >= 0:
            candidates[n_head] = rare[k]
            n_head += 1
    for k in range(size):
        if places[rare[k]] < 0:
            candidates[n_head] = rare[k]
            n_head += 1
    return size


@njit(cache=True)
def _multiply_rare(
    candidates: Int32Array,
    n_head: int,
    item_indptr: Int64Array,
    item_users: Int32Array,
    item_values: Float32Array,
    counts: Int32Array,
    starts: Int64Array,
    gram: Float32Array,
) -> None:
    """Write the inner products of candidates after the first ``n_head`` with all; ``counts`` stays zero.

    A user's candidates stand in their order, those of the head first, so that half a row is enough.
    """
    total = 0
    for k in range(len(candidates)):
        for entry in range(item_indptr[candidates[k]], item_indptr[candidates[k] + 1]):
            counts[item_users[entry]] += 1
            total += 1
    # Which candidates each user has: those of one user stand together.
    members, values = np.empty(total, dtype=np.int32), np.empty(total, dtype=np.float32)
    filled = 0
    for k in range(len(candidates)):
        for entry in range(item_indptr[candidates[k]], item_indptr[candidates[k] + 1]):
            user = item_users[entry]
            if counts[user] > 0:  # met for the first time; from here on counts run down from 0
                starts[user] = filled
                filled += counts[user]
                counts[user] = 0
            slot = starts[user] - counts[user]
            members[slot], values[slot] = k, item_values[entry]
            counts[user] -= 1
    sums = np.empty(len(candidates))
    for k in range(n_head, len(candidates)):
        sums[: k + 1] = 0
        for entry in range(item_indptr[candidates[k]], item_indptr[candidates[k] + 1]):
            user, value = item_users[entry], np.float64(item_values[entry])
            for slot in range(starts[user], starts[user] - counts[user]):
                sums[members[slot]] += value * values[slot]
                if members[slot] == k:  # the rest of the row is the column of those that follow
                    break
        for other in range(k + 1):
            gram[k, other] = gram[other, k] = sums[other]
    for k in range(len(candidates)):
        for entry in range(item_indptr[candidates[k]], item_indptr[candidates[k] + 1]):
            counts[item_users[entry]] = 0


@njit(cache=True)
def _descend(
    gram: Float32Array,
    slopes: Float32Array,
    weights: Float32Array,
    l1: float,
    l2: float,
    max_iter: int,
    tol: float,
) -> int:
    """Lower ``1/2 b'Gb - q'b + l2/2 |b|^2 + l1 |b|_1`` over b >= 0, coordinate by coordinate.

    ``slopes`` begins as ``q`` and becomes ``q - G b``. It ends when a sweep moves no weight by more than
    ``tol`` times the largest, or after ``max_iter`` sweeps; their number is returned.
    """
    for sweep in range(max_iter):
        largest_step, largest = np.float32(0), np.float32(0)
        for k in range(len(weights)):
            old, curvature = weights[k], gram[k, k]
            new = max(
                np.float32(0), (slopes[k] + curvature * old - np.float32(l1)) / (curvature + np.float32(l2))
            )
            step = new - old
            if step != 0:
                weights[k] = new
                line = gram[k]
                for other in range(len(weights)):
                    slopes[other] -= step * line[other]
                largest_step = max(largest_step, abs(step))
            largest = max(largest, new)
        if largest_step <= np.float32(tol) * largest:
            return sweep + 1
    return max_iter


@kernel()
def fit_neighbors(
    targets: Int32Array,
    n_shares: int,
    user_indptr: Int64Array,
    user_items: Int32Array,
    user_values: Float32Array,
    item_indptr: Int64Array,
    item_users: Int32Array,
    item_values: Float32Array,
    norms: Float64Array,
    places: Int32Array,
    head: Float32Array,
    most_items: int,
    l1: float,
    l2: float,
    max_iter: int,
    tol: float,
    neighbors: Int32Array,
    weights: Float32Array,
    n_neighbors: Int32Array,
    n_sweeps: Int32Array,
) -> None:
    """Fit the column of each target as a non-negative sum of the columns of its candidates.

    Parameters
    ----------
    targets : (n_targets,)
        Items, those that cost alike side by side: share s of the work takes every n_shares-th from s.
    n_shares : int
    user_indptr, user_items, user_values : (n_users + 1,), (nnz,), (nnz,)
        X by user; no value is 0.
    item_indptr, item_users, item_values : (n_items + 1,), (nnz,), (nnz,)
        X by item.
    norms : (n_items,)
        Lengths of the columns; above 0.
    places, head : (n_items,), (n_head, n_head)
        See `recsys.kernels.head_gram`.
    most_items : int
        Users of more items do not say which items are candidates.
    l1, l2, max_iter, tol : float, float, int, float
        See `_descend`.
    neighbors, weights : (n_targets, n_candidates)
        Receive the candidates, those of the head first, each kind ascending, and their weights.
    n_neighbors, n_sweeps : (n_targets,)
        Receive how many candidates there are, and after how many sweeps it ended.
    """
    n_users, n_items, limit = len(user_indptr) - 1, len(item_indptr) - 1, neighbors.shape[1]
    for share in prange(n_shares):
        products, touched = np.zeros(n_items), np.empty(n_items, dtype=np.int32)
        counts, starts = np.zeros(n_users, dtype=np.int32), np.empty(n_users, dtype=np.int64)
        keys, gram = np.empty(limit), np.empty((limit, limit), dtype=np.float32)
        slopes = np.empty(limit, dtype=np.float32)
        for number in range(share, len(targets), n_shares):
            target = targets[number]
            n_touched = _multiply(
                target,
                user_indptr,
                user_items,
                user_values,
                item_indptr,
                item_users,
                item_values,
                most_items,
                products,
                touched,
            )
            size = _choose_candidates(products, touched[:n_touched], norms, keys, places, neighbors[number])
            candidates, part = neighbors[number, :size], gram[:size, :size]
            _multiply_candidates(
                target,
                candidates,
                user_indptr,
                user_items,
                user_values,
                item_indptr,
                item_users,
                item_values,
                most_items,
                products,
            )
            for k in range(size):
                slopes[k], weights[number, k] = products[candidates[k]], 0
            products[target] = 0
            for t in range(n_touched):
                products[touched[t]] = 0
            n_head = 0  # candidates of the head stand first
            while n_head < size and places[candidates[n_head]] >= 0:
                n_head += 1
            for k in range(n_head):
                line = head[places[candidates[k]]]
                for other in range(n_head):
                    part[k, other] = line[places[candidates[other]]]
            if n_head < size:
                _multiply_rare(candidates, n_head, item_indptr, item_users, item_values, counts, starts, part)
            n_neighbors[number] = size
            n_sweeps[number] = _descend(part, slopes[:size], weights[number, :size], l1, l2, max_iter, tol)
