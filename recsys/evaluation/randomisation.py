"""P-values of pairs by exchanging labels, and their adjustment for being many."""

from __future__ import annotations

import numpy as np

from recsys import rng, threads
from recsys.evaluation.uncertainty import in_groups
from recsys.typing import Float64Array, Int64Array

N_EXCHANGES = 9_999
_BLOCK = 1111


def exchange_p_values(totals: Float64Array, pairs: Int64Array, *, seed: int) -> Float64Array:
    """Test pairs of columns by exchanging their values, user by user, at random.

    Parameters
    ----------
    totals : float64, (n_users, n_columns)
    pairs : int64, (n_pairs, 2)
        Column numbers.
    seed : int
        Of the exchanges, which all pairs share.

    Returns
    -------
    float64, (n_pairs,)
        The share of 9,999 exchanges, and of what was seen, whose sums differ by as much or more.

    Notes
    -----
    Under the null hypothesis it does not matter which of two models served a user, so that each user's
    two values may change places (Fisher's randomisation test; for rankings Smucker, Allan & Carterette
    2007, section 3.2). With more than 4,096 users, users dealt at random into 4,096 groups change
    places as one: a part of all exchanges, and so as valid.
    """
    units = in_groups(totals, seed=seed)
    first, second = units[:, pairs[:, 0]], units[:, pairs[:, 1]]
    differences = first - second
    # A difference of the same size may come out a little smaller when it is summed with other signs.
    slack = 1e-12 * (np.abs(first) + np.abs(second)).sum(axis=0)
    least = np.abs(differences.sum(axis=0)) - slack
    n_as_large = np.zeros(len(pairs), dtype=np.int64)
    generator = rng.stream(seed, "exchanges", len(units))
    width = -(-len(units) // 8)
    with threads.launch():  # BLAS on one thread: its sums depend on how many there are
        for _ in range(0, N_EXCHANGES, _BLOCK):
            bits = np.frombuffer(generator.bytes(_BLOCK * width), dtype=np.uint8).reshape(_BLOCK, width)
            signs = 1.0 - 2.0 * np.unpackbits(bits, axis=1, count=len(units))
            n_as_large += np.count_nonzero(np.abs(signs @ differences) >= least, axis=0)
    p_values: Float64Array = (1 + n_as_large) / (1 + N_EXCHANGES)
    return p_values


def holm(p_values: Float64Array) -> Float64Array:
    """Adjust p-values for their number: the chance of any false finding stays below the level.

    Parameters
    ----------
    p_values : float64, (n_tests,)

    Returns
    -------
    float64, (n_tests,)
        Holm (1979): the i-th smallest of n times n - i + 1, at least its predecessor, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    raised = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted
