"""Gibbs sampling of what a row's prior is centred on: a level, and who stands in the row at all.

Legend: on one side, component ``f`` has the prior means ``m_r = level + s_r sum_{c in row r} y_c`` with one
weight ``y_c`` of any sign for each column; ``s_r`` shrinks as the row grows. Given the latent numbers
``g_r ~ Normal(m_r, 1 / lambda)`` this is a Bayesian linear regression, and components know nothing of each
other.

Sources: Koren (2008), "Factorization meets the neighborhood", SVD++, for the signal and its scale;
Simm et al. (2017), "Macau", for the regression inside the prior.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import gathered_total
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""


@kernel(fastmath={"contract"})
def sweep_prior_means(
    indptr: Int64Array,
    rows: Int32Array,
    scale: Float64Array,
    squares: Float64Array,
    latent: Float32Array,
    precisions: Float64Array,
    weight_precisions: Float64Array,
    normals: Float64Array,
    levels: Float64Array,
    weights: Float64Array,
    prior_means: Float64Array,
) -> None:
    """Draw the level and the weights of every component of one side, one after the other.

    Parameters
    ----------
    indptr, rows : (n_columns + 1,), (nnz,)
        The observed entries by column.
    scale : (n_rows,)
        Above 0.
    squares : (n_columns,)
        Sum of the squared scales of the column's rows.
    latent : (n_rows, rank)
    precisions, weight_precisions : (rank,)
        Of the latent numbers around their means, and of the weights around 0.
    normals : (rank, n_columns + 1)
        Independent standard normal numbers: the chance in the draws, the level's last.
    levels : (rank,)
        The last draws; replaced. Their prior is the standard normal.
    weights : (rank, n_columns)
        The last draws; replaced. A column without entries is drawn from the prior.
    prior_means : (rank, n_rows)
        Follows levels and weights.
    """
    n_rows, rank = latent.shape
    n_columns = len(squares)
    for f in prange(rank):
        rest = np.empty(n_rows)
        total = 0.0
        for row in range(n_rows):
            rest[row] = latent[row, f] - prior_means[f, row]
            total += rest[row]
        precision = precisions[f] * n_rows + 1.0
        centre = precisions[f] * (total + n_rows * levels[f]) / precision
        drawn = centre + normals[f, n_columns] / np.sqrt(precision)
        delta = drawn - levels[f]
        levels[f] = drawn
        for row in range(n_rows):  # from here on each row's rest times its scale, as columns need it
            rest[row] = (rest[row] - delta) * scale[row]

        for column in range(n_columns):
            begin, end = indptr[column], indptr[column + 1]
            total = gathered_total(rest, rows[begin:end])
            precision = precisions[f] * squares[column] + weight_precisions[f]
            centre = precisions[f] * (total + squares[column] * weights[f, column]) / precision
            drawn = centre + normals[f, column] / np.sqrt(precision)
            delta = drawn - weights[f, column]
            weights[f, column] = drawn
            for j in range(begin, end):
                rest[rows[j]] -= delta * scale[rows[j]] * scale[rows[j]]

        for row in range(n_rows):
            prior_means[f, row] = latent[row, f] - rest[row] / scale[row]
