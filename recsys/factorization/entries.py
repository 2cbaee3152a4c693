"""The observed entries that a solver fits: from both sides, in runs of equal work, and in what unit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.typing import Float32Array, Float64Array, Int64Array

# Many more runs of rows than threads, so that the work of the threads comes out even.
N_BLOCKS = 64
# What a row costs before its first entry, in entries.
_ROW_COST = 8
_LEAST_POWER = -63  # of four, in a unit; below it single precision has no full numbers left


@dataclass(frozen=True, eq=False)
class Entries:
    """Entries and, where they do not all count the same, their weights.

    Attributes
    ----------
    by_user, by_item : CompressedRows, (n_users, n_items), (n_items, n_users)
        The same entries from both sides.
    weights : float32, (nnz,), optional
        Of the entries by user, 0 or more.
    """

    by_user: CompressedRows
    by_item: CompressedRows
    weights: Float32Array | None = None

    @classmethod
    def of(cls, by_user: CompressedRows, weights: Float32Array | None = None) -> Entries:
        """Return the entries of one side with their transpose."""
        return cls(by_user, by_user.transposed(), weights)

    @classmethod
    def counting(cls, data: Interactions, weights: Float32Array | None) -> Entries:
        """Return the entries of a log that count: those of weight 0 are left out."""
        if weights is None or weights.all():
            return cls(data.by_user, data.by_item, weights)
        return cls.of(data.by_user.only(weights > 0), weights[weights > 0])

    @cached_property
    def item_weights(self) -> Float32Array | None:
        """The weights of the entries by item, (nnz,)."""
        return None if self.weights is None else self.by_user.with_values(self.weights).transposed().values

    @property
    def transposed(self) -> Entries:
        """The same with the two sides exchanged."""
        return Entries(self.by_item, self.by_user, self.item_weights)

    def of_users(self, users: Int64Array) -> tuple[CompressedRows, Float32Array | None]:
        """Return the entries of some users, and their weights."""
        weights = None if self.weights is None else self.weights[self.by_user.entries_of(users)]
        return self.by_user.select(users), weights


def row_blocks(indptr: Int64Array, n_blocks: int = N_BLOCKS) -> Int64Array:
    """Cut rows into runs of about equal work.

    Parameters
    ----------
    indptr : int64, shape (n_rows + 1,)
    n_blocks : int
        Most runs to make.

    Returns
    -------
    int64, shape (n + 1,) with n <= n_blocks
        Strictly ascending from 0 to n_rows.
    """
    n_rows = len(indptr) - 1
    if n_rows == 1:  # one user alone, whose list somebody waits for
        return np.array([0, 1], dtype=np.int64)
    work = np.asarray(indptr, dtype=np.int64) + _ROW_COST * np.arange(n_rows + 1)
    cuts = np.searchsorted(work, np.linspace(0, work[-1], n_blocks + 1))
    cuts[0], cuts[-1] = 0, n_rows
    return np.unique(cuts).astype(np.int64)


def unit_of(values: Float32Array) -> float:
    """Return the power of four at or below the mean of the values (1 if they are all zero).

    Working in this unit keeps squares within single precision for data of any scale, and dividing
    by a power of two loses no bit.
    """
    mean = float(np.mean(values, dtype=np.float64))
    if mean <= 0:
        return 1.0
    return float(4.0 ** max(np.floor(np.log2(mean) / 2), _LEAST_POWER))


def units_of_rows(rows: CompressedRows) -> Float64Array:
    """Return the unit of each row's values, by which it does not depend on other rows, (n_rows,)."""
    means = np.zeros(rows.n_rows)
    filled = np.flatnonzero(rows.counts)
    if len(filled):
        sums = np.add.reduceat(rows.values.astype(np.float64), rows.indptr[filled])
        means[filled] = sums / rows.counts[filled]
    logs = np.log2(means, out=np.zeros(rows.n_rows), where=means > 0)
    units: Float64Array = 4.0 ** np.maximum(np.floor(logs / 2), _LEAST_POWER)
    return units
