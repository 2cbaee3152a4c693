"""Normalised discounted cumulative gain at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_counts import sum_discounts
from recsys.typing import Float64Array


def discounts(n: int) -> Float64Array:
    """Return what a hit at each of the first n places counts: 1 / log2(place + 1), place from 1."""
    return np.asarray(1.0 / np.log2(np.arange(2, n + 2)), dtype=np.float64)


def ndcg(block: ListBlock, k: int) -> Float64Array:
    """Return ``DCG / ideal DCG`` with gains of 0 and 1 for each user.

    A hit at place p gains 1 / log2(p + 1); the ideal list has min(k, held-out) hits in front.
    An empty list has 0. Parameters as in `precision`. Source: Jaervelin & Kekaelaeinen (2002).
    """
    of_place = discounts(k)
    gains = np.empty(len(block))
    sum_discounts(block.hits, block.counted(k), of_place, gains)
    ideal: Float64Array = np.cumsum(of_place)[np.minimum(k, block.n_held_out) - 1]
    return gains / ideal


register_metric(
    ListMetric(
        name="ndcg",
        function=ndcg,
        definition="hits weighed by place, relative to the best possible list",
    )
)
