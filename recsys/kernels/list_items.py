"""What stands in each list: how popular, how alike, how unexpected.

An item number of -1 stands for an item that is not known; it takes a position and counts for nothing.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_CHUNK = 64  # rows that share a scratch


@kernel()
def mean_of_items(
    lists: Int32Array, n_listed: Int64Array, n_counted: int, of_item: Float64Array, means: Float64Array
) -> None:
    """Write the mean of an item's number over the first places of each list; NaN for an empty one.

    Parameters
    ----------
    lists, n_listed : (n_block, n), (n_block,)
    n_counted : int
        Positions that count, at most n.
    of_item : (n_items,)
    means : (n_block,)
        Receives the means.
    """
    for row in prange(lists.shape[0]):
        total, count = 0.0, 0
        for position in range(min(n_counted, n_listed[row])):
            item = lists[row, position]
            if item >= 0:
                total += of_item[item]
                count += 1
        means[row] = total / count if count else np.nan


@kernel()
def mean_of_rows(
    users: Int64Array, indptr: Int64Array, items: Int32Array, of_item: Float64Array, means: Float64Array
) -> None:
    """Write the mean of an item's number over each user's history; NaN for an empty one.

    Parameters
    ----------
    users : (n_block,)
    indptr, items : (n_users + 1,), (n_seen,)
        The histories.
    of_item : (n_items,)
    means : (n_block,)
        Receives the means.
    """
    for row in prange(len(users)):
        begin, end = indptr[users[row]], indptr[users[row] + 1]
        total = 0.0
        for entry in range(begin, end):
            total += of_item[items[entry]]
        means[row] = total / (end - begin) if end > begin else np.nan


@kernel()
def mean_distances(
    lists: Int32Array,
    n_listed: Int64Array,
    n_counted: int,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    n_columns: int,
    means: Float64Array,
) -> None:
    """Write the mean of 1 - cosine over the pairs of items among the first places of each list.

    The sum over pairs of unit vectors' products is (|sum|^2 - number) / 2, so that no pair is
    looked at. Items without a vector are left out; NaN with fewer than two others.

    Parameters
    ----------
    lists, n_listed, n_counted : as in `mean_of_items`
    indptr, columns, values : (n_items + 1,), (n_entries,), (n_entries,)
        A vector of length 1, or an empty one, for each item.
    n_columns : int
    means : (n_block,)
        Receives the means.
    """
    n_block = lists.shape[0]
    for chunk in prange((n_block + _CHUNK - 1) // _CHUNK):
        sums = np.zeros(n_columns)
        for row in range(chunk * _CHUNK, min((chunk + 1) * _CHUNK, n_block)):
            count, squares = 0, 0.0
            length = min(n_counted, n_listed[row])
            for position in range(length):
                item = lists[row, position]
                if item < 0 or indptr[item] == indptr[item + 1]:
                    continue
                count += 1
                for entry in range(indptr[item], indptr[item + 1]):
                    value = np.float64(values[entry])
                    sums[columns[entry]] += value
                    squares += value * value
            length_of_sum = 0.0
            for position in range(length):  # each column is taken once, and set back
                item = lists[row, position]
                if item < 0:
                    continue
                for entry in range(indptr[item], indptr[item + 1]):
                    length_of_sum += sums[columns[entry]] * sums[columns[entry]]
                    sums[columns[entry]] = 0.0
            if count < 2:
                means[row] = np.nan
            else:
                means[row] = 1.0 - (length_of_sum - squares) / (count * (count - 1))


@kernel()
def count_unexpected_hits(
    lists: Int32Array,
    hits: BoolArray,
    n_counted: int,
    n_expected: int,
    users: Int64Array,
    seen_indptr: Int64Array,
    seen_items: Int32Array,
    popularity_rank: Int64Array,
    counts: Int64Array,
) -> None:
    """Write the number of hits that are not among the user's most popular unseen items.

    Parameters
    ----------
    lists, hits : (n_block, n)
    n_counted : int
        Positions that count, at most n.
    n_expected : int
        How many of the most popular unseen items are no surprise.
    users : (n_block,)
    seen_indptr, seen_items : (n_users + 1,), (n_seen,)
        What each user has seen.
    popularity_rank : (n_items,)
        Rank of each item by popularity, from 0.
    counts : (n_block,)
        Receives the numbers.
    """
    for row in prange(lists.shape[0]):
        count = 0
        for position in range(n_counted):
            if not hits[row, position]:
                continue
            rank = popularity_rank[lists[row, position]]
            n_before = rank  # unseen items that are more popular
            for seen in range(seen_indptr[users[row]], seen_indptr[users[row] + 1]):
                n_before -= popularity_rank[seen_items[seen]] < rank
            count += n_before >= n_expected
        counts[row] = count
