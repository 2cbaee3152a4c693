"""Naive twin of `recsys.kernels.weighted`: every cell of the matrix is visited."""

import numpy as np


def sweep_weighted(
    confidence,
    row_target,
    column_target,
    own,
    other,
    column_importance,
    *,
    absent,
    ridge,
    l1,
    lower,
    n_inner,
):
    """Return the improved factors of the rows and the objective of each row.

    ``confidence`` is dense with NaN for absent cells; an observed cell also counts as one of all
    cells, whose weight is ``absent[row] * column_importance[column]`` and whose target is 0.
    """
    W, H = np.array(own, dtype=float), np.array(other, dtype=float)
    objective = np.zeros(len(W))
    for u in range(len(W)):
        observed = [i for i in range(len(H)) if not np.isnan(confidence[u, i])]
        if not observed:
            W[u] = 0
            continue
        pulls = [(confidence[u, i], row_target[u] * column_target[i], H[i]) for i in observed]
        pulls += [(absent[u] * column_importance[i], 0.0, H[i]) for i in range(len(H))]
        for _ in range(n_inner):
            for f in range(W.shape[1]):
                curvature = sum(weight * h[f] ** 2 for weight, _, h in pulls) + ridge[u]
                if curvature == 0:
                    continue
                W[u, f] = 0
                slope = sum(weight * (target - W[u] @ h) * h[f] for weight, target, h in pulls)
                W[u, f] = max(lower, (slope - l1) / curvature)
        loss = sum(weight * (target - W[u] @ h) ** 2 for weight, target, h in pulls)
        objective[u] = 0.5 * (loss + ridge[u] * sum(W[u] ** 2)) + l1 * sum(abs(W[u]))
    return W, objective
