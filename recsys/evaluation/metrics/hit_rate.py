"""Hit rate at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array


def hit_rate(block: ListBlock, k: int) -> Float64Array:
    """Return 1 for each user with a hit in the first k, else 0.

    Parameters as in `precision`; source: Deshpande & Karypis (2004), section 6.1.
    """
    return np.asarray(block.n_hits(k) > 0, dtype=np.float64)


register_metric(
    ListMetric(
        name="hit-rate",
        function=hit_rate,
        definition="share of users with at least one hit",
    )
)
