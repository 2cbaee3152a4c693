"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ErrorMetric
from recsys.evaluation.registry import register_metric
from recsys.typing import Float32Array, Float64Array


def squared_errors(predicted: Float32Array, actual: Float32Array) -> Float64Array:
    """Return ``(predicted - actual)^2`` of each held-out entry; RMSE is the root of their mean.

    The mean runs over entries, not over users, as published figures on ratings do.

    Parameters
    ----------
    predicted, actual : float32, (n_pairs,)
        In the units of the log.

    Returns
    -------
    float64, (n_pairs,)
    """
    errors: Float64Array = (predicted.astype(np.float64) - actual) ** 2
    return errors


register_metric(
    ErrorMetric(
        name="rmse",
        function=squared_errors,
        of_mean=np.sqrt,
        definition="root of the mean squared error of predicted values",
    )
)
