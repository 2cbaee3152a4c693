"""What choosing the best of many settings gains by chance alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.evaluation.metrics import higher_is_better
from recsys.evaluation.quantity import Quantity
from recsys.evaluation.uncertainty import resampled_sums
from recsys.typing import Float64Array


def selection_gain(quantities: Sequence[Quantity], metric: str, *, seed: int) -> float:
    """Return by how much the best of several settings looks better than it is.

    Users are drawn with replacement. The setting that is best on those drawn is better there than on all
    users by something: its luck with that draw. The mean of this over draws is what the winner's value on
    validation data is expected to hold of luck.

    Parameters
    ----------
    quantities : sequence of Quantity
        The metric of each setting, all of the same users in the same order.
    metric : str
    seed : int
        Of the draws.

    Returns
    -------
    float
        In units of the metric, 0 or more; 0 for one setting.

    Notes
    -----
    The optimism of Efron & Tibshirani (1993), "An Introduction to the Bootstrap", section 17.6, of the rule
    "take the best", as Tsamardinos, Greasidou & Borboudakis (2018), "Bootstrapping the out-of-sample
    predictions for efficient and accurate cross-validation", apply it to tuning. Users without a value in
    one setting are left out of all.
    """
    known = np.logical_and.reduce([quantity.known for quantity in quantities])
    if len(quantities) < 2 or not known.any():
        return 0.0
    sign = -1.0 if higher_is_better(metric) is False else 1.0
    totals = np.column_stack([quantity.totals[known] for quantity in quantities])
    sizes = quantities[0].sizes[known]
    value = quantities[0].value
    sums = resampled_sums(np.column_stack([totals, sizes]), seed=seed)
    drawn: Float64Array = sign * value(sums[:, :-1], sums[:, -1:])
    observed: Float64Array = sign * value(totals.sum(axis=0), sizes.sum())
    winners = drawn.argmax(axis=1)
    luck = drawn[np.arange(len(drawn)), winners] - observed[winners]
    return max(float(luck.mean()), 0.0)
