"""One side's view of the observed entries: compressed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from recsys.errors import InputError
from recsys.typing import AnyArray, BoolArray, Float32Array, Int32Array, Int64Array

MOST_COLUMNS = int(np.iinfo(np.int32).max)


@dataclass(frozen=True, eq=False)
class CompressedRows:
    """Sparse rows in which *stored* means *observed*, a stored zero included.

    Attributes
    ----------
    indptr : int64, shape (n_rows + 1,)
        Entries of row ``r`` stand at ``indptr[r]:indptr[r + 1]``.
    columns : int32, shape (nnz,)
        Ascending and without repeats inside a row.
    values : float32, shape (nnz,)
    n_columns : int
    """

    indptr: Int64Array
    columns: Int32Array
    values: Float32Array
    n_columns: int

    def __post_init__(self) -> None:
        if self.n_columns > MOST_COLUMNS:
            raise InputError(
                f"{self.n_columns:,} columns; expected at most {MOST_COLUMNS:,}, numbered in 32 bits."
            )
        for name, dtype in (("indptr", np.int64), ("columns", np.int32), ("values", np.float32)):
            # A view: the caller's own array stays writable.
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype).view()
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def from_scipy(cls, matrix: Any) -> CompressedRows:
        """Take over a SciPy CSR matrix whose columns are sorted and unique."""
        return cls(matrix.indptr, matrix.indices, matrix.data, matrix.shape[1])

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """Number of observed entries, stored zeros included."""
        return len(self.columns)

    @property
    def counts(self) -> Int64Array:
        """Number of observed entries of each row, shape (n_rows,)."""
        return np.diff(self.indptr)

    def counts_of(self, rows: AnyArray) -> Int64Array:
        """Return the number of observed entries of some rows, without a look at the others."""
        counts: Int64Array = self.indptr[np.asarray(rows) + 1] - self.indptr[rows]
        return counts

    @property
    def row_numbers(self) -> Int64Array:
        """Row number of each entry, shape (nnz,)."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int64), self.counts)

    def row(self, row: int) -> tuple[Int32Array, Float32Array]:
        """Return the columns and the values of one row."""
        span = slice(self.indptr[row], self.indptr[row + 1])
        return self.columns[span], self.values[span]

    def copy(self) -> CompressedRows:
        """Return the same with arrays of its own."""
        return CompressedRows(self.indptr.copy(), self.columns.copy(), self.values.copy(), self.n_columns)

    def equals(self, other: CompressedRows) -> bool:
        """Return whether both hold the same entries in the same order."""
        return self.n_columns == other.n_columns and all(
            np.array_equal(getattr(self, name), getattr(other, name))
            for name in ("indptr", "columns", "values")
        )

    def with_values(self, values: Float32Array) -> CompressedRows:
        """Return the same pattern with other values."""
        return CompressedRows(self.indptr, self.columns, values, self.n_columns)

    def select(self, rows: Int64Array) -> CompressedRows:
        """Return the given rows, in that order."""
        counts = self.counts_of(rows)
        indptr = np.zeros(len(counts) + 1, dtype=np.int64)  # np.r_ takes as long as all the rest for one row
        np.cumsum(counts, out=indptr[1:])
        entries = self.entries_of(rows)
        return CompressedRows(indptr, self.columns[entries], self.values[entries], self.n_columns)

    def only(self, inside: BoolArray) -> CompressedRows:
        """Return the entries that are marked, shape (nnz,); same rows and columns."""
        indptr = np.r_[0, np.cumsum(inside)][self.indptr]
        return CompressedRows(indptr, self.columns[inside], self.values[inside], self.n_columns)

    def variants(self, kept: BoolArray) -> CompressedRows:
        """Return a row for each choice of entries of the only row there is, (n_rows, nnz)."""
        _, entries = np.nonzero(kept)
        indptr = np.r_[0, np.cumsum(kept.sum(axis=1))]
        return CompressedRows(indptr, self.columns[entries], self.values[entries], self.n_columns)

    def entries_of(self, rows: Int64Array) -> Int64Array:
        """Return the numbers of the entries of the given rows, row after row."""
        counts = self.counts_of(rows)
        ends = np.cumsum(counts)
        entries: Int64Array = np.arange(counts.sum()) + np.repeat(self.indptr[rows] - (ends - counts), counts)
        return entries

    def to_scipy(self) -> sparse.csr_array:
        """Return a SciPy CSR array; stored zeros stay stored."""
        return sparse.csr_array(
            (self.values, self.columns, self.indptr), shape=(self.n_rows, self.n_columns), copy=False
        )

    def transposed(self) -> CompressedRows:
        """Return the same entries seen from the other side."""
        return CompressedRows.from_scipy(self.to_scipy().tocsc().T)


def positives(rows: CompressedRows) -> CompressedRows:
    """Return the entries other than 0: what counts as taken in a log of amounts, where none is below."""
    is_taken = rows.values != 0
    return rows if is_taken.all() else rows.only(is_taken)
