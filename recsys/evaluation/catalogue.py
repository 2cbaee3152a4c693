"""What is known of the items, beside who was recommended what."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.data.labels import Labels
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.models.item_vectors import item_vectors
from recsys.typing import Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The items, for metrics that look at more than hits.

    Attributes
    ----------
    seen : CompressedRows, (n_users, n_items)
        The training pattern.
    categories : Labels or None
        Categories of each item.
    item_factors : float32, (n_items, any), or None
        Vectors by which `diversity` compares items where there are no categories; None takes
        `item_vectors` of the training pattern, the same for every model.
    counts : int64, (n_items,), or None
        How many users have each item, where that is not what the pattern says: an amount of 0 is no purchase.

    Raises
    ------
    InputError
        If categories or factors are not of as many items.
    """

    seen: CompressedRows
    categories: Labels | None = None
    item_factors: Float32Array | None = None
    counts: Int64Array | None = None

    def __post_init__(self) -> None:
        for name, rows in (
            ("categories", None if self.categories is None else self.categories.n_rows),
            ("item factors", None if self.item_factors is None else len(self.item_factors)),
        ):
            if rows is not None and rows != self.n_items:
                raise InputError(f"there are {name} of {rows:,} items; expected {self.n_items:,}.")
        if self.item_factors is not None and not np.all(np.isfinite(self.item_factors)):
            raise InputError("an item factor is not finite.")

    @property
    def n_items(self) -> int:
        """Number of items."""
        return self.seen.n_columns

    @cached_property
    def item_counts(self) -> Int64Array:
        """How many users have each item in training, (n_items,)."""
        return np.bincount(self.seen.columns, minlength=self.n_items)

    @property
    def shown_counts(self) -> Int64Array:
        """By how many users an item counts as popular where lists are filled, (n_items,)."""
        return self.item_counts if self.counts is None else self.counts

    @cached_property
    def popularity(self) -> Float64Array:
        """Share of the training users who have each item, (n_items,)."""
        return np.asarray(self.item_counts / self._n_users)

    @cached_property
    def self_information(self) -> Float64Array:
        """Surprise, in bits, of finding each item with a user, (n_items,)."""
        return np.asarray(-np.log2(np.maximum(self.item_counts, 1) / self._n_users))

    @cached_property
    def popularity_rank(self) -> Int64Array:
        """Rank of each item by popularity, from 0, (n_items,); ties fall to the lower item number."""
        ranks = np.empty(self.n_items, dtype=np.int64)
        ranks[np.argsort(-self.item_counts, kind="stable")] = np.arange(self.n_items)
        return ranks

    @cached_property
    def vectors(self) -> CompressedRows:
        """A vector of length 1 for each item, or an empty one where nothing is known of it."""
        if self.categories is not None:
            labels = self.categories
            values = np.repeat(1 / np.sqrt(np.maximum(labels.counts, 1)), labels.counts).astype(np.float32)
            return CompressedRows(labels.indptr, labels.columns, values, max(len(labels.names), 1))
        factors = self.pattern_vectors if self.item_factors is None else self.item_factors
        vectors = np.asarray(factors, dtype=np.float64)
        lengths = np.linalg.norm(vectors, axis=1)
        rows = np.flatnonzero(lengths > 0)
        indptr = np.r_[0, np.cumsum((lengths > 0) * vectors.shape[1])]
        columns = np.tile(np.arange(vectors.shape[1], dtype=np.int32), len(rows))
        values = (vectors[rows] / lengths[rows, None]).astype(np.float32).ravel()
        return CompressedRows(indptr, columns, values, vectors.shape[1])

    @cached_property
    def pattern_vectors(self) -> Float32Array:
        """The vectors of the items by the training pattern alone; see `item_vectors`, (n_items, width)."""
        return item_vectors(self.seen)

    @cached_property
    def _n_users(self) -> int:
        return max(int(np.count_nonzero(self.seen.counts)), 1)
