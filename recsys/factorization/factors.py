"""What holds of any pair of factors, whoever fitted them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.sharing import row_blocks
from recsys.factorization.sides import Side, dense_side
from recsys.factorization.sparse_factors import SparseFactors, explained_sums
from recsys.kernels.products import multiply_residuals
from recsys.kernels.scoring import score_pairs
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array

# A factor stored sparse takes 6 bytes, a dense one 4: this is well below where both take as much.
_LARGEST_SPARSE = 0.3

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
    def sides(self) -> tuple[Side, Side]:
        """User and item factors."""
        return self.user_factors, self.item_factors

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.user_factors)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.item_factors)

    @property
    def rank(self) -> int:
        """Number of themes."""
        return int(self.user_factors.shape[1])

    @property
    def swapped(self) -> Factors:
        """The same arrays with items in the place of users."""
        return Factors(self.mean, self.item_factors, self.user_factors, self.item_bias, self.user_bias)

    def copied(self) -> Factors:
        """Return the same with arrays of its own."""
        sides = (self.user_factors, self.item_factors, self.user_bias, self.item_bias)
        return Factors(self.mean, *(side.copy() for side in sides))

    def users_at(self, rows: Int64Array) -> tuple[Float32Array, Float32Array]:
        """Return copies of the factors and biases of some users, (n, rank), (n,)."""
        return self.user_factors[rows], self.user_bias[rows]

    def put_users(self, rows: Int64Array, factors: Float32Array, bias: Float32Array) -> None:
        """Overwrite some users, in place."""
        self.user_factors[rows], self.user_bias[rows] = factors, bias

    def with_users(self, factors: Float32Array, bias: Float32Array) -> Factors:
        """Return the same with new users after those there are."""
        return replace(
            self,
            user_factors=np.concatenate([self.user_factors, factors]),
            user_bias=np.concatenate([self.user_bias, bias]),
        )

    def mean_user(self) -> Float64Array:
        """Return the factors of the mean user, (rank,)."""
        return np.asarray(self.user_factors.mean(axis=0, dtype=np.float64))

    def in_order(self, order: Int64Array) -> Factors:
        """Return the same with theme ``order[t]`` as theme t."""
        return replace(
            self, user_factors=self.user_factors[:, order], item_factors=self.item_factors[:, order]
        )


@dataclass(eq=False)
class SparsePair:
    """User and item factors by their non-zeros; mean and biases are zero. It answers as `Factors` does.

    Attributes
    ----------
    users, items : SparseFactors
    """

    users: SparseFactors
    items: SparseFactors

    @property
    def sides(self) -> tuple[Side, Side]:
        """User and item factors."""
        return self.users, self.items

    @property
    def n_users(self) -> int:
        """Number of users."""
        return len(self.users)

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.items)

    @property
    def rank(self) -> int:
        """Number of themes."""
        return self.users.rank

    @property
    def mean(self) -> float:
        """Zero."""
        return 0.0

    @property
    def user_bias(self) -> Float32Array:
        """Zeros, (n_users,)."""
        return np.zeros(self.n_users, dtype=np.float32)

    @property
    def item_bias(self) -> Float32Array:
        """Zeros, (n_items,)."""
        return np.zeros(self.n_items, dtype=np.float32)

    @property
    def nonzero_share(self) -> float:
        """The share of factors that are not zero."""
        return (self.users.nnz + self.items.nnz) / ((len(self.users) + len(self.items)) * self.users.rank)

    @property
    def dense(self) -> Factors:
        """The same with their zeros."""
        return Factors.unbiased(self.users.dense(), self.items.dense())

    @property
    def swapped(self) -> SparsePair:
        """The same with items in the place of users."""
        return SparsePair(self.items, self.users)

    def copied(self) -> SparsePair:
        """Return the same; what is put into it does not reach this."""
        return SparsePair(self.users, self.items)

    def users_at(self, rows: Int64Array) -> tuple[Float32Array, Float32Array]:
        """Return the factors and biases of some users, (n, rank), (n,)."""
        return self.users.select(rows).dense(), np.zeros(len(rows), dtype=np.float32)

    def put_users(self, rows: Int64Array, factors: Float32Array, bias: Float32Array) -> None:
        """Overwrite the factors of some users, in place; biases are zeros."""
        self.users = self.users.with_rows(rows, factors)

    def with_users(self, factors: Float32Array, bias: Float32Array) -> SparsePair:
        """Return the same with new users after those there are; biases are zeros."""
        return SparsePair(SparseFactors.joined([self.users, SparseFactors.of(factors)]), self.items)

    def mean_user(self) -> Float64Array:
        """Return the factors of the mean user, (rank,)."""
        return np.bincount(self.users.themes, self.users.values, minlength=self.rank) / len(self.users)

    def in_order(self, order: Int64Array) -> SparsePair:
        """Return the same with theme ``order[t]`` as theme t."""
        return SparsePair(self.users.in_order(order), self.items.in_order(order))


AnyFactors = Factors | SparsePair


def as_stored(at: AnyFactors) -> AnyFactors:
    """Return factors as they take less room: sparse ones with their zeros where few are zero."""
    return densely(at) if isinstance(at, SparsePair) and at.nonzero_share > _LARGEST_SPARSE else at


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


def explained_shares(pattern: CompressedRows, users: Side, items: Side) -> Float64Array:
    """Return each theme's share of the products summed over the observed entries.

    Parameters
    ----------
    pattern : CompressedRows, (n_users, n_items)
    users, items : float32, (n_users, rank), (n_items, rank), or both SparseFactors

    Returns
    -------
    float64, shape (rank,)
        Sums to 1 (all zeros if nothing is explained).
    """
    if isinstance(users, SparseFactors) and isinstance(items, SparseFactors):
        totals = explained_sums(pattern, users, items)
    else:
        totals = _explained_sums(pattern, dense_side(users), dense_side(items))
    return totals / totals.sum() if totals.sum() > 0 else totals


def _explained_sums(
    pattern: CompressedRows, user_factors: Float32Array, item_factors: Float32Array
) -> Float64Array:
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
    return np.asarray(np.einsum("uf,uf->f", users, met, dtype=np.float64))


def order_by_share(shares: Float64Array) -> Int64Array:
    """Return theme numbers, the largest share first, ties by number."""
    return np.argsort(-shares, kind="stable")
