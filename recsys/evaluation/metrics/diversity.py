"""Intra-list diversity at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ListMetric, Need
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.list_items import mean_distances
from recsys.typing import Float64Array


def diversity(block: ListBlock, k: int) -> Float64Array:
    """Return the mean of ``1 - cosine`` over all pairs of items in the first k for each user.

    An item's vector is its categories, where there are any, else its factors: those given, or the
    leading singular vectors of the training pattern, so that all models are judged alike (see
    `Catalogue.vectors`). Items without a vector are left out; not defined with fewer than two
    others. Parameters as in `precision`. Source: Ziegler, McNee, Konstan & Lausen (2005),
    section 3.3, as a distance and not a similarity.
    """
    vectors = block.catalogue.vectors
    means = np.empty(len(block))
    mean_distances(
        block.items,
        block.n_listed,
        block.counted(k),
        vectors.indptr,
        vectors.columns,
        vectors.values,
        vectors.n_columns,
        means,
    )
    return means


register_metric(
    ListMetric(
        name="diversity",
        function=diversity,
        definition="how far listed items are apart, 0 to 1",
        needs=frozenset({Need.HISTORY}),
        uses_categories=True,
    )
)
