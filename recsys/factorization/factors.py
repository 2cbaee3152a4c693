"""A pair of sides: what is learned of users and of items, whoever fitted it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import row_blocks
from recsys.factorization.factor_matrix import FactorMatrix
from recsys.factorization.sparse_factors import SparseFactors, explained_sums
from recsys.kernels.products import multiply_residuals
from recsys.kernels.scoring import score_pairs
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

# A factor stored sparse takes 6 bytes, a dense one 4: this is well below where both take as much.
_LARGEST_SPARSE = 0.3


@dataclass(frozen=True, eq=False)
class DenseFactors:
    """All factors of one side; see `FactorMatrix`.

    Attributes
    ----------
    values : float32, (n_rows, n_components)
    """

    values: Float32Array

    is_sparse: ClassVar[bool] = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and components."""
        return self.values.shape[0], self.values.shape[1]

    @property
    def n_stored(self) -> int:
        """How many numbers are stored."""
        return self.values.size

    @property
    def nnz(self) -> int:
        """How many factors are not zero."""
        return int(np.count_nonzero(self.values))

    def dense(self) -> Float32Array:
        """Return the factors themselves, (n_rows, n_components)."""
        return self.values

    def sparse(self) -> SparseFactors:
        """Return the factors that are not zero."""
        return SparseFactors.of(self.values)

    def dense_rows(self, rows: Int64Array) -> Float32Array:
        """Return copies of some rows, (n, n_components)."""
        return self.values[rows]

    def select(self, rows: Int64Array) -> DenseFactors:
        """Return some rows in the order given."""
        return DenseFactors(self.values[rows])

    def replace_rows(self, rows: Int64Array, factors: Float32Array) -> DenseFactors:
        """Return the factors with other values in some rows, (n, n_components), without repeats."""
        values = self.values.copy()
        values[rows] = factors
        return DenseFactors(values)

    def append(self, factors: Float32Array) -> DenseFactors:
        """Return the factors with new rows, (n, n_components), after those there are."""
        return DenseFactors(np.concatenate([self.values, factors]))

    def times(self, by: Float32Array) -> DenseFactors:
        """Return the factors times a number for each row, (n_rows,)."""
        return DenseFactors(self.values * by[:, None])

    def divided(self, by: Float32Array) -> DenseFactors:
        """Return the factors divided by a number for each row, (n_rows,)."""
        return DenseFactors(self.values / by[:, None])

    def in_order(self, order: Int64Array) -> DenseFactors:
        """Return the factors with component ``order[f]`` as component f."""
        return DenseFactors(np.ascontiguousarray(self.values[:, order]))

    def component(self, number: int) -> Float32Array:
        """Return each row's factor in one component, (n_rows,)."""
        column: Float32Array = self.values[:, number]
        return column

    def row_counts(self, rows: Int64Array | None = None) -> Int64Array:
        """Return how many factors of each row are not zero, (n_rows,), or of some rows, (n,)."""
        values = self.values if rows is None else self.values[rows]
        return np.asarray(np.count_nonzero(values, axis=1))

    def row_squares(self) -> Float64Array:
        """Return the squared norm of each row, (n_rows,)."""
        return np.asarray(np.einsum("rf,rf->r", self.values, self.values, dtype=np.float64))

    def total(self) -> float:
        """Return the sum of the sizes of all factors."""
        return float(np.sum(np.abs(self.values), dtype=np.float64))

    def mean_row(self) -> Float64Array:
        """Return the mean of all rows, (n_components,)."""
        return np.asarray(self.values.mean(axis=0, dtype=np.float64))

    def largest(self) -> Float32Array:
        """Return the largest size of a factor in each component, (n_components,)."""
        return np.asarray(np.maximum(self.values.max(axis=0), -self.values.min(axis=0)))


