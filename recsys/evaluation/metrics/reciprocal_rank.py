"""Reciprocal rank at k; its mean over users is MRR."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_counts import first_hits
from recsys.typing import Float64Array


def reciprocal_rank(block: ListBlock, k: int) -> Float64Array:
    """Return ``1 / place of the first hit`` within the first k for each user, 0 without a hit.

    Parameters as in `precision`; source: Voorhees (1999).
    """
    first = np.empty(len(block), dtype=np.int64)
    first_hits(block.hits, block.counted(k), first)
    return np.divide(1.0, first, out=np.zeros(len(block)), where=first > 0)


register_metric(
    ListMetric(
        name="mrr",
        function=reciprocal_rank,
        definition="one over the place of the first hit",
    )
)
