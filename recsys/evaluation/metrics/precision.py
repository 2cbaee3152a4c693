"""Precision at k."""

from __future__ import annotations

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.typing import Float64Array


def precision(block: ListBlock, k: int) -> Float64Array:
    """Return ``hits in the first k / k`` for each user.

    The denominator is k for everyone, also for a list shorter than k; an empty list has 0.

    Parameters
    ----------
    block : ListBlock
        Lists of n_block users, each with one held-out item or more. Ties were settled when the
        lists were made: the lower item number stands first.
    k : int

    Returns
    -------
    float64, (n_block,)
        NaN where a metric is not defined for a user; precision always is.

    Notes
    -----
    Source: Manning, Raghavan & Schuetze (2008), section 8.4.
    """
    return block.n_hits(k) / k


register_metric(
    ListMetric(
        name="precision",
        function=precision,
        definition="hits among the first k, divided by k",
    )
)
