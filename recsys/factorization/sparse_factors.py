"""Factors of which most are zero, stored by their non-zeros."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.sharing import row_blocks
from recsys.kernels.sparse_products import mirror, sparse_gram, sum_products
from recsys.kernels.sparse_rows import (
    count_nonzeros,
    gather_nonzeros,
    spread_nonzeros,
)
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array, UInt16Array

LARGEST_RANK = 2**16
"""Themes are numbered in 16 bits."""
_N_BANDS = 32  # shares of work of a Gram matrix: many more than threads


@dataclass(frozen=True, eq=False)
class SparseFactors:
    """Non-zero factors, row by row.

    Attributes
    ----------
    indptr : int64, (n_rows + 1,)
    themes : uint16, (nnz,)
        Ascending inside a row.
    values : float32, (nnz,)
    rank : int
        At most 65,536.
    """

    indptr: Int64Array
    themes: UInt16Array
    values: Float32Array
    rank: int

    @classmethod
    def of(cls, dense: Float32Array) -> SparseFactors:
        """Take the non-zeros of dense factors, (n_rows, rank)."""
        indptr = np.zeros(len(dense) + 1, dtype=np.int64)
        with threads.launch():
            count_nonzeros(dense, indptr[1:])
            np.cumsum(indptr, out=indptr)
            themes, values = np.empty(indptr[-1], np.uint16), np.empty(indptr[-1], np.float32)
            gather_nonzeros(dense, indptr, themes, values)
        return cls(indptr, themes, values, dense.shape[1])

    @classmethod
    def joined(cls, parts: list[SparseFactors]) -> SparseFactors:
        """Return the rows of all parts, one part after another; at least one."""
        counts = [np.diff(part.indptr) for part in parts]
        return cls(
            np.r_[0, np.cumsum(np.concatenate(counts))],
            np.concatenate([part.themes for part in parts]),
            np.concatenate([part.values for part in parts]),
            parts[0].rank,
        )

    def fault(self) -> str | None:
        """Return what is wrong with arrays that came from outside, if anything is."""
        if len(self.indptr) == 0 or self.indptr[0] != 0:
            return "the row pointers do not begin with 0"
        if np.any(self.indptr[1:] < self.indptr[:-1]):  # a difference may leave int64
            return "the row pointers do not ascend"
        if not self.indptr[-1] == len(self.themes) == len(self.values):
            return f"{len(self.themes)} themes and {len(self.values)} values; expected {self.indptr[-1]}"
        if len(self.themes) and int(self.themes.max()) >= self.rank:
            return f"theme {self.themes.max()} of {self.rank}"
        steps = np.diff(self.themes.astype(np.int64))
        inside = np.ones(max(0, len(self.themes) - 1), dtype=bool)
        starts = self.indptr[1:-1]
        inside[starts[(starts > 0) & (starts < len(self.themes))] - 1] = False
        return "the themes of a row do not ascend" if np.any(steps[inside] <= 0) else None

    def largest(self) -> Float32Array:
        """Return the largest size of a factor in each theme, (rank,)."""
        out = np.zeros(self.rank, dtype=np.float32)
        np.maximum.at(out, self.themes, np.abs(self.values))
        return out

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and themes."""
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
    def counts(self) -> Int64Array:
        """Non-zeros of each row, (n_rows,)."""
        return np.diff(self.indptr)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.indptr.nbytes + self.themes.nbytes + self.values.nbytes

    @property
    def row_numbers(self) -> Int64Array:
        """The row of each non-zero, (nnz,)."""
        return np.repeat(np.arange(len(self)), self.counts)

    def dense(self, first: int = 0, last: int | None = None) -> Float32Array:
        """Return a run of rows with their zeros, (n, rank); all rows by default."""
        indptr = self.indptr[first : (len(self) if last is None else last) + 1]
        out = np.empty((len(indptr) - 1, self.rank), dtype=np.float32)
        with threads.launch():
            spread_nonzeros(indptr, self.themes, self.values, out)
        return out

    def select(self, rows: Int64Array) -> SparseFactors:
        """Return some rows in the order given."""
        counts = self.counts[rows]
        indptr = np.r_[0, np.cumsum(counts)]
        at = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], counts)
        return SparseFactors(indptr, self.themes[at], self.values[at], self.rank)

    def with_rows(self, rows: Int64Array, dense: Float32Array) -> SparseFactors:
        """Return the factors with other values in some rows, (n, rank), without repeats."""
        at = np.arange(len(self))
        at[rows] = len(self) + np.arange(len(rows))
        return SparseFactors.joined([self, SparseFactors.of(dense)]).select(at)

    def scaled(self, by: Float32Array) -> SparseFactors:
        """Return the factors times a number for each row, (n_rows,)."""
        return SparseFactors(
            self.indptr, self.themes, self.values * np.repeat(by, self.counts).astype(np.float32), self.rank
        )

    def in_order(self, order: Int64Array) -> SparseFactors:
        """Return the factors with theme ``order[t]`` as theme t."""
        place = np.empty(self.rank, dtype=np.int64)
        place[order] = np.arange(self.rank)
        themes = place[self.themes]
        at = np.argsort(self.row_numbers * self.rank + themes, kind="stable")
        return SparseFactors(self.indptr, themes[at].astype(np.uint16), self.values[at], self.rank)

    @cached_property
    def by_theme(self) -> tuple[Int64Array, Int32Array, Float32Array]:
        """Pointers (rank + 1,), rows and values of each theme, rows ascending."""
        at = np.argsort(self.themes, kind="stable")
        counts = np.bincount(self.themes, minlength=self.rank)
        return np.r_[0, np.cumsum(counts)], self.row_numbers[at].astype(np.int32), self.values[at]

    def gram(self, importance: Float32Array) -> Float32Array:
        """Return ``sum_i s_i h_i h_i'``, (rank, rank), for weights s of the rows, (n_rows,)."""
        out = np.empty((self.rank, self.rank), dtype=np.float32)
        # The first themes meet more others than the last: the upper half alone is summed.
        edges = self.rank * (1 - np.sqrt(1 - np.linspace(0, 1, _N_BANDS + 1)))
        with threads.launch():
            sparse_gram(
                np.unique(np.round(edges).astype(np.int64)),
                self.indptr,
                self.themes,
                self.values,
                importance,
                out,
            )
            mirror(out)
        return out


def explained_sums(pattern: CompressedRows, users: SparseFactors, items: SparseFactors) -> Float64Array:
    """Return the sum of ``w_uf h_if`` over the observed entries for each theme, (rank,)."""
    blocks = row_blocks(pattern.indptr)
    sums = np.zeros((len(blocks) - 1, users.rank))
    with threads.launch():
        sum_products(
            blocks,
            pattern.indptr,
            pattern.columns,
            users.indptr,
            users.themes,
            users.values,
            items.indptr,
            items.themes,
            items.values,
            sums,
        )
    return np.asarray(sums.sum(axis=0))
