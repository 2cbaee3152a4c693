"""Recall at k."""

from __future__ import annotations

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array


def recall(block: ListBlock, k: int) -> Float64Array:
    """Return ``hits in the first k / held-out items`` for each user.

    The denominator is the number of held-out items even where it exceeds k, and counts those
    that training does not know. An empty list has 0. Parameters as in `precision`; source as there.
    """
    return block.n_hits(k) / block.n_held_out


register_metric(
    ListMetric(
        name="recall",
        function=recall,
        definition="hits divided by the user's held-out items",
    )
)
