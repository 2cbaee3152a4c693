"""The floor under every comparison: what most people take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.models.base import Model
from recsys.models.registry import register_model
from recsys.models.score_parts import ScoreParts
from recsys.models.stored_arrays import require
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array


@register_model
@dataclass(eq=False)
class Popularity(Model):
    """The same scores for everyone: how many users have the item.

    Attributes
    ----------
    item_counts_ : float32, (n_items,)

    Examples
    --------
    >>> from recsys import Interactions, Popularity
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> Popularity().fit(data).item_counts_.tolist() == data.item_counts.tolist()
    True
    """

    name: ClassVar[str] = "popularity"

    def __post_init__(self) -> None:
        self.item_counts_: Float32Array = np.zeros(0, dtype=np.float32)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: only who rated counts."""
        return True

    def _fit(self, data: Interactions, progress: Progress) -> None:
        self.item_counts_ = data.item_counts.astype(np.float32)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: a copy of the columns, while they are counted."""
        return 8 * (data.nnz + data.n_items)

    @classmethod
    def of_counts(cls, counts: AnyArray, n_users: int) -> Self:
        """Return a fitted model from the number of users of each item, for so many users."""
        model = cls()
        model.restore({"item_counts": counts.astype(np.float32), "n_users": np.array([n_users])})
        return model

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        return np.tile(self.item_counts_, (len(self._check_users(users)), 1))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return the same scores for everyone; see `Model.score_histories`."""
        self._check_histories(rows)
        return np.tile(self.item_counts_, (rows.n_rows, 1))

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts:
        """Return scores that are the items' alone; see `Model.score_parts`."""
        self._check_users(np.array([user]))
        return self._parts(items)

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        """Return scores that are the items' alone; see `Model.history_score_parts`."""
        self._check_histories(history)
        return self._parts(items)

    def _parts(self, items: AnyArray) -> ScoreParts:
        return ScoreParts(self.item_counts_[np.asarray(items, dtype=np.int64)].astype(np.float64))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        return {"item_counts": self.item_counts_, "n_users": np.array([self.n_users_])}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        n_users = require(arrays, "n_users", np.int64, 1)
        if len(n_users) != 1:
            raise ModelError(f"array 'n_users' has {len(n_users)} numbers; expected one.")
        self.item_counts_ = require(arrays, "item_counts", np.float32, 1)
        self.n_users_, self.n_items_ = int(n_users[0]), len(self.item_counts_)
