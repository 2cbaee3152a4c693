"""What holds of any pair of factors, whoever fitted them."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.typing import Float32Array, Float64Array, Int64Array

UNBOUNDED = -np.inf
"""The least value of a factor that may have any sign."""


def nonzero_share(*sides: Float32Array) -> float:
    """Return the share of entries that are not zero."""
    size = sum(side.size for side in sides)
    return sum(int(np.count_nonzero(side)) for side in sides) / size if size else 0.0


def explained_shares(
    pattern: CompressedRows, user_factors: Float32Array, item_factors: Float32Array
) -> Float64Array:
    """Return each theme's share of the products summed over the observed entries.

    Parameters
    ----------
    pattern : CompressedRows, (n_users, n_items)
    user_factors, item_factors : float32, (n_users, rank), (n_items, rank)

    Returns
    -------
    float64, shape (rank,)
        Sums to 1 (all zeros if nothing is explained).
    """
    rank = user_factors.shape[1]
    totals = np.zeros(rank)
    ones = pattern.with_values(np.ones(pattern.nnz, dtype=np.float32)).to_scipy()
    for f in range(rank):
        met = ones @ np.abs(item_factors[:, f].astype(np.float64))
        totals[f] = np.dot(np.abs(user_factors[:, f].astype(np.float64)), met)
    return totals / totals.sum() if totals.sum() > 0 else totals


def order_by_share(shares: Float64Array) -> Int64Array:
    """Return theme numbers, the largest share first, ties by number."""
    return np.argsort(-shares, kind="stable")
