"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from recsys.typing import Float32Array


def mae(predicted: Float32Array, actual: Float32Array) -> float:
    """Return ``mean(|predicted - actual|)`` over all held-out entries. Parameters as in `rmse`."""
    return float(np.mean(np.abs(predicted.astype(np.float64) - actual)))
