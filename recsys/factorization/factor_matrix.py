"""The factors of one side: one interface, whether all of them are stored or only those that are not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

from recsys.typing import Float32Array, Float64Array, Int64Array

if TYPE_CHECKING:
    from recsys.factorization.sparse_factors import SparseFactors


class FactorMatrix(Protocol):
    """Factors of users or of items, (n_rows, n_components).

    Operations return new matrices of the same kind.
    """

    def __len__(self) -> int: ...

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and components."""

    @property
    def n_stored(self) -> int:
        """How many numbers are stored."""

    @property
    def nnz(self) -> int:
        """How many factors are not zero."""

    is_sparse: ClassVar[bool]
    """Whether only the factors that are not zero are stored."""

    def dense(self) -> Float32Array:
        """Return all factors, (n_rows, n_components)."""

    def sparse(self) -> SparseFactors:
        """Return the factors that are not zero."""

    def dense_rows(self, rows: Int64Array) -> Float32Array:
        """Return all factors of some rows as an array of its own, (n, n_components)."""

    def select(self, rows: Int64Array) -> Self:
        """Return some rows in the order given."""

    def replace_rows(self, rows: Int64Array, factors: Float32Array) -> Self:
        """Return the factors with other values in some rows, (n, n_components), without repeats."""

    def append(self, factors: Float32Array) -> Self:
        """Return the factors with new rows, (n, n_components), after those there are."""

    def times(self, by: Float32Array) -> Self:
        """Return the factors times a number for each row, (n_rows,)."""

    def divided(self, by: Float32Array) -> Self:
        """Return the factors divided by a number for each row, (n_rows,)."""

    def in_order(self, order: Int64Array) -> Self:
        """Return the factors with component ``order[f]`` as component f."""

    def component(self, number: int) -> Float32Array:
        """Return each row's factor in one component, (n_rows,)."""

    def row_counts(self, rows: Int64Array | None = None) -> Int64Array:
        """Return how many factors of each row are not zero, (n_rows,)."""

    def row_squares(self) -> Float64Array:
        """Return the squared norm of each row, (n_rows,)."""

    def total(self) -> float:
        """Return the sum of the sizes of all factors."""

    def mean_row(self) -> Float64Array:
        """Return the mean of all rows, (n_components,)."""

    def largest(self) -> Float32Array:
        """Return the largest size of a factor in each component, (n_components,)."""
