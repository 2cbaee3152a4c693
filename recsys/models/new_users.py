"""A fitted model before users it was not trained on."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.models.base import Model
from recsys.typing import AnyArray, Float32Array

_BLOCK_BYTES = 64 * 2**20


class NewUsers:
    """Answers of a model for users known by their history alone, their row numbers being its rows.

    Stands where a fitted `Model` stands in ranking and evaluation.

    Parameters
    ----------
    model : Model
        Fitted; it has to answer `Model.score_histories`.
    histories : CompressedRows, (n_new_users, n_items)
        The history of each; items as in its training data.
    value_range : (float, float), optional
        Inside which predicted values are kept; by default the range of the values in all histories.

    Raises
    ------
    InputError
        If the histories are of other items than the model.
    """

    def __init__(
        self, model: Model, histories: CompressedRows, *, value_range: tuple[float, float] | None = None
    ) -> None:
        if histories.n_columns != model.n_items_:
            raise InputError(
                f"the histories have {histories.n_columns} items; {model.name} was trained on "
                f"{model.n_items_}, expected the same ones in the same order."
            )
        self.model = model
        self.histories, self._value_range = histories, value_range
        self.name = model.name
        self.predicts_values = model.predicts_values
        self.ranks_by_value = model.ranks_by_value
        self.scores_from_zero = model.scores_from_zero
        self.feedback = model.feedback
        self.n_users_, self.n_items_ = histories.n_rows, model.n_items_

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of new users; see `Model.score_block`."""
        return self.model.score_histories(self.histories.select(np.asarray(users, dtype=np.int64)))

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values of pairs, kept inside the range that was given or that of all histories.

        An item unknown to training (-1) takes the mean of the user's history, an unknown user the
        mean of all histories; see `Model.predict_by_row`.
        """
        user_rows, item_rows = np.asarray(users, np.int64), np.asarray(items, np.int64)
        values = self.histories.values.astype(np.float64)
        sums = np.bincount(self.histories.row_numbers, weights=values, minlength=self.n_users_)
        means = np.full(self.n_users_, values.mean())
        np.divide(sums, self.histories.counts, out=means, where=self.histories.counts > 0)
        predicted = np.where(user_rows < 0, values.mean(), means[user_rows]).astype(np.float32)
        known = np.flatnonzero((user_rows >= 0) & (item_rows >= 0))
        known = known[np.argsort(user_rows[known], kind="stable")]
        users, starts = np.unique(user_rows[known], return_index=True)
        step = max(1, _BLOCK_BYTES // (4 * self.n_items_))
        for start in range(0, len(users), step):
            block = users[start : start + step]
            end = starts[start + step] if start + step < len(users) else len(known)
            pairs = known[starts[start] : end]
            values_of = self.model.predict_histories(self.histories.select(np.asarray(block, dtype=np.int64)))
            predicted[pairs] = values_of[np.searchsorted(block, user_rows[pairs]), item_rows[pairs]]
        low, high = self._value_range or (values.min(), values.max())
        return np.clip(predicted, np.float32(low), np.float32(high))
