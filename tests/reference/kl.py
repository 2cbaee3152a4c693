"""Naive twin of `recsys.kernels.kl`: absent cells are NaN, every prediction is computed anew."""

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


def step(w, mass, t, press, ridge):
    """Return the coordinate after the bounded Newton step that the kernel's docstring derives.

    ``press`` is what presses the coordinate down at w = 0: A + l1.
    """
    B, S = (mass * t).sum(), (mass * t**2).sum()
    pressure = press + ridge * w
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


def sweep_kl(matrix, weights, own, other, *, all_cells=False, ridge, l1, floor, n_inner):
    """Return the improved factors of the rows, and the objective of each row.

    With ``all_cells`` an absent cell is a count of zero, visited like any other.
    """
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
                A = sum(H[i, f] for i in range(len(H))) if all_cells else (c * h[:, f]).sum()
                W[u, f] = step(W[u, f], c * x, h[:, f] / (floor + h @ W[u]), A + l1, ridge[u])
        for i in range(len(H)):
            product = W[u] @ H[i]
            if all_cells:
                objective[u] += product
                if observed[i]:
                    value = matrix[u, i]
                    objective[u] += value * np.log(value / (floor + product)) - value
            elif observed[i]:
                objective[u] += weights[u, i] * divergence(matrix[u, i], floor + product)
        objective[u] += 0.5 * ridge[u] * sum(W[u] ** 2) + l1 * sum(W[u])
    return W, objective
