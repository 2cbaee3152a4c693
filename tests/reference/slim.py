"""Naive twins of `recsys.kernels.slim`, in double precision on dense matrices."""

import numpy as np


def candidates(matrix, target, n_candidates, most_items):
    """Return the items of largest cosine to the target, ascending; equals fall to the lower number.

    Users of more than ``most_items`` items add nothing to products, but to lengths.
    """
    naming = [row for row in matrix if sum(value > 0 for value in row) <= most_items]
    cosines = []
    for item in range(matrix.shape[1]):
        product = sum(float(row[item]) * float(row[target]) for row in naming)
        if item != target and product > 0:
            length = np.sqrt(sum(float(row[item]) ** 2 for row in matrix))
            cosines.append((-product / length, item))
    return sorted(item for _, item in sorted(cosines)[:n_candidates])


def fit_neighbors(matrix, head, target, n_candidates, l1, l2, n_sweeps, most_items=1000):
    """Return the candidates, those of the head first, and their weights after sweeps in residual form."""
    chosen = candidates(matrix, target, n_candidates, most_items)
    chosen = [item for item in chosen if item in head] + [item for item in chosen if item not in head]
    residual = np.array([float(row[target]) for row in matrix])
    weights = np.zeros(len(chosen))
    for _ in range(n_sweeps):
        for k, item in enumerate(chosen):
            column = np.array([float(row[item]) for row in matrix])
            residual += weights[k] * column
            weights[k] = max(0.0, (sum(residual * column) - l1) / (sum(column * column) + l2))
            residual -= weights[k] * column
    return chosen, weights
