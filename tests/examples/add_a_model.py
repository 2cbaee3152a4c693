"""Items that others took together with what a user took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import sparse

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.stored_arrays import require
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array


@register_model
@dataclass(eq=False)
class CoVisitation(Model):
    """How often items of the user's history were taken by one user together with an item."""

    name: ClassVar[str] = "co-visitation"

    exponent: float = param(0.5, "how far frequent items are held back", minimum=0, maximum=1)

    def _fit(self, data: Interactions, progress: Progress) -> None:
        taken = self._scaled(data.by_user, data.item_counts)
        self._together = (taken.T @ taken).toarray().astype(np.float32)
        np.fill_diagonal(self._together, 0)
        self._histories, self._item_counts = data.by_user, data.item_counts

    def _scaled(self, rows: CompressedRows, counts: AnyArray) -> sparse.csr_array:
        ones = rows.with_values(np.ones(rows.nnz, dtype=np.float32)).to_scipy()
        return ones * np.maximum(counts, 1) ** -self.exponent

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        return self.score_histories(self._histories.select(self._check_users(users)))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores for new users, from what they did; see `Model.score_histories`."""
        self._check_histories(rows)
        return np.asarray(self._scaled(rows, self._item_counts) @ self._together, dtype=np.float32)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        rows = self._histories
        return {
            "together": self._together,
            "counts": self._item_counts,
            "indptr": rows.indptr,
            "columns": rows.columns,
        }

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        self._together = require(arrays, "together", np.float32, 2)
        self._item_counts = require(arrays, "counts", np.int64, 1)
        columns = require(arrays, "columns", np.int32, 1)
        ones = np.ones(len(columns), dtype=np.float32)
        indptr = require(arrays, "indptr", np.int64, 1)
        self._histories = CompressedRows(indptr, columns, ones, len(self._item_counts))
        self.n_users_, self.n_items_ = self._histories.n_rows, len(self._item_counts)
