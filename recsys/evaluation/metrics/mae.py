"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ErrorMetric
from recsys.evaluation.registry import register_metric
from recsys.typing import Float32Array, Float64Array


def absolute_errors(predicted: Float32Array, actual: Float32Array) -> Float64Array:
    """Return ``|predicted - actual|`` of each held-out entry; MAE is their mean over entries.

    Parameters as in `squared_errors`.
    """
    return np.abs(predicted.astype(np.float64) - actual)


register_metric(
    ErrorMetric(
        name="mae",
        function=absolute_errors,
        definition="mean absolute error of predicted values",
    )
)
