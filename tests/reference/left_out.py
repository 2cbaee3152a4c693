"""Naive twin of `recsys.kernels.left_out`: a matrix and a vector of its own for each row, in plain loops."""

import numpy as np


def solve_without(quadratic, linear, own, weights, targets, is_absent, n_passes, factors):
    """Return factors after so many passes of coordinate descent."""
    W = np.array(factors, dtype=float)
    for row in range(len(W)):
        w, h = W[row], own[row]
        w[is_absent[row]] = 0
        A = quadratic - weights[row] * np.outer(h, h)
        b = linear - weights[row] * targets[row] * h
        for _ in range(n_passes):
            for f in range(len(w)):
                if not is_absent[row, f] and A[f, f] > 0:
                    rest = sum(A[f, g] * w[g] for g in range(len(w)) if g != f)
                    w[f] = max(0.0, (b[f] - rest) / A[f, f])
    return W
