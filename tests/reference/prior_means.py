"""Naive twin of `recsys.kernels.prior_means`: a dense design matrix, residuals computed anew."""

import numpy as np


def sweep_prior_means(design, latent, precisions, weight_precisions, normals, levels, weights):
    """Return levels and weights drawn one after the other, and the prior means they make.

    ``design`` (n_rows, n_columns) holds the row's scale where an entry is observed, else 0.
    """
    levels, weights = np.array(levels, dtype=float), np.array(weights, dtype=float)
    n_rows, n_columns = design.shape
    for f in range(len(levels)):
        target = latent[:, f].astype(float)
        precision = precisions[f] * n_rows + 1
        centre = precisions[f] * np.sum(target - design @ weights[f]) / precision
        levels[f] = centre + normals[f, n_columns] / np.sqrt(precision)
        for column in range(n_columns):
            others = weights[f].copy()
            others[column] = 0
            rest = target - levels[f] - design @ others
            precision = precisions[f] * np.sum(design[:, column] ** 2) + weight_precisions[f]
            centre = precisions[f] * np.sum(design[:, column] * rest) / precision
            weights[f, column] = centre + normals[f, column] / np.sqrt(precision)
    return levels, weights, levels[:, None] + weights @ design.T
