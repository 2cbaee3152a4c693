"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from recsys.typing import Float32Array


def rmse(predicted: Float32Array, actual: Float32Array) -> float:
    """Return ``sqrt(mean((predicted - actual)^2))`` over all held-out entries.

    The mean runs over entries, not over users, as published figures on ratings do.

    Parameters
    ----------
    predicted, actual : float32, (n_pairs,)
        In the units of the log.
    """
    return float(np.sqrt(np.mean((predicted.astype(np.float64) - actual) ** 2)))
