"""Gini index of exposure at k."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import CatalogueMetric
from recsys.evaluation.registry import register_metric
from recsys.typing import Int64Array


def gini(exposure: Int64Array) -> float:
    """Return how unequally the places of all lists are shared out among the items.

    ``sum_j (2j - n - 1) x_j / (n sum_j x_j)`` with exposures x in rising order, j from 1 to n: 0 if
    all items are listed equally often, 1 - 1/n if one takes every place. Items that are never
    listed count. NaN if nothing is listed. Parameters as in `coverage`. Source: Shani &
    Gunawardana (2011), section 8.3.3.
    """
    n, total = len(exposure), int(exposure.sum())
    if total == 0:
        return float("nan")
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights @ np.sort(exposure)) / (n * total))


register_metric(
    CatalogueMetric(
        name="gini",
        function=gini,
        definition="how unequally places are shared out among items, 0 to 1",
        higher_is_better=False,
    )
)
