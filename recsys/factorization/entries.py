"""The observed entries that a solver fits, from both sides."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from recsys.data.rows import CompressedRows
from recsys.typing import Float32Array, Int64Array


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
