"""F1 at k."""

from __future__ import annotations

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array


def f1(block: ListBlock, k: int) -> Float64Array:
    """Return the harmonic mean of precision and recall at k for each user.

    That is ``2 x hits / (k + held-out items)``, 0 without a hit. Taken user by user and then
    averaged, which is not the harmonic mean of the two averages. Parameters as in `precision`;
    source: van Rijsbergen (1979), chapter 7.
    """
    return 2.0 * block.n_hits(k) / (k + block.n_held_out)


register_metric(
    ListMetric(
        name="f1",
        function=f1,
        definition="harmonic mean of precision and recall",
    )
)
