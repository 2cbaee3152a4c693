"""How far factors are from entries that a fit did not see; less is better."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import unit_of
from recsys.factorization.factors import Factors
from recsys.factorization.scoring import Scorer, scores_below_zero
from recsys.factorization.validation import HeldOutEntries
from recsys.kernels.hits import find_hits
from recsys.kernels.ranking import select_top
from recsys.typing import Float32Array, Float64Array, Int64Array

Bounds = tuple[float, float] | None
"""Least and largest value: predictions are kept inside when they are measured."""

KL_FLOOR = 2.0**-20
"""Added to each product, in the unit of the data (`unit_of`): a millionth of the mean or less.

The divergence of a value above 0 from a prediction of 0 is infinite; with the floor it is finite
everywhere, a row may become all zero, and the objective stays smooth and convex in each row. The
price: predictions below about a millionth of the mean of the data are not told apart.
"""

LIST_LENGTH = 100
"""Length of the lists that `ranking_loss` measures."""
MOST_USERS = 1000
"""Most users it ranks for: more would take longer than the sweep between two looks."""
_BLOCK = 64  # users at a time


def rmse(factors: Factors, held_out: HeldOutEntries, bounds: Bounds = None) -> float:
    """Return the root of the weighted mean of squared errors."""
    error = held_out.values - _predicted(factors, held_out, bounds)
    return float(np.sqrt(np.average(error**2, weights=held_out.weights)))


def mean_divergence(factors: Factors, held_out: HeldOutEntries, bounds: Bounds = None) -> float:
    """Return the mean of ``x log(x / q) - x + q``, q being the prediction plus the solver's floor."""
    values = held_out.values
    q = _predicted(factors, held_out, bounds) + KL_FLOOR * unit_of(values.astype(np.float32))
    logs = np.zeros_like(values)
    np.log(values / q, out=logs, where=values > 0)
    return float(np.average(values * logs - values + q, weights=held_out.weights))


def ranking_loss(factors: Factors, held_out: HeldOutEntries, bounds: Bounds = None) -> float:
    """Return 1 minus the mean NDCG@100 of the held-out items among all that the fit did not see.

    For models of the whole matrix, whose error at held-out entries alone says little: they are fitted
    to tell these entries from all the absent ones, and are used to rank. Lists are longer than those
    shown to people, so that the measure does not hang on a handful of hits. At most `MOST_USERS` users
    are ranked for, evenly spaced among those who have held-out entries; amounts and weights of the
    entries do not count. Items of score 0 are in the order of popularity, as lists are filled; other ties
    fall to the lower item number.
    """
    users = np.unique(held_out.users)
    if len(users) > MOST_USERS:
        users = users[np.linspace(0, len(users) - 1, MOST_USERS).astype(np.int64)]
    relevant, seen = held_out.by_user, held_out.seen
    length = min(LIST_LENGTH, len(factors.items))
    discounts = 1.0 / np.log2(np.arange(2, length + 2))
    ideal = np.cumsum(discounts)[np.minimum(relevant.counts[users], length) - 1]
    scorer = Scorer(factors.items.factors, factors.item_bias)
    popular = np.bincount(seen.columns, minlength=len(factors.items)).astype(np.float64)
    below = scores_below_zero(popular)
    gains = np.empty(len(users))
    for start in range(0, len(users), _BLOCK):
        block = users[start : start + _BLOCK]
        side = factors.users.select(block)
        scores = scorer(side.factors, side.bias)
        np.copyto(scores, below, where=scores == 0)
        gains[start : start + _BLOCK] = _hits(scores, block, seen, relevant) @ discounts
    return float(1.0 - np.mean(gains / ideal))


def _hits(
    scores: Float32Array, users: Int64Array, seen: CompressedRows, relevant: CompressedRows
) -> Float64Array:
    """Return 1 where a place of a user's list holds a relevant item, (n_users, length)."""
    length = min(LIST_LENGTH, scores.shape[1])
    items, tops = np.empty((len(users), length), np.int32), np.empty((len(users), length), np.float32)
    n_listed, is_finite = np.empty(len(users), np.int64), np.empty(len(users), np.bool_)
    entries = np.empty((len(users), length), dtype=np.int64)
    select_top(scores, seen.indptr, seen.columns, users, items, tops, n_listed, is_finite)
    find_hits(items, n_listed, users, relevant.indptr, relevant.columns, entries)
    return (entries >= 0).astype(np.float64)


def _predicted(factors: Factors, held_out: HeldOutEntries, bounds: Bounds) -> Float64Array:
    predicted = factors.predictions(held_out.users, held_out.items)
    return predicted if bounds is None else np.clip(predicted, *bounds)
