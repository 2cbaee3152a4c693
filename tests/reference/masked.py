"""Naive twin of the masked sweep: absent cells are NaN, every residual is computed anew."""

import numpy as np


def sweep_masked(
    matrix,
    mean,
    own,
    own_bias,
    other,
    other_bias,
    *,
    weights,
    scale,
    fit_bias,
    ridge,
    bias_ridge,
    l1,
    lower,
    n_inner,
):
    """Return the improved factors and biases of the rows, and the objective of each row."""
    W, H = np.array(own, dtype=float), np.array(other, dtype=float)
    b, a = np.array(own_bias, dtype=float), np.array(other_bias, dtype=float)
    x, c = scale * np.array(matrix, dtype=float), np.array(weights, dtype=float)
    objective = np.zeros(len(W))
    for u in range(len(W)):
        observed = [i for i in range(len(H)) if not np.isnan(x[u, i])]
        mass = sum(c[u, i] for i in observed)
        if mass == 0:
            W[u], b[u] = 0, 0
            continue
        for _ in range(n_inner):
            if fit_bias:
                rest = sum(c[u, i] * (x[u, i] - mean - a[i] - W[u] @ H[i]) for i in observed)
                b[u] = rest / (mass + bias_ridge[u])
            for f in range(W.shape[1]):
                curvature = sum(c[u, i] * H[i, f] ** 2 for i in observed) + ridge[u]
                if curvature == 0:
                    W[u, f] = 0 if l1 > 0 else W[u, f]
                    continue
                W[u, f] = 0
                slope = sum(
                    c[u, i] * (x[u, i] - mean - b[u] - a[i] - W[u] @ H[i]) * H[i, f] for i in observed
                )
                W[u, f] = max(lower, (slope - l1) / curvature)
        loss = sum(c[u, i] * (x[u, i] - mean - b[u] - a[i] - W[u] @ H[i]) ** 2 for i in observed)
        objective[u] = 0.5 * (loss + ridge[u] * sum(W[u] ** 2) + bias_ridge[u] * b[u] ** 2)
        objective[u] += l1 * sum(abs(W[u]))
    return W, b, objective
