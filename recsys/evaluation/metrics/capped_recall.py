"""Recall at k, relative to what k places can hold."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array


def capped_recall(block: ListBlock, k: int) -> Float64Array:
    """Return ``hits in the first k / min(k, held-out items)`` for each user.

    1 can be reached by everyone, which `recall` does not allow to users with more than k held-out
    items. Some libraries call this recall, others precision. Parameters as in `precision`; source:
    Liang, Krishnan, Hoffman & Jebara (2018), section 4.2.
    """
    return block.n_hits(k) / np.minimum(k, block.n_held_out)


register_metric(
    ListMetric(
        name="capped-recall",
        function=capped_recall,
        definition="hits divided by k or by the held-out items, whichever is less",
    )
)
