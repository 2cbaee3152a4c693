"""The columns of items to be explained by others: each is a problem of its own, whoever solves it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.kernels.head_gram import head_gram
from recsys.kernels.slim import fit_neighbors
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

# Inner products of the most popular items are kept dense: 64 MiB. Below them an item has few users.
N_HEAD = 4096
_N_SHARES = 16
_MOST_ITEMS = 10_000
"""Users of more items nominate no candidates: it would cost the square of their number, and says little."""

Weights: TypeAlias = tuple[Int32Array, Int32Array, Float32Array]
"""The item that is explained, the one that explains it, and by how much, of each weight."""
# Rows and columns: where each begins, what stands there, and what it counts.
_BothSides: TypeAlias = tuple[Int64Array, Int32Array, Float32Array, Int64Array, Int32Array, Float32Array]


@dataclass(frozen=True)
class Penalties:
    """How the column of an item is fitted; see `recsys.factorization.item_weights.ItemRegression`."""

    l1: float
    l2: float
    max_iter: int
    tol: float


@dataclass(frozen=True, eq=False)
class NeighborProblem:
    """What the fit of any item's column needs.

    Attributes
    ----------
    matrix : arrays
        X by user and by item, each as indptr, columns and values.
    norms : float64, (n_items,)
        Lengths of the columns; 1 where one is empty.
    places : int32, (n_items,)
        Where popular items stand among themselves; -1: the others.
    head : float32, (n_head, n_head)
        The inner products of popular items.
    n_kept : int
        Most neighbors of an item.
    penalties : Penalties
    """

    matrix: _BothSides
    norms: Float64Array
    places: Int32Array
    head: Float32Array
    n_kept: int
    penalties: Penalties

    @classmethod
    def of(
        cls,
        rows: CompressedRows,
        columns: CompressedRows,
        by_popularity: Int32Array,
        n_neighbors: int,
        penalties: Penalties,
    ) -> NeighborProblem:
        """Return the problem of X by user and by item.

        Parameters
        ----------
        rows, columns : CompressedRows
            Values above 0.
        by_popularity : int32, (n_items,)
            The items, those of most users first.
        n_neighbors : int
        penalties : Penalties
        """
        matrix = (rows.indptr, rows.columns, rows.values, columns.indptr, columns.columns, columns.values)
        places, head = _head(by_popularity[:N_HEAD], columns.n_rows, matrix)
        n_kept = min(n_neighbors, max(1, columns.n_rows - 1))
        return cls(matrix, _lengths(columns), places, head, n_kept, penalties)

    def solved(self, targets: Int32Array) -> Weights:
        """Return the weights above 0 of some items; those of an item do not depend on the other targets."""
        neighbors = np.empty((len(targets), self.n_kept), dtype=np.int32)
        weights = np.zeros((len(targets), self.n_kept), dtype=np.float32)
        n_neighbors, n_sweeps = (np.empty(len(targets), dtype=np.int32) for _ in range(2))
        fit_neighbors(
            targets,
            _N_SHARES,
            *self.matrix,
            self.norms,
            self.places,
            self.head,
            _MOST_ITEMS,
            self.penalties.l1,
            self.penalties.l2,
            self.penalties.max_iter,
            self.penalties.tol,
            neighbors,
            weights,
            n_neighbors,
            n_sweeps,
        )
        is_weight = (np.arange(self.n_kept) < n_neighbors[:, None]) & (weights > 0)
        owners = np.repeat(targets, is_weight.sum(axis=1))
        return owners, neighbors[is_weight], weights[is_weight]


def _head(head: Int32Array, n_items: int, matrix: _BothSides) -> tuple[Int32Array, Float32Array]:
    """Return where popular items stand among themselves (-1: the others), and their inner products."""
    places = np.full(n_items, -1, dtype=np.int32)
    places[head] = np.arange(len(head))
    gram = np.empty((len(head), len(head)), dtype=np.float32)
    head_gram(head, places, *matrix, gram)
    return places, gram


def _lengths(columns: CompressedRows) -> Float64Array:
    """Return the length of each item's column; 1 where it is empty."""
    squares = np.bincount(
        columns.row_numbers, weights=np.square(columns.values, dtype=np.float64), minlength=columns.n_rows
    )
    return np.sqrt(np.where(squares > 0, squares, 1.0))
