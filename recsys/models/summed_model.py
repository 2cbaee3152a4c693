"""Models whose scores are those of two others added: what components say, and what past items say."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.history import History
from recsys.models.base import Model
from recsys.models.factor_model import FactorModel
from recsys.models.score_parts import ScoreParts
from recsys.models.slim import SLIM
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

_LEVEL_USERS = 512


class SummedModel(Model):
    """A model whose scores are the sum of those of a part with components and of a part with neighbors.

    Attributes
    ----------
    themes_ : FactorModel
        The part with components.
    neighbors_ : SLIM
        The part with weights between items, in units of the score.
    """

    themes_: FactorModel
    neighbors_: SLIM

    def _counted(self, rows: CompressedRows) -> CompressedRows:
        """Return the entries of other histories that the parts are given: all, unless a child chooses."""
        return rows

    def _counts_alone(self, history: CompressedRows) -> bool:
        """Return whether every entry of a history counts, whatever the others are."""
        return True

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        scores = self.themes_.score_block(rows)
        self.neighbors_.add_scores(self.neighbors_.histories_.select(rows), scores)
        return scores

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users with other histories; see `Model.score_histories`."""
        self._check_histories(rows)
        rows = self._counted(rows)
        return self.themes_.score_histories(rows) + self.neighbors_.score_histories(rows)

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each training user whether neither part knows anything; see `Model.is_blank`."""
        self._check_fitted()
        return self.themes_.is_blank(users) & self.neighbors_.is_blank(users)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts | None:
        """Return scores as what components and past items add; see `Model.score_parts`."""
        return _joined(self.themes_.score_parts(user, items), self.neighbors_.score_parts(user, items))

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts | None:
        """Return a new user's scores as what components and past items add; see the base."""
        self._check_histories(history)
        rows = self._counted(history)
        parts = (part.history_score_parts(rows, items) for part in (self.themes_, self.neighbors_))
        return _joined(*parts)

    def history_components(self, rows: CompressedRows) -> Float32Array | None:
        """Return the factors of new users in the part with components; see the base."""
        self._check_histories(rows)
        return self.themes_.history_components(self._counted(rows))

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return the scores of some items for new users; see `Model.scores_of_items`."""
        self._check_histories(rows)
        rows = self._counted(rows)
        return self.themes_.scores_of_items(rows, items) + self.neighbors_.scores_of_items(rows, items)

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        if not self._counts_alone(history):
            return super().scores_without(history, removed, items)
        parts = (self.themes_, self.neighbors_)
        of_themes, of_neighbors = (part.scores_without(history, removed, items) for part in parts)
        return np.asarray(of_themes + of_neighbors)

    def as_of_user(self, user: int) -> Self:
        """Return the model with histories read as those of a training user; see `Model.as_of_user`."""
        model = copy.copy(self)
        model.neighbors_ = self.neighbors_.as_of_user(user)
        return model

    @property
    def neighbor_model(self) -> SLIM:
        """The part with weights between items."""
        self._check_fitted()
        return self.neighbors_

    @property
    def component_model(self) -> FactorModel | None:
        """The part with components."""
        self._check_fitted()
        return self.themes_

    @property
    def scores_from_zero(self) -> bool:
        """Whether 0 says that nothing speaks for an item: scores are sums of parts that are 0 or more."""
        return True

    @property
    def history(self) -> History | None:
        """How the training of the themes went."""
        return self.themes_.history if self.is_fitted else None

    @property
    def stored_per_row(self) -> float:
        """Factors, weights and entries of histories stored for a user or an item on average."""
        self._check_fitted()
        return self.themes_.stored_per_row + self.neighbors_.stored_per_row

    def _level_ratio(self) -> float:
        """Return the size of the themes' scores divided by that of the neighbors'; 1 where one has none."""
        n_users = self.themes_.n_users_
        users = np.unique(np.linspace(0, n_users - 1, min(n_users, _LEVEL_USERS)).astype(np.int64))
        squares = np.zeros(2)
        for user in users:
            for number, part in enumerate((self.themes_, self.neighbors_)):
                squares[number] += np.square(part.score_block(user[None]), dtype=np.float64).sum()
        return float(np.sqrt(squares[0] / squares[1])) if squares.all() else 1.0


def _joined(themes: ScoreParts | None, neighbors: ScoreParts | None) -> ScoreParts:
    """Return the parts of two scores that are added."""
    assert themes is not None
    assert neighbors is not None
    return replace(themes, past_items=neighbors.past_items, from_past=neighbors.from_past)
