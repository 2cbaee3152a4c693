"""What each list found: numbers of hits, their places and their weights."""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import BoolArray, Float32Array, Float64Array, Int64Array


@kernel()
def count_hits(hits: BoolArray, n_counted: int, counts: Int64Array) -> None:
    """Write the number of hits among the first places of each list.

    Parameters
    ----------
    hits : (n_block, n)
        Whether each place is a hit.
    n_counted : int
        Places that count, at most n; so for all kernels here.
    counts : (n_block,)
        Receives the numbers.
    """
    for row in prange(hits.shape[0]):
        found = 0
        for place in range(n_counted):
            found += hits[row, place]
        counts[row] = found


@kernel()
def first_hits(hits: BoolArray, n_counted: int, places: Int64Array) -> None:
    """Write the place of each list's first hit, from 1; 0 where there is none."""
    for row in prange(hits.shape[0]):
        first = 0
        for place in range(n_counted):
            if hits[row, place]:
                first = place + 1
                break
        places[row] = first


@kernel()
def sum_precisions(hits: BoolArray, n_counted: int, sums: Float64Array) -> None:
    """Write the sum, over a list's hits, of the precision at the hit's place."""
    for row in prange(hits.shape[0]):
        found, total = 0, 0.0
        for place in range(n_counted):
            if hits[row, place]:
                found += 1
                total += found / (place + 1)
        sums[row] = total


@kernel()
def sum_discounts(hits: BoolArray, n_counted: int, discounts: Float64Array, sums: Float64Array) -> None:
    """Write the sum, over a list's hits, of the discount of the hit's place."""
    for row in prange(hits.shape[0]):
        total = 0.0
        for place in range(n_counted):
            if hits[row, place]:
                total += discounts[place]
        sums[row] = total


@kernel()
def sum_gains(gains: Float32Array, n_counted: int, discounts: Float64Array, sums: Float64Array) -> None:
    """Write the sum of a list's gains, each times the discount of its place.

    Parameters
    ----------
    gains : (n_block, n)
        What each place is worth; 0 where it is no hit.
    n_counted : int
    discounts : (n,)
    sums : (n_block,)
        Receives the sums.
    """
    for row in prange(gains.shape[0]):
        total = 0.0
        for place in range(n_counted):
            total += gains[row, place] * discounts[place]
        sums[row] = total


@kernel()
def sum_largest(
    users: Int64Array, indptr: Int64Array, values: Float32Array, discounts: Float64Array, sums: Float64Array
) -> None:
    """Write what the best list would gain: the user's largest values, each times the discount of its place.

    Parameters
    ----------
    users : (n_block,)
        The row of ``indptr`` that belongs to each list.
    indptr, values : (n_users + 1,), (n_held_out,)
        Each user's values, falling.
    discounts : (k,)
    sums : (n_block,)
        Receives the sums.
    """
    for row in prange(len(users)):
        begin = indptr[users[row]]
        total = 0.0
        for place in range(min(len(discounts), indptr[users[row] + 1] - begin)):
            total += values[begin + place] * discounts[place]
        sums[row] = total
