"""One side's factors, all of them or those that are not zero, and scores by the faster of two kernels."""

from __future__ import annotations

import numpy as np

from recsys import threads
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.scoring import score_block
from recsys.kernels.sparse_scoring import score_block_sparse
from recsys.typing import AnyArray, Float32Array

Side = Float32Array | SparseFactors
"""Factors of users or of items, all of them or those that are not zero."""

# Sparse products jump about in the scores: above this share of non-zeros, reading zeros in a row is faster.
# Measured, the two meet between 0.05 (1,700 items, 64 themes) and 0.12 (40,000 items, few themes a user).
_LARGEST_SPARSE = 0.08


def dense_side(side: Side) -> Float32Array:
    """Return factors with their zeros, (n_rows, rank)."""
    return side.dense() if isinstance(side, SparseFactors) else side


def rows_of(side: Side, rows: AnyArray) -> Float32Array:
    """Return the factors of some rows, (n, rank)."""
    numbers = np.asarray(rows, dtype=np.int64)
    return side.select(numbers).dense() if isinstance(side, SparseFactors) else side[numbers]


def theme_of(side: Side, number: int) -> Float32Array:
    """Return each row's factor in one theme, (n_rows,)."""
    if not isinstance(side, SparseFactors):
        return side[:, number]
    indptr, rows, values = side.by_theme
    out = np.zeros(len(side), dtype=np.float32)
    span = slice(indptr[number], indptr[number + 1])
    out[rows[span]] = values[span]
    return out


class Scorer:
    """Scores of all items for users given by their factors.

    The bits of a score do not depend on the kernel: both add its terms in the order of the themes.

    Parameters
    ----------
    items : float32, (n_items, rank), or SparseFactors
    item_offset : float32, (n_items,)
    """

    def __init__(self, items: Side, item_offset: Float32Array) -> None:
        self._offset = item_offset
        self.is_sparse = isinstance(items, SparseFactors) and items.nonzero_share <= _LARGEST_SPARSE
        if isinstance(items, SparseFactors) and self.is_sparse:
            self._sparse = items.by_theme
        else:
            self._dense = np.ascontiguousarray(dense_side(items).T)

    def __call__(self, users: Side, user_offset: Float32Array) -> Float32Array:
        """Return ``user_offset + item_offset + W H'``, (n_users, n_items)."""
        scores = np.empty((len(users), len(self._offset)), dtype=np.float32)
        if self.is_sparse:
            some = users if isinstance(users, SparseFactors) else SparseFactors.of(users)
            with threads.launch():
                score_block_sparse(
                    some.indptr,
                    some.themes,
                    some.values,
                    *self._sparse,
                    user_offset,
                    self._offset,
                    scores,
                )
        else:
            factors = np.ascontiguousarray(dense_side(users))
            with threads.launch():
                score_block(factors, self._dense, user_offset, self._offset, scores)
        return scores
