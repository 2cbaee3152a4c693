"""Naive twin of `recsys.kernels.masked_kl`: absent cells are NaN, every prediction is computed anew."""

import numpy as np


def divergence(x, q):
    """Return ``x log(x / q) - x + q``, with ``0 log 0 = 0``."""
    return (x * np.log(x / q) if x > 0 else 0.0) - x + q


def root_near_zero(square, linear, constant):
    """Return the root of ``square d^2 + linear d + constant`` that is nearest to zero."""
    if square == 0:
        return -constant / linear
    roots = np.roots([square, linear, constant]).real
    return roots[np.argmin(abs(roots))]


def step(w, h, x, c, q, ridge, l1):
    """Return the coordinate after the bounded Newton step that the kernel's docstring derives."""
    mass, t = c * x, h / q
    B, S = (mass * t).sum(), (mass * t**2).sum()
    pressure = (c * h).sum() + l1 + ridge * w
    slope = pressure - B
    if slope < 0:
        # (pressure + ridge d) (1 + k d) = B
        k = S / B
        return w + root_near_zero(ridge * k, pressure * k + ridge, slope)
    if slope > 0 and w > 0:
        T = min(1 / w, np.sqrt(S / mass[mass > 0].min(initial=np.inf)))
        if ridge * T == 0 and slope * T + ridge + S == 0:
            return 0.0
        # (slope + ridge d) (1 + T d) + S d = 0
        return max(0.0, w + root_near_zero(ridge * T, slope * T + ridge + S, slope))
    return w


def sweep_masked_kl(matrix, weights, own, other, *, ridge, l1, floor, n_inner):
    """Return the improved factors of the rows, and the objective of each row."""
    W, H = np.array(own, dtype=float), np.array(other, dtype=float)
    objective = np.zeros(len(W))
    for u in range(len(W)):
        observed = ~np.isnan(matrix[u])
        if not observed.any():
            W[u] = 0
            continue
        x, c, h = matrix[u, observed], weights[u, observed], H[observed]
        for _ in range(n_inner):
            for f in range(W.shape[1]):
                W[u, f] = step(W[u, f], h[:, f], x, c, floor + h @ W[u], ridge[u], l1)
        q = floor + h @ W[u]
        objective[u] = sum(c[j] * divergence(x[j], q[j]) for j in range(len(x)))
        objective[u] += 0.5 * ridge[u] * sum(W[u] ** 2) + l1 * sum(W[u])
    return W, objective
