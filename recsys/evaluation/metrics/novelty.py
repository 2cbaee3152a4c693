"""Novelty at k: how little known the listed items are."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_items import mean_of_items
from recsys.typing import Float64Array


def novelty(block: ListBlock, k: int) -> Float64Array:
    """Return the mean self-information of the items in the first k for each user, in bits.

    An item that n of the N users have in training has ``-log2(n / N)``; one that nobody has is
    taken as had by one user. The mean is over the places that are filled; not defined for an empty
    list. Parameters as in `precision`. Source: Zhou et al. (2010), equation 4.
    """
    means = np.empty(len(block))
    mean_of_items(block.items, block.n_listed, block.counted(k), block.catalogue.self_information, means)
    return means


register_metric(
    ListMetric(
        name="novelty",
        function=novelty,
        definition="how little known listed items are, in bits",
        needs=frozenset({Need.HISTORY}),
    )
)
