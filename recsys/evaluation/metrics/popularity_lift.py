"""Popularity lift at k: whether lists are more popular than what the user took."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_items import mean_of_items
from recsys.typing import Float64Array


def popularity_lift(block: ListBlock, k: int) -> Float64Array:
    """Return ``mean popularity of the first k / mean popularity of the history - 1`` for each user.

    Popularity is the share of training users who have the item. 0: as popular as what the user
    took before; 0.5: half as popular again. Neither direction is better as such. Not defined for an
    empty list or an empty history. Parameters as in `precision`. Source: Abdollahpouri, Mansoury,
    Burke & Mobasher (2020), section 4.2, taken user by user.
    """
    popularity = block.catalogue.popularity
    listed = np.empty(len(block))
    mean_of_items(block.items, block.n_listed, block.counted(k), popularity, listed)
    history = block.history_popularity
    lift: Float64Array = np.divide(listed, history, out=np.full(len(block), np.nan), where=history > 0)
    return lift - 1.0


register_metric(
    ListMetric(
        name="popularity-lift",
        function=popularity_lift,
        definition="how much more popular lists are than the user's own history",
        higher_is_better=None,
        needs=frozenset({Need.HISTORY}),
    )
)
