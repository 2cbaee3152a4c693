"""How far a pair of factors is from where no small step helps."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recsys.typing import Float32Array, Float64Array


def projected_squares(
    slopes: sparse.csr_array,
    own: Float32Array,
    other: Float32Array,
    ridge: Float64Array,
    l1: float,
    *,
    nonnegative: bool = True,
    pull: Float64Array | None = None,
) -> float:
    """Return the squared norm of one side's projected gradient.

    Where a factor is zero, only a slope that falls to the right counts (Lin 2007, "Projected
    gradient methods for nonnegative matrix factorization", section 2).

    Parameters
    ----------
    slopes : CSR array, (n_rows, n_columns)
        Slope of the loss by the prediction, for each observed entry.
    own, other : float32, (n_rows, rank), (n_columns, rank)
    ridge : float64, (n_rows,)
        Weight of half the squared norm of a row; 0 for rows without entries.
    l1 : float
        Weight of the sum of a row's factors.
    nonnegative : bool
    pull : float64, (n_rows, rank) or (rank,), optional
        What absent cells add to the gradient, of rows with entries.
    """
    gradient = slopes @ other.astype(np.float64) + ridge[:, None] * own
    if pull is not None:
        gradient += np.where((np.diff(slopes.indptr) > 0)[:, None], pull, 0.0)
    gradient[np.diff(slopes.indptr) > 0] += l1
    if nonnegative:
        gradient = np.where(own > 0, gradient, np.minimum(gradient, 0.0))
    return float(np.sum(gradient**2))