@dataclass(frozen=True, eq=False)
class SideFactors:
    """What is learned of one side.

    Attributes
    ----------
    factors : FactorMatrix, (n_rows, n_components)
    bias : float32, (n_rows,)
        Zeros where a model has none.
    """

    factors: FactorMatrix
    bias: Float32Array

    @classmethod
    def of(cls, factors: FactorMatrix | Float32Array, bias: Float32Array | None = None) -> SideFactors:
        """Return the side of factors, dense ones given as an array; without a bias it is zero.

        Arrays are kept as kernels read them: in single precision, row after row.
        """
        if isinstance(factors, np.ndarray):
            factors = DenseFactors(np.ascontiguousarray(factors, dtype=np.float32))
        if bias is None:
            return cls(factors, np.zeros(factors.shape[0], dtype=np.float32))
        return cls(factors, np.ascontiguousarray(bias, dtype=np.float32))

    def __len__(self) -> int:
        return len(self.factors)

    def copy(self) -> SideFactors:
        """Return the same with dense arrays of its own; sparse factors are never changed in place."""
        factors = self.factors if self.factors.is_sparse else DenseFactors(self.factors.dense().copy())
        return SideFactors(factors, self.bias.copy())

    def as_dense(self) -> SideFactors:
        """Return the same with all factors stored."""
        return SideFactors(DenseFactors(self.factors.dense()), self.bias)

    def as_sparse(self) -> SideFactors:
        """Return the same with only the factors stored that are not zero."""
        return SideFactors(self.factors.sparse(), self.bias)

    def select(self, rows: Int64Array) -> SideFactors:
        """Return some rows in the order given."""
        return SideFactors(self.factors.select(rows), self.bias[rows])

    def replace_rows(self, rows: Int64Array, new: SideFactors) -> SideFactors:
        """Return the side with other factors and biases in some rows, without repeats."""
        bias = self.bias.copy()
        bias[rows] = new.bias
        return SideFactors(self.factors.replace_rows(rows, new.factors.dense()), bias)

    def append(self, new: SideFactors) -> SideFactors:
        """Return the side with new rows after those there are."""
        bias = np.concatenate([self.bias, new.bias])
        return SideFactors(self.factors.append(new.factors.dense()), bias)


