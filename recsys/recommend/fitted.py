"""What lists are made from: a fitted model with its ids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from recsys.data.ids import Id, Ids
from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.models.baselines.popularity import Popularity
from recsys.recommend.last_events import LastEvents
from recsys.typing import Float32Array, Int64Array


class Fitted(Protocol):
    """What lists are made from: a fitted model with its ids; see `Bundle`."""

    @property
    def model(self) -> Model:
        """The fitted model."""

    @property
    def user_ids(self) -> Ids:
        """Users of the training data."""

    @property
    def item_ids(self) -> Ids:
        """Items of the training data."""

    @property
    def seen(self) -> CompressedRows:
        """The training pattern, (n_users, n_items)."""

    @property
    def item_counts(self) -> Int64Array:
        """How many users have each item, (n_items,)."""

    @property
    def popularity(self) -> Popularity:
        """The model of `item_counts`, for users of whom nothing is known."""

    @property
    def value_range(self) -> tuple[float, float]:
        """The least and the largest value of the training data."""

    @property
    def training(self) -> Mapping[str, Any]:
        """Where the data came from."""

    @property
    def last_events(self) -> LastEvents | None:
        """When each item was last sold, where that is known."""

    @property
    def item_vectors(self) -> Float32Array:
        """Vectors by which lists are made diverse, (n_items, width)."""

    def name_of(self, item_id: Id) -> str:
        """Return an item's name."""
