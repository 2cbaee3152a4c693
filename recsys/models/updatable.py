"""Estimators that hold the data they were fitted to, so that new entries can be joined to it."""

from __future__ import annotations

from typing import Any

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.factorization.history import History
from recsys.models.estimator import Estimator
from recsys.models.training_data import KnownData, Training, rows_of_items


class UpdatableEstimator(Estimator):
    """An estimator that knows what it was fitted to; each child takes new entries in by a `partial_fit`.

    Attributes
    ----------
    ids_ : (Ids, Ids) or None
        Users and items of a model that was loaded, by row number; a bundle does not hold the data itself.
    """

    _training: Training | None = None
    ids_: tuple[Ids, Ids] | None = None

    @property
    def training_(self) -> Interactions:
        """The data of the model, new entries included."""
        return self._known_data().training(None).data

    def _known_data(self) -> KnownData:
        self._check_fitted()
        return KnownData(self.name, self.feedback, (self.n_users_, self.n_items_), self._training, self.ids_)

    def _hold(self, training: Training) -> None:
        """Hold what the model was fitted to from now on."""
        self._training, self.ids_ = training, None

    def _grow_to(self, training: Training) -> None:
        """Hold what an update has come to, and note its size."""
        self._note_data(training.data)
        self._hold(training)

    def _new_entries(self, X: Any, before: Interactions) -> Interactions:
        """Return what is to be joined to the data before: a matrix has its users and items, then new ones."""
        if isinstance(X, Interactions):
            return X
        rows = rows_of_items(X, self.n_items_, type(self).__name__, wider=True, allows_negative=True)
        self.check_signs(rows.values)
        return before.with_entries(rows)

    def _note_stored(self, history: History | None, ids: tuple[Ids, Ids] | None) -> None:
        super()._note_stored(history, ids)
        self._training, self.ids_ = None, ids
