"""Average precision at k; its mean over users is MAP."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_counts import sum_precisions
from recsys.typing import Float64Array


def average_precision(block: ListBlock, k: int) -> Float64Array:
    """Return the precisions at each hit in the first k, summed and divided by min(k, held-out).

    An empty list has 0. Parameters as in `precision`. Source: Manning, Raghavan & Schuetze
    (2008), section 8.4, with the cut at k; without the cut the denominators agree.
    """
    sums = np.empty(len(block))
    sum_precisions(block.hits, block.counted(k), sums)
    return sums / np.minimum(k, block.n_held_out)


register_metric(
    ListMetric(
        name="map",
        function=average_precision,
        definition="average precision, divided by k or by the held-out items, whichever is less",
    )
)
