"""Rank-biased precision at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array

PERSISTENCE = 0.8


def rank_biased_precision(block: ListBlock, k: int) -> Float64Array:
    """Return ``(1 - p) sum_i p^(i - 1) hit_i`` over the first k for each user, with p = 0.8.

    p is the chance that a user who has looked at a position looks at the next one. An empty list has 0.
    Parameters as in `precision`. Source: Moffat & Zobel (2008), equation 4.
    """
    n = block.counted(k)
    weights = (1 - PERSISTENCE) * PERSISTENCE ** np.arange(n)
    return np.where(block.hits[:, :n], weights, 0.0).sum(axis=1)


register_metric(
    ListMetric(
        name="rbp",
        function=rank_biased_precision,
        definition="hits weighed by the chance that a user looks that far down the list",
    )
)
