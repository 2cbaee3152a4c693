"""Naive twin of `recsys.kernels.history_scores`, in double precision on dense matrices."""

import numpy as np


def add_history_scores(histories, weights, scores):
    """Return scores plus histories times weights, one cell after the other."""
    result = np.array(scores, dtype=np.float64)
    for user in range(len(histories)):
        for past in range(histories.shape[1]):
            for item in range(weights.shape[1]):
                result[user, item] += float(histories[user, past]) * float(weights[past, item])
    return result
