"""The solver of sparse linear item models: which weights, over which neighbors, explain each item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, FitState, Keeper
from recsys.data.rows import CompressedRows
from recsys.factorization import engine
from recsys.factorization.neighbor_problem import N_HEAD, NeighborProblem, Penalties, Weights
from recsys.progress import Progress
from recsys.typing import Int64Array

__all__ = ["N_HEAD", "ItemRegression"]
_BLOCK = 8192
"""Targets at a time, whose candidates and weights are in memory beside the weights kept."""
_PART, _ARRAYS = "items", ("owners", "explaining", "values")


@dataclass(frozen=True)
class ItemRegression:
    """A non-negative elastic net for each item over the items most alike to it (Ning & Karypis 2011).

    For each item i, over its ``n_neighbors`` items of largest cosine, solves

        min over b >= 0   1/2 |x_i - X b|^2 + l2/2 |b|^2 + l1 |b|_1

    by coordinate descent (Friedman, Hastie & Tibshirani 2010, section 2) on the inner products of columns.

    Attributes
    ----------
    n_neighbors : int
        Most items that explain one.
    l1, l2 : float
        In units of squared columns.
    max_iter : int
        Most sweeps over the candidates of an item.
    tol : float
        It ends when a sweep moves no weight by more than this part of the item's largest.
    """

    n_neighbors: int
    l1: float
    l2: float
    max_iter: int
    tol: float

    def fit(
        self,
        rows: CompressedRows,
        running: Progress,
        *,
        items: Int64Array | None = None,
        keeper: Keeper = KEEPS_NOTHING,
    ) -> CompressedRows:
        """Return the weights above 0, (n_items, n_items): row i holds those that explain item i.

        An item's candidates are named by users of at most 10,000 items.

        Parameters
        ----------
        rows : CompressedRows, (n_users, n_items)
            X; values above 0.
        running : Progress
            Is notified of items done.
        items : int64, optional
            The items to fit; the rows of others are empty. All by default.
        keeper : Keeper
            Keeps what was found of the items done.
        """
        columns = rows.transposed()
        n_items = rows.n_columns
        by_popularity = np.argsort(-columns.counts, kind="stable").astype(np.int32)
        fitted = by_popularity if items is None else by_popularity[np.isin(by_popularity, items)]
        penalties = Penalties(self.l1, self.l2, self.max_iter, self.tol)
        problem = NeighborProblem.of(rows, columns, by_popularity, self.n_neighbors, penalties)
        solver = engine.current()
        n_done, parts = _resumed(keeper.state_of(_PART))
        if n_done:
            running.advance(n_done, "from a checkpoint")
        for start in range(n_done, len(fitted), _BLOCK):
            targets = fitted[start : start + _BLOCK]
            parts.append(solver.neighbors(problem, targets))
            running.advance(len(targets))
            n_done = start + len(targets)
            note = keeper.keep if n_done < len(fitted) else keeper.finish
            note(_PART, partial(_state, n_done, parts))
        owners, explaining, values = _joined(parts)
        order = np.lexsort((explaining, owners))
        indptr = np.r_[0, np.cumsum(np.bincount(owners, minlength=n_items))]
        return CompressedRows(indptr, explaining[order], values[order], n_items)


def _joined(parts: Sequence[Weights]) -> Weights:
    owners, explaining, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return owners, explaining, values


def _state(n_done: int, parts: Sequence[Weights]) -> FitState:
    """Return what was found of the items done, the most popular ones first."""
    return FitState({"n_done": n_done}, dict(zip(_ARRAYS, _joined(parts), strict=True)))


def _resumed(kept: FitState | None) -> tuple[int, list[Weights]]:
    """Return how many items were done, and their weights."""
    if kept is None:
        return 0, []
    owners, explaining, values = (kept.arrays[name] for name in _ARRAYS)
    weights = owners.astype(np.int32), explaining.astype(np.int32), values.astype(np.float32)
    return int(kept.record["n_done"]), [weights]
