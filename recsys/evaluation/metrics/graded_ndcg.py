"""Normalised discounted cumulative gain at k, with gains from held-out values."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.metrics.ndcg import discounts
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_counts import sum_gains
from recsys.typing import Float64Array


def graded_ndcg(block: ListBlock, k: int) -> Float64Array:
    """Return ``DCG / ideal DCG`` for each user, a hit's gain being its held-out value.

    The gain is the value itself (a rating, an amount), or 0 where that is below 0; not 2^value - 1, which
    no amount would stand. A hit at place p adds gain / log2(p + 1); the ideal list has the user's
    min(k, held-out) largest values in falling order, those of items that training does not know among
    them. Not defined where none of a user's held-out values is above 0. Parameters as in `precision`.
    Source: Jaervelin & Kekaelaeinen (2002).
    """
    of_place = discounts(k)
    gains = np.empty(len(block))
    sum_gains(block.gains, block.counted(k), of_place, gains)
    best = block.ideal_gain(of_place)
    shares: Float64Array = np.divide(gains, best, out=np.full(len(block), np.nan), where=best > 0)
    return shares


register_metric(
    ListMetric(
        name="graded-ndcg",
        function=graded_ndcg,
        definition="as ndcg, a hit counting as much as its held-out value",
        needs=frozenset({Need.SORTED_VALUES}),
    )
)
