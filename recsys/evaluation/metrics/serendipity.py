"""Serendipity at k: hits that popularity would not have found."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_items import count_unexpected_hits
from recsys.typing import Float64Array


def serendipity(block: ListBlock, k: int) -> Float64Array:
    """Return ``unexpected hits in the first k / k`` for each user.

    A hit is unexpected if it is not among the k most popular items that the user has not seen,
    i.e. not in the list that `popularity` would give, ties falling to the lower item number there
    as well. An empty list has 0. Parameters as in `precision`. Source: Ge, Delgado-Battenfeld &
    Jannach (2010), section 3.2, with popularity as the primitive model.
    """
    assert block.seen is not None
    counts = np.empty(len(block), dtype=np.int64)
    count_unexpected_hits(
        block.items,
        block.hits,
        block.counted(k),
        k,
        block.users,
        block.seen.indptr,
        block.seen.columns,
        block.catalogue.popularity_rank,
        counts,
    )
    return counts / k


register_metric(
    ListMetric(
        name="serendipity",
        function=serendipity,
        definition="hits that the popularity list would not have had, divided by k",
        needs=frozenset({Need.HISTORY}),
    )
)
