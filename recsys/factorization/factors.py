"""What holds of any pair of factors, whoever fitted them."""

from __future__ import annotations

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.sharing import row_blocks
from recsys.kernels.products import multiply_residuals
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
    users, items = (
        np.ascontiguousarray(np.abs(side), dtype=np.float32) for side in (user_factors, item_factors)
    )
    met = np.empty_like(users)  # of each user: the sum of the factors of the items observed
    with threads.launch():
        # With values times 0 and a mean of -1 each observed entry counts as 1.
        multiply_residuals(
            row_blocks(pattern.indptr),
            pattern.indptr,
            pattern.columns,
            pattern.values,
            np.float32(0),
            np.float32(-1),
            np.zeros(len(users), dtype=np.float32),
            np.zeros(len(items), dtype=np.float32),
            items,
            met,
        )
    totals: Float64Array = np.einsum("uf,uf->f", users, met, dtype=np.float64)
    return totals / totals.sum() if totals.sum() > 0 else totals


def order_by_share(shares: Float64Array) -> Int64Array:
    """Return theme numbers, the largest share first, ties by number."""
    return np.argsort(-shares, kind="stable")
