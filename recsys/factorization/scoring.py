"""Scores of all items for blocks of users, by the fastest of three kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from recsys.factorization.entries import row_blocks
from recsys.factorization.factor_matrix import FactorMatrix
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.dense_scoring import panels_of, score_block_dense
from recsys.kernels.ranked_scoring import rank_block, rank_block_dense, rank_block_sparse
from recsys.kernels.scoring import score_block
from recsys.kernels.sparse_scoring import score_block_sparse
from recsys.typing import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

# Sparse products jump about in the scores: above this share of non-zeros, reading zeros in a row is faster.
# Measured, the two meet between 0.05 (1,700 items, 64 components) and 0.12 (40,000 items, few a user).
_LARGEST_SPARSE = 0.08
# Tiles of six users take a component along if one of the six has a part in it: from about half of the factors
# on, that is faster than to pass over zeros user by user.
_LEAST_FULL = 0.5


_BELOW = 1e-30  # of no weight beside a score, and far from what underflows


def scores_below_zero(counts: Float64Array | Int64Array) -> Float32Array:
    """Return what stands for a score of 0 where ties go to what is popular, (n_items,).

    Where scores are sums of parts of 0 or more, 0 says that nothing speaks for an item. All such items tie;
    in place of 0 they are ranked by these numbers, behind all others, in the order of ``counts``.
    """
    return (-_BELOW / (1.0 + counts)).astype(np.float32)


def compile_kernels() -> None:
    """Compile all three kernels: which of them a model comes to is known only after its fit."""
    offset, full = np.zeros(1, dtype=np.float32), np.ones((1, 3), dtype=np.float32)
    part = np.zeros((1, 13), dtype=np.float32)
    part[0, 0] = 1
    nothing = LeftOut(np.zeros(1, np.int64), np.zeros(0, np.int32), np.full(1, -1))
    for items, users in ((full, full), (full, full * [1, 0, 0]), (part, part)):
        factors, scorer = SparseFactors.of(users.astype(np.float32)), Scorer(SparseFactors.of(items), offset)
        scorer(factors, offset)
        scorer.best(factors, offset, nothing, TopItems.empty(1, 1))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Items that may not be listed.

    Attributes
    ----------
    indptr, items : int64, (n_rows + 1,), and int32
        Row after row, ascending inside a row.
    rows : int64, (n_users,)
        The row of each user of a block; -1: nothing is left out.
    """

    indptr: Int64Array
    items: Int32Array
    rows: Int64Array


@dataclass(frozen=True, eq=False)
class TopItems:
    """Places for the lists of a block of users; see `recsys.kernels.ranking.select_top`.

    Attributes
    ----------
    items, scores : int32 and float32, (n_users, n)
    n_listed : int64, (n_users,)
    is_finite : bool, (n_users,)
        Whether all scores of a user are finite.
    """

    items: Int32Array
    scores: Float32Array
    n_listed: Int64Array
    is_finite: BoolArray

    @classmethod
    def empty(cls, n_users: int, n: int) -> TopItems:
        """Return places for so many lists of so many items."""
        return cls(
            np.empty((n_users, n), dtype=np.int32),
            np.empty((n_users, n), dtype=np.float32),
            np.empty(n_users, dtype=np.int64),
            np.empty(n_users, dtype=np.bool_),
        )


class Scorer:
    """Scores of all items for users given by their factors.

    The bits of a score do not depend on the kernel: all add its terms in the order of the components.

    Parameters
    ----------
    items : FactorMatrix, (n_items, n_components)
    item_offset : float32, (n_items,)
    """

    def __init__(self, items: FactorMatrix, item_offset: Float32Array) -> None:
        self._offset = item_offset
        size = max(1, items.shape[0] * items.shape[1])
        self.is_sparse = items.is_sparse and items.nnz / size <= _LARGEST_SPARSE
        if self.is_sparse:
            self._by_component = items.sparse().by_component
        else:
            self._items = items

    @cached_property
    def _item_columns(self) -> Float32Array:
        return np.ascontiguousarray(self._items.dense().T)

    @cached_property
    def _item_panels(self) -> Float32Array:
        return panels_of(self._items.dense())

    def __call__(self, users: FactorMatrix, user_offset: Float32Array) -> Float32Array:
        """Return ``user_offset + item_offset + W H'``, (n_users, n_items)."""
        scores = np.empty((len(users), len(self._offset)), dtype=np.float32)
        if self.is_sparse:
            rows = users.sparse()
            score_block_sparse(
                rows.indptr,
                rows.components,
                rows.values,
                *self._by_component,
                user_offset,
                self._offset,
                scores,
            )
            return scores
        factors = np.ascontiguousarray(users.dense())
        if _is_full(factors):
            score_block_dense(factors, self._item_panels, user_offset, self._offset, scores)
        else:
            score_block(factors, self._item_columns, user_offset, self._offset, scores)
        return scores

    def best(self, users: FactorMatrix, user_offset: Float32Array, left_out: LeftOut, top: TopItems) -> None:
        """Write the best items of each user, as a selection from all scores would, without writing these.

        Parameters
        ----------
        users : FactorMatrix, (n_users, n_components)
        user_offset : float32, (n_users,)
        left_out : LeftOut
        top : TopItems
            For lists of 1 to `recsys.kernels.ranked_scoring.LONGEST` items.
        """
        seen = left_out.indptr, left_out.items, left_out.rows
        lists: tuple[Any, ...] = (*seen, top.items, top.scores, top.n_listed, top.is_finite)
        if self.is_sparse:
            rows = users.sparse()
            rank_block_sparse(
                *(rows.indptr, rows.components, rows.values),
                *self._by_component,
                *(user_offset, self._offset, row_blocks(rows.indptr)),
                *lists,
            )
            return
        factors = np.ascontiguousarray(users.dense())
        if _is_full(factors):
            rank_block_dense(factors, self._item_panels, user_offset, self._offset, *lists)
        else:
            rank_block(factors, self._item_columns, user_offset, self._offset, *lists)


@dataclass(frozen=True, eq=False)
class BlockProducts:
    """The scores of a block of users, not made yet.

    Attributes
    ----------
    scorer : Scorer
    users : FactorMatrix, (n_users, n_components)
    user_offset : float32, (n_users,)
    """

    scorer: Scorer
    users: FactorMatrix
    user_offset: Float32Array

    def best(self, left_out: LeftOut, top: TopItems) -> None:
        """Write the best items of each user; see `Scorer.best`."""
        self.scorer.best(self.users, self.user_offset, left_out, top)


def _is_full(factors: Float32Array) -> bool:
    return bool(np.count_nonzero(factors) >= _LEAST_FULL * factors.size)
