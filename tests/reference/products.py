"""Naive twin of `recsys.kernels.products`: absent cells are NaN."""

import numpy as np


def multiply_residuals(matrix, scale, mean, own_bias, other_bias, other):
    """Return the sum of residual times factors over the observed cells of each row."""
    out = np.zeros((len(matrix), other.shape[1]))
    for u in range(matrix.shape[0]):
        for i in range(matrix.shape[1]):
            if not np.isnan(matrix[u, i]):
                out[u] += (scale * matrix[u, i] - mean - own_bias[u] - other_bias[i]) * other[i]
    return out