@dataclass(frozen=True, eq=False)
class Factors:
    """What is learned: ``mean + b_u + a_i + w_u . h_i`` is the prediction.

    Attributes
    ----------
    mean : float
    users, items : SideFactors
    """

    mean: float
    users: SideFactors
    items: SideFactors

    @classmethod
    def unbiased(
        cls, user_factors: FactorMatrix | Float32Array, item_factors: FactorMatrix | Float32Array
    ) -> Factors:
        """Return factors whose mean and biases are zero."""
        return cls(0.0, SideFactors.of(user_factors), SideFactors.of(item_factors))

    @property
    def user_factors(self) -> Float32Array:
        """All factors of the users, (n_users, n_components)."""
        return self.users.factors.dense()

    @property
    def item_factors(self) -> Float32Array:
        """All factors of the items, (n_items, n_components)."""
        return self.items.factors.dense()

    @property
    def user_bias(self) -> Float32Array:
        """Biases of the users, (n_users,)."""
        return self.users.bias

    @property
    def item_bias(self) -> Float32Array:
        """Biases of the items, (n_items,)."""
        return self.items.bias

    @property
    def rank(self) -> int:
        """Number of components."""
        return self.users.factors.shape[1]

    @property
    def transposed(self) -> Factors:
        """The same with the two sides exchanged."""
        return Factors(self.mean, self.items, self.users)

    @property
    def nonzero_share(self) -> float:
        """Share of the factors that are not zero."""
        return nonzero_share(self.users.factors, self.items.factors)

    @property
    def empty_components(self) -> BoolArray:
        """Which components are zero on both sides, (n_components,): no sweep can change them."""
        return np.asarray((self.users.factors.largest() == 0) & (self.items.factors.largest() == 0))

    def in_order(self, order: Int64Array) -> Factors:
        """Return the same with component ``order[f]`` as component f."""
        users, items = (
            SideFactors(side.factors.in_order(order), side.bias) for side in (self.users, self.items)
        )
        return replace(self, users=users, items=items)

    def by_share(self, pattern: CompressedRows) -> tuple[Factors, Float64Array, Int64Array]:
        """Return the same with the components that explain most first, ties by number.

        Parameters
        ----------
        pattern : CompressedRows, (n_users, n_items)

        Returns
        -------
        factors : Factors
        shares : float64, (n_components,)
            See `explained_shares`; in the new order.
        order : int64, (n_components,)
            What was component ``order[f]`` is component f now.
        """
        shares = explained_shares(pattern, self.users.factors, self.items.factors)
        order = np.argsort(-shares, kind="stable")
        return self.in_order(order), shares[order], order

    def without_bias(self) -> Factors:
        """Return the same with mean and biases of zero."""
        return Factors.unbiased(self.users.factors, self.items.factors)

    def as_stored(self) -> Factors:
        """Return the same as it takes less room: sparse factors with their zeros where few are zero."""
        if not self.users.factors.is_sparse or self.nonzero_share <= _LARGEST_SPARSE:
            return self
        return replace(self, users=self.users.as_dense(), items=self.items.as_dense())

    def restarted(self, components: BoolArray, start: Factors) -> Factors:
        """Return dense factors with some components, (n_components,), those of a start."""
        users, items = (
            SideFactors.of(np.where(components, fresh.factors.dense(), side.factors.dense()), side.bias)
            for side, fresh in ((self.users, start.users), (self.items, start.items))
        )
        return replace(self, users=users, items=items)

    def predictions(self, users: AnyArray, items: AnyArray) -> Float64Array:
        """Return ``mean + b_u + a_i + w_u . h_i`` of pairs of row numbers, (n_pairs,)."""
        scores = np.empty(len(users), dtype=np.float32)
        score_pairs(
            np.asarray(users, dtype=np.int64),
            np.asarray(items, dtype=np.int64),
            self.user_factors,
            self.item_factors,
            self.user_bias,
            self.item_bias,
            scores,
        )
        return scores.astype(np.float64) + self.mean


def nonzero_share(*sides: FactorMatrix) -> float:
    """Return the share of factors that are not zero."""
    size = sum(side.shape[0] * side.shape[1] for side in sides)
    return sum(side.nnz for side in sides) / size if size else 0.0


def explained_shares(pattern: CompressedRows, users: FactorMatrix, items: FactorMatrix) -> Float64Array:
    """Return each component's share of the products summed over the observed entries.

    Parameters
    ----------
    pattern : CompressedRows, (n_users, n_items)
    users, items : FactorMatrix, (n_users, n_components), (n_items, n_components)

    Returns
    -------
    float64, (n_components,)
        Sums to 1 (all zeros if nothing is explained).
    """
    if isinstance(users, SparseFactors) and isinstance(items, SparseFactors):
        totals = explained_sums(pattern, users, items)
    else:
        user_sizes, item_sizes = np.abs(users.dense()), np.abs(items.dense())
        item_sums = np.empty_like(user_sizes)  # of each user: the sum of the factors of the items observed
        # With values times 0 and a mean of -1 each observed entry counts as 1.
        multiply_residuals(
            row_blocks(pattern.indptr),
            pattern.indptr,
            pattern.columns,
            pattern.values,
            np.float32(0),
            np.float32(-1),
            np.zeros(len(user_sizes), dtype=np.float32),
            np.zeros(len(item_sizes), dtype=np.float32),
            item_sizes,
            item_sums,
        )
        totals = np.einsum("uf,uf->f", user_sizes, item_sums, dtype=np.float64)
    return totals / totals.sum() if totals.sum() > 0 else totals
