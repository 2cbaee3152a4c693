"""An object of somebody's own in a model's place: all it needs is ``fit`` and ``score_block``."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.models.base import Model
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array


class OwnModel(Model):
    """Stands for an object that is no `Model`.

    Parameters
    ----------
    scorer : object
        It has ``fit(interactions)`` and ``score_block(users)``, as `Model.score_block` describes it, and
        perhaps ``score_histories(rows)`` and ``predict_by_row(users, items)`` in the units of the log. It is
        copied, never changed.
    """

    name: ClassVar[str] = "own-model"

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer
        # Of this object, not of the class: it has what the object has.
        self.predicts_values = callable(getattr(scorer, "predict_by_row", None))  # type: ignore[misc]

    @staticmethod
    def fits(scorer: object) -> bool:
        """Return whether an object has what is needed."""
        return all(callable(getattr(scorer, method, None)) for method in ("fit", "score_block"))

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: what it makes of them is the object's affair."""
        return True

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the object as the one parameter."""
        return {"scorer": self.scorer}

    def config(self) -> dict[str, Any]:
        """Return the class of the object."""
        cls = type(self.scorer)
        return {"class": f"{cls.__module__}.{cls.__qualname__}"}

    def _fit(self, data: Interactions, progress: Progress) -> None:
        fitted = copy.deepcopy(self.scorer)
        fitted.fit(data)
        self._fitted = fitted

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        return self._checked_scores(self._fitted.score_block(rows), len(rows))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores for new users, from what they did; see `Model.score_histories`."""
        self.check_folds_in()
        self._check_histories(rows)
        return self._checked_scores(self._fitted.score_histories(rows), rows.n_rows)

    def _checked_scores(self, scores: Any, n_rows: int) -> Float32Array:
        try:
            block = np.array(scores, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"{self._owner}: the scores are no numbers: {error}.") from None
        if block.shape != (n_rows, self.n_items_):
            raise InputError(
                f"{self._owner}: the scores have shape {block.shape}; expected {(n_rows, self.n_items_)}, "
                f"one row for each user asked for and one column for each item."
            )
        return block

    @property
    def _owner(self) -> str:
        return type(self.scorer).__name__

    @property
    def folds_in(self) -> bool:
        """Whether the object has ``score_histories``."""
        return callable(getattr(self.scorer, "score_histories", None))

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values of pairs; see `Model.predict_by_row`."""
        if not self.predicts_values:
            return super().predict_by_row(users, items)
        self._check_fitted()
        return np.asarray(self._fitted.predict_by_row(users, items), dtype=np.float32)

    def to_arrays(self) -> NoReturn:
        """Raise ModelError: what the object learned is not known."""
        raise ModelError(
            f"{self._owner} is no recsys.Model, so that what it learned cannot be saved; derive it from "
            f"recsys.Model, and register it by recsys.register_model, to have it in a bundle."
        )

    def restore(self, arrays: Mapping[str, AnyArray]) -> NoReturn:
        """Raise ModelError: there is nothing to restore from."""
        self.to_arrays()
