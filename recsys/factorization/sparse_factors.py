"""Factors of which most are zero, stored by their non-zeros; see `recsys.factorization.factor_matrix`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import row_blocks
from recsys.kernels.sparse_products import mirror, sparse_gram, sum_products
from recsys.kernels.sparse_rows import (
    count_nonzeros,
    gather_nonzeros,
    spread_nonzeros,
)
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

LARGEST_RANK = 2**16
"""Components are numbered in 16 bits."""
_N_BANDS = 32  # shares of work of a Gram matrix: many more than threads


@dataclass(frozen=True, eq=False)
class SparseFactors:
    """Non-zero factors, row by row.

    Attributes
    ----------
    indptr : int64, (n_rows + 1,)
    components : uint16, (nnz,)
        Ascending inside a row.
    values : float32, (nnz,)
    rank : int
        At most 65,536.
    """

    indptr: Int64Array
    components: UInt16Array
    values: Float32Array
    rank: int

    is_sparse: ClassVar[bool] = True

    @classmethod
    def of(cls, dense: Float32Array) -> SparseFactors:
        """Take the non-zeros of dense factors, (n_rows, rank)."""
        indptr = np.zeros(len(dense) + 1, dtype=np.int64)
        count_nonzeros(dense, indptr[1:])
        np.cumsum(indptr, out=indptr)
        components, values = np.empty(indptr[-1], np.uint16), np.empty(indptr[-1], np.float32)
        gather_nonzeros(dense, indptr, components, values)
        return cls(indptr, components, values, dense.shape[1])

    @classmethod
    def concatenated(cls, parts: list[SparseFactors]) -> SparseFactors:
        """Return the rows of all parts, one part after another; at least one."""
        counts = [np.diff(part.indptr) for part in parts]
        return cls(
            np.r_[0, np.cumsum(np.concatenate(counts))],
            np.concatenate([part.components for part in parts]),
            np.concatenate([part.values for part in parts]),
            parts[0].rank,
        )

    def fault(self) -> str | None:
        """Return what is wrong with arrays that came from outside, if anything is."""
        if (fault := self.fault_of_lengths()) is not None:
            return fault
        if np.any(self.indptr[1:] < self.indptr[:-1]):  # a difference may leave int64
            return "the row pointers do not ascend"
        if len(self.components) and int(self.components.max()) >= self.rank:
            return f"component {self.components.max()} of {self.rank}"
        steps = np.diff(self.components.astype(np.int64))
        inside = np.ones(max(0, len(self.components) - 1), dtype=bool)
        starts = self.indptr[1:-1]
        inside[starts[(starts > 0) & (starts < len(self.components))] - 1] = False
        return "the components of a row do not ascend" if np.any(steps[inside] <= 0) else None

    def fault_of_lengths(self) -> str | None:
        """Return what is wrong with the lengths of the arrays; their content is not looked at."""
        if len(self.indptr) == 0 or self.indptr[0] != 0:
            return "the row pointers do not begin with 0"
        if not self.indptr[-1] == len(self.components) == len(self.values):
            return (
                f"{len(self.components)} components and {len(self.values)} values; expected {self.indptr[-1]}"
            )
        return None

    def largest(self) -> Float32Array:
        """Return the largest size of a factor in each component, (rank,)."""
        out = np.zeros(self.rank, dtype=np.float32)
        np.maximum.at(out, self.components, np.abs(self.values))
        return out

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and components."""
        return len(self), self.rank

    @property
    def nnz(self) -> int:
        """Number of factors that are not zero."""
        return len(self.values)

    @property
    def nonzero_share(self) -> float:
        """The share of factors that are not zero."""
        return self.nnz / max(1, len(self) * self.rank)

    @property
    def n_stored(self) -> int:
        """How many numbers are stored: the factors that are not zero."""
        return len(self.values)

    def row_counts(self, rows: Int64Array | None = None) -> Int64Array:
        """Return how many factors of each row are not zero, (n_rows,), or of some rows, (n,)."""
        if rows is None:
            return np.diff(self.indptr)
        counts: Int64Array = (
            self.indptr[rows + 1] - self.indptr[rows]
        )  # of these alone: there may be millions
        return counts

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.indptr.nbytes + self.components.nbytes + self.values.nbytes

    @property
    def row_numbers(self) -> Int64Array:
        """The row of each non-zero, (nnz,)."""
        return np.repeat(np.arange(len(self)), self.row_counts())

    def dense(self, first: int = 0, last: int | None = None) -> Float32Array:
        """Return a run of rows with their zeros, (n, rank); all rows by default."""
        indptr = self.indptr[first : (len(self) if last is None else last) + 1]
        out = np.empty((len(indptr) - 1, self.rank), dtype=np.float32)
        spread_nonzeros(indptr, self.components, self.values, out)
        return out

    def sparse(self) -> SparseFactors:
        """Return the factors themselves."""
        return self

    def dense_rows(self, rows: Int64Array) -> Float32Array:
        """Return some rows with their zeros, (n, rank)."""
        return self.select(rows).dense()

    def select(self, rows: Int64Array) -> SparseFactors:
        """Return some rows in the order given."""
        counts = self.row_counts(rows)
        indptr = np.zeros(len(counts) + 1, dtype=np.int64)  # np.r_ takes as long as all the rest for one row
        np.cumsum(counts, out=indptr[1:])
        entries = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], counts)
        return SparseFactors(indptr, self.components[entries], self.values[entries], self.rank)

    def replace_rows(self, rows: Int64Array, factors: Float32Array) -> SparseFactors:
        """Return the factors with other values in some rows, (n, rank), without repeats."""
        sources = np.arange(len(self))
        sources[rows] = len(self) + np.arange(len(rows))
        return self.append(factors).select(sources)

    def append(self, factors: Float32Array) -> SparseFactors:
        """Return the factors with new rows, (n, rank), after those there are."""
        return SparseFactors.concatenated([self, SparseFactors.of(factors)])

    def times(self, by: Float32Array) -> SparseFactors:
        """Return the factors times a number for each row, (n_rows,)."""
        return SparseFactors(
            self.indptr,
            self.components,
            self.values * np.repeat(by, self.row_counts()).astype(np.float32),
            self.rank,
        )

    def divided(self, by: Float32Array) -> SparseFactors:
        """Return the factors divided by a number for each row, (n_rows,)."""
        return self.times(np.reciprocal(by))

    def in_order(self, order: Int64Array) -> SparseFactors:
        """Return the factors with component ``order[f]`` as component f."""
        new_number = np.empty(self.rank, dtype=np.int64)
        new_number[order] = np.arange(self.rank)
        components = new_number[self.components]
        entries = np.argsort(self.row_numbers * self.rank + components, kind="stable")
        return SparseFactors(
            self.indptr, components[entries].astype(np.uint16), self.values[entries], self.rank
        )

    def component(self, number: int) -> Float32Array:
        """Return each row's factor in one component, (n_rows,)."""
        indptr, rows, values = self.by_component
        column = np.zeros(len(self), dtype=np.float32)
        span = slice(indptr[number], indptr[number + 1])
        column[rows[span]] = values[span]
        return column

    def row_squares(self) -> Float64Array:
        """Return the squared norm of each row, (n_rows,)."""
        squares = self.values.astype(np.float64) ** 2
        return np.bincount(self.row_numbers, squares, minlength=len(self)).astype(np.float64)

    def total(self) -> float:
        """Return the sum of the sizes of all factors."""
        return float(np.sum(np.abs(self.values), dtype=np.float64))

    def mean_row(self) -> Float64Array:
        """Return the mean of all rows, (rank,)."""
        return np.bincount(self.components, self.values, minlength=self.rank) / len(self)

    @cached_property
    def by_component(self) -> tuple[Int64Array, Int32Array, Float32Array]:
        """Pointers (rank + 1,), rows and values of each component, rows ascending."""
        entries = np.argsort(self.components, kind="stable")
        counts = np.bincount(self.components, minlength=self.rank)
        return np.r_[0, np.cumsum(counts)], self.row_numbers[entries].astype(np.int32), self.values[entries]

    def gram(self, importance: Float32Array) -> Float32Array:
        """Return ``sum_i s_i h_i h_i'``, (rank, rank), for weights s of the rows, (n_rows,)."""
        out = np.empty((self.rank, self.rank), dtype=np.float32)
        # The first components meet more others than the last: the upper half alone is summed.
        edges = self.rank * (1 - np.sqrt(1 - np.linspace(0, 1, _N_BANDS + 1)))
        bands = np.unique(np.round(edges).astype(np.int64))
        sparse_gram(bands, self.indptr, self.components, self.values, importance, out)
        mirror(out)
        return out


def explained_sums(pattern: CompressedRows, users: SparseFactors, items: SparseFactors) -> Float64Array:
    """Return the sum of ``w_uf h_if`` over the observed entries for each component, (rank,)."""
    blocks = row_blocks(pattern.indptr)
    sums = np.zeros((len(blocks) - 1, users.rank))
    sum_products(
        blocks,
        pattern.indptr,
        pattern.columns,
        users.indptr,
        users.components,
        users.values,
        items.indptr,
        items.components,
        items.values,
        sums,
    )
    return np.asarray(sums.sum(axis=0))
