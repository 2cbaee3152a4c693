"""What holds of any pair of factors, whoever fitted them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.sharing import row_blocks
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.products import multiply_residuals
from recsys.kernels.scoring import score_pairs
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array

UNBOUNDED = -np.inf
"""The least value of a factor that may have any sign."""


@dataclass
class Factors:
    """What is learned.

    Attributes
    ----------
    mean : float
    user_factors, item_factors : float32, (n_users, rank), (n_items, rank)
    user_bias, item_bias : float32, (n_users,), (n_items,)
        Zeros where a model has none.
    """

    mean: float
    user_factors: Float32Array
    item_factors: Float32Array
    user_bias: Float32Array
    item_bias: Float32Array

    @classmethod
    def unbiased(cls, user_factors: Float32Array, item_factors: Float32Array) -> Factors:
        """Return factors whose mean and biases are zero."""
        biases = (np.zeros(len(side), dtype=np.float32) for side in (user_factors, item_factors))
        return cls(0.0, user_factors, item_factors, *biases)

    @property
    def swapped(self) -> Factors:
        """The same with items in the place of users."""
        return Factors(self.mean, self.item_factors, self.user_factors, self.item_bias, self.user_bias)


@dataclass(frozen=True, eq=False)
class SparsePair:
    """User and item factors; mean and biases are zero.

    Attributes
    ----------
    users, items : SparseFactors
    """

    users: SparseFactors
    items: SparseFactors

    @property
    def nonzero_share(self) -> float:
        """The share of factors that are not zero."""
        return (self.users.nnz + self.items.nnz) / ((len(self.users) + len(self.items)) * self.users.rank)

    @property
    def dense(self) -> Factors:
        """The same with their zeros."""
        return Factors.unbiased(self.users.dense(), self.items.dense())


AnyFactors = Factors | SparsePair


def densely(at: AnyFactors) -> Factors:
    """Return factors with their zeros."""
    return at.dense if isinstance(at, SparsePair) else at


def predictions(at: Factors, users: AnyArray, items: AnyArray) -> Float64Array:
    """Return ``mean + b_u + a_i + w_u . h_i`` of pairs of row numbers, (n_pairs,)."""
    scores = np.empty(len(users), dtype=np.float32)
    with threads.launch():
        score_pairs(
            np.asarray(users, dtype=np.int64),
            np.asarray(items, dtype=np.int64),
            at.user_factors,
            at.item_factors,
            at.user_bias,
            at.item_bias,
            scores,
        )
    return scores.astype(np.float64) + at.mean


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
    return shares_of(totals)


def shares_of(totals: Float64Array) -> Float64Array:
    """Return each theme's share of the sum of all; all zeros if nothing is explained."""
    return totals / totals.sum() if totals.sum() > 0 else totals


def order_by_share(shares: Float64Array) -> Int64Array:
    """Return theme numbers, the largest share first, ties by number."""
    return np.argsort(-shares, kind="stable")
