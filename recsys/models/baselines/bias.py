"""The floor under every prediction of ratings: the mean, and what user and item stand above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.models.base import Model
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.score_parts import ScoreParts
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array

_CLOSE = 1e-9  # of the spread of the values: what a last round may still change
_MOST_ROUNDS = 10_000


@register_model
@dataclass(eq=False)
class Bias(Model):
    """Ratings as a mean, how a user rates and how an item is rated; the same ranking for everyone.

    Minimises ``sum (x_ui - mean - b_u - a_i)^2 + bias_l2 (|b|^2 + |a|^2)`` over the observed entries,
    the mean being theirs, by solving one side after the other exactly until neither moves (Koren 2008,
    section 2.1). What a rating would be for an average user ranks the items.

    Attributes
    ----------
    user_bias_, item_bias_ : float64, (n_users,), (n_items,)
    mean_ : float
    value_range_ : tuple of float
        Least and largest value seen; predictions stay inside if ``clip`` is set.

    Examples
    --------
    >>> from recsys import Bias, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob"], ["tea", "milk", "tea", "jam"]
    >>> data = Interactions.from_pairs(users, items, [5, 4, 3, 1])
    >>> model = Bias().fit(data)
    >>> data.item_ids.values[model.item_bias_.argmax()]
    'tea'
    """

    name: ClassVar[str] = "bias"
    predicts_values: ClassVar[bool] = True
    ranks_by_value: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"

    bias_l2: float = param(
        5.0,
        "squared penalty on biases, as so many ratings at the mean",
        minimum=0,
        search=Range(0.5, 50.0, log=True),
    )
    clip: bool = param(True, "keep predictions inside the range of the values seen")

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: the mean and biases may be, too."""
        return True

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rows = data.by_user
        values = rows.values.astype(np.float64)
        users, items = rows.row_numbers, rows.columns
        self.mean_ = float(values.mean())
        self.value_range_ = (float(values.min()), float(values.max()))
        rest = values - self.mean_
        spread = float(np.abs(rest).max())
        b: Float64Array = np.zeros(rows.n_rows)
        a: Float64Array = np.zeros(rows.n_columns)
        n_users, n_items = rows.counts, np.bincount(items, minlength=rows.n_columns)
        for _ in range(_MOST_ROUNDS):
            before = a
            b = _shrunk(np.bincount(users, rest - a[items], rows.n_rows), n_users, self.bias_l2)
            a = _shrunk(np.bincount(items, rest - b[users], rows.n_columns), n_items, self.bias_l2)
            if float(np.abs(a - before).max()) <= _CLOSE * spread:
                break
        self.user_bias_, self.item_bias_ = b, a

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: five numbers an entry, and five a user and an item."""
        return 40 * (data.nnz + data.n_users + data.n_items)

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        return self._scores(self.user_bias_[rows])

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users with other histories; see `Model.score_histories`."""
        self._check_histories(rows)
        return self._scores(self._fold_in(rows))

    def _fold_in(self, rows: CompressedRows) -> Float64Array:
        """Return how new users rate above the mean, (n_new_users,)."""
        rest = rows.values.astype(np.float64) - self.mean_ - self.item_bias_[rows.columns]
        return _shrunk(np.bincount(rows.row_numbers, rest, rows.n_rows), rows.counts, self.bias_l2)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts:
        """Return scores as a mean and biases; see `Model.score_parts`."""
        return self._parts(self.user_bias_[self._check_users(np.array([user]))], items)

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        """Return a new user's scores as a mean and biases; see `Model.history_score_parts`."""
        self._check_histories(history)
        return self._parts(self._fold_in(history), items)

    def _parts(self, user_bias: Float64Array, items: AnyArray) -> ScoreParts:
        item_bias = self.item_bias_[np.asarray(items, dtype=np.int64)]
        return ScoreParts(item_bias, base=self.mean_, user_bias=float(user_bias[0]))

    def _scores(self, user_bias: Float64Array) -> Float32Array:
        return np.add.outer(user_bias, self.mean_ + self.item_bias_).astype(np.float32)

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values, an unknown side (-1) as the average; see `Model.predict_by_row`."""
        sides = self._check_pairs(users, items)
        predicted = np.full(len(sides[0]), self.mean_)
        for rows, bias in zip(sides, (self.user_bias_, self.item_bias_), strict=True):
            predicted += np.append(bias, 0.0)[rows]
        return (np.clip(predicted, *self.value_range_) if self.clip else predicted).astype(np.float32)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        return {
            "user_bias": self.user_bias_,
            "item_bias": self.item_bias_,
            "values": np.array([self.mean_, *self.value_range_]),
        }

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        b, a, values = (require(arrays, name, np.float64, 1) for name in ("user_bias", "item_bias", "values"))
        if len(values) != 3:
            raise ModelError(f"array 'values' has {len(values)} numbers; expected mean, least and largest.")
        self.user_bias_, self.item_bias_ = b, a
        self.mean_, self.value_range_ = float(values[0]), (float(values[1]), float(values[2]))
        self.n_users_, self.n_items_ = len(b), len(a)


def _shrunk(totals: AnyArray, counts: Int64Array, l2: float) -> Float64Array:
    """Return means that lean to zero; 0 where nothing is counted."""
    below = counts.astype(np.float64) + l2
    means: Float64Array = np.zeros(len(counts))
    return np.divide(totals, below, out=means, where=below > 0)
