"""Scores of all items for blocks of users, by the fastest of three kernels."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from recsys.factorization.factor_matrix import FactorMatrix
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.dense_scoring import panels_of, score_block_dense
from recsys.kernels.scoring import score_block
from recsys.kernels.sparse_scoring import score_block_sparse
from recsys.typing import Float32Array

# Sparse products jump about in the scores: above this share of non-zeros, reading zeros in a row is faster.
# Measured, the two meet between 0.05 (1,700 items, 64 components) and 0.12 (40,000 items, few a user).
_LARGEST_SPARSE = 0.08
# Tiles of six users take a component along if one of the six has a part in it: from about half of the factors
# on, that is faster than to pass over zeros user by user.
_LEAST_FULL = 0.5


def compile_kernels() -> None:
    """Compile all three kernels: which of them a model comes to is known only after its fit."""
    offset, full = np.zeros(1, dtype=np.float32), np.ones((1, 3), dtype=np.float32)
    part = np.zeros((1, 13), dtype=np.float32)
    part[0, 0] = 1
    for items, users in ((full, full), (full, full * [1, 0, 0]), (part, part)):
        Scorer(SparseFactors.of(items), offset)(SparseFactors.of(users.astype(np.float32)), offset)


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
        if np.count_nonzero(factors) >= _LEAST_FULL * factors.size:
            score_block_dense(factors, self._item_panels, user_offset, self._offset, scores)
        else:
            score_block(factors, self._item_columns, user_offset, self._offset, scores)
        return scores
