"""Naive twin of `recsys.kernels.poisson`: every cell of the matrix is visited."""

import numpy as np


def root_near_zero(square, linear, constant):
    """Return the root of ``square d^2 + linear d + constant`` that is nearest to zero."""
    if square == 0:
        return -constant / linear
    roots = np.roots([square, linear, constant]).real
    return roots[np.argmin(abs(roots))]


def step(w, push, x, t, ridge):
    """Return the coordinate after the bounded step; ``push`` is what presses it down at w = 0."""
    B, S = (x * t).sum(), (x * t**2).sum()
    slope = push + ridge * w - B
    if slope < 0:
        # (push + ridge (w + d)) (1 + k d) = B
        k = S / B
        return w + root_near_zero(ridge * k, (push + ridge * w) * k + ridge, slope)
    if slope > 0 and w > 0:
        T = min(1 / w, np.sqrt(S / x.min()))
        if ridge * T == 0 and slope * T + ridge + S == 0:
            return 0.0
        # (slope + ridge d) (1 + T d) + S d = 0
        return max(0.0, w + root_near_zero(ridge * T, slope * T + ridge + S, slope))
    return w


def sweep_poisson(matrix, own, other, *, ridge, l1, floor, n_inner):
    """Return the improved factors of the rows and the objective of each row.

    ``matrix`` is dense with NaN for absent cells, which count as zeros.
    """
    W, H = np.array(own, dtype=float), np.array(other, dtype=float)
    objective = np.zeros(len(W))
    for u in range(len(W)):
        observed = ~np.isnan(matrix[u])
        if not observed.any():
            W[u] = 0
            continue
        x, h = matrix[u, observed], H[observed]
        for _ in range(n_inner):
            for f in range(W.shape[1]):
                push = sum(H[i, f] for i in range(len(H))) + l1
                W[u, f] = step(W[u, f], push, x, h[:, f] / (floor + h @ W[u]), ridge[u])
        for i in range(len(H)):
            product = W[u] @ H[i]
            objective[u] += product
            if observed[i]:
                value = matrix[u, i]
                objective[u] += value * np.log(value / (floor + product)) - value
        objective[u] += 0.5 * ridge[u] * sum(W[u] ** 2) + l1 * sum(W[u])
    return W, objective
