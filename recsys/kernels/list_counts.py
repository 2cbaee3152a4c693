"""What each list holds: numbers of hits, their positions and their weights."""

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
        Whether each position is a hit.
    n_counted : int
        Positions that count, at most n; so for all kernels here.
    counts : (n_block,)
        Receives the numbers.
    """
    for row in prange(hits.shape[0]):
        n_hits = 0
        for position in range(n_counted):
            n_hits += hits[row, position]
        counts[row] = n_hits


@kernel()
def first_hits(hits: BoolArray, n_counted: int, places: Int64Array) -> None:
    """Write the position of each list's first hit, from 1; 0 where there is none."""
    for row in prange(hits.shape[0]):
        first = 0
        for position in range(n_counted):
            if hits[row, position]:
                first = position + 1
                break
        places[row] = first


@kernel()
def sum_precisions(hits: BoolArray, n_counted: int, sums: Float64Array) -> None:
    """Write the sum, over a list's hits, of the precision at the hit's position."""
    for row in prange(hits.shape[0]):
        n_hits, total = 0, 0.0
        for position in range(n_counted):
            if hits[row, position]:
                n_hits += 1
                total += n_hits / (position + 1)
        sums[row] = total


@kernel()
def sum_discounts(hits: BoolArray, n_counted: int, discounts: Float64Array, sums: Float64Array) -> None:
    """Write the sum, over a list's hits, of the discount of the hit's position."""
    for row in prange(hits.shape[0]):
        total = 0.0
        for position in range(n_counted):
            if hits[row, position]:
                total += discounts[position]
        sums[row] = total


@kernel()
def sum_gains(gains: Float32Array, n_counted: int, discounts: Float64Array, sums: Float64Array) -> None:
    """Write the sum of a list's gains, each times a discount.

    Parameters
    ----------
    gains : (n_block, n)
        What each position is worth; 0 where it is no hit.
    n_counted : int
    discounts : (n,)
    sums : (n_block,)
        Receives the sums.
    """
    for row in prange(gains.shape[0]):
        total = 0.0
        for position in range(n_counted):
            total += gains[row, position] * discounts[position]
        sums[row] = total


@kernel()
def sum_largest(
    users: Int64Array, indptr: Int64Array, values: Float32Array, discounts: Float64Array, sums: Float64Array
) -> None:
    """Write what the best list would gain: the user's largest values, each times a discount.

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
        for position in range(min(len(discounts), indptr[users[row] + 1] - begin)):
            total += values[begin + position] * discounts[position]
        sums[row] = total
