"""Calibration at k: whether a list keeps the user's mix of categories."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_categories import divergences
from recsys.typing import Float64Array

SMOOTHING = 0.01


def calibration(block: ListBlock, k: int) -> Float64Array:
    """Return Steck's divergence of the categories in the first k from those of the history.

    ``sum_g p(g) ln(p(g) / q'(g))`` with ``q' = (1 - a) q + a p`` and a = 0.01, p over the user's
    training items and q over the first k, all places alike; an item shares its weight evenly among
    its categories, and items without one are left out. 0: the same mix; less is better. Not defined
    where the history or the list has no item with a category. Parameters as in `precision`.
    Source: Steck (2018), sections 3 and 3.1.
    """
    assert block.seen is not None
    categories = block.catalogue.categories
    assert categories is not None
    results = np.empty(len(block))
    divergences(
        block.items,
        block.n_listed,
        block.counted(k),
        block.users,
        block.seen.indptr,
        block.seen.columns,
        categories.indptr,
        categories.columns,
        len(categories.names),
        SMOOTHING,
        results,
    )
    return results


register_metric(
    ListMetric(
        name="calibration",
        function=calibration,
        definition="how far the mix of categories is from that of the history",
        higher_is_better=False,
        needs=frozenset({Need.HISTORY, Need.CATEGORIES}),
    )
)
