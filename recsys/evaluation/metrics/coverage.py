"""Catalogue coverage at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import CatalogueMetric
from recsys.evaluation.registry import register_metric
from recsys.typing import Int64Array


def coverage(exposure: Int64Array) -> float:
    """Return the share of the catalogue that stands in the first k of some list.

    The denominator is the items of the training data, or, for given lists without any, all items
    that are listed or held out. Source: Herlocker, Konstan, Terveen & Riedl (2004), section 5.2.

    Parameters
    ----------
    exposure : int64, (n_items,)
        In how many users' first k each item stands.
    """
    return float(np.mean(exposure > 0))


register_metric(
    CatalogueMetric(
        name="coverage",
        function=coverage,
        definition="share of the catalogue in somebody's first k",
    )
)
