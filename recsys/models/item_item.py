"""Models that score an item by what the user's history says of it, item by item."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.models.base import Model
from recsys.models.score_parts import ScoreParts, parts_from_past
from recsys.models.stored_arrays import numbers_were_checked, require
from recsys.models.values import above_base, preferences, resolved_transform, training_preferences
from recsys.progress import Progress
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


class ItemItemModel(Model):
    """A model whose scores are a history times a matrix of items by items.

    The history of a training user is part of what is learned, and of the bundle: 8 bytes an entry.

    Attributes
    ----------
    histories_ : CompressedRows, (n_users, n_items)
        What each user has, in units of ``unit_``.
    unit_ : float
        Root mean square of the preferences; dividing by it keeps sums within single precision.
    base_ : float
        The rating that says what an absent cell says: the lowest where that is below 0 and the model cannot
        take it as it is, else 0. Ratings count as how far they are above it.
    """

    is_signed: ClassVar[bool] = False
    """Whether a past item may speak against an item."""
    value_transform: str
    histories_: CompressedRows
    unit_: float
    base_: float

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: they are counted from the lowest."""
        return True

    @property
    def scores_from_zero(self) -> bool:
        """Whether 0 says that no past item speaks for an item."""
        return not self.is_signed

    def _fit(self, data: Interactions, progress: Progress) -> None:
        self._fit_items(self._take_histories(data), progress)

    def _take_histories(self, data: Interactions) -> CompressedRows:
        """Keep the histories of data in units, and return their preferences, (n_users, n_items)."""
        transform = resolved_transform(self.value_transform, data.feedback)
        is_based = transform == "log" or (transform == "raw" and not self.is_signed)
        self.base_ = min(float(data.by_user.values.min()), 0.0) if is_based else 0.0
        rows = training_preferences(replace(data, by_user=above_base(data.by_user, self.base_)), transform)
        self.unit_ = float(np.sqrt(np.mean(np.square(rows.values, dtype=np.float64))))
        self.histories_ = self._in_units(rows)
        return rows

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"value_transform": resolved_transform(self.value_transform, data.feedback)}

    @abstractmethod
    def _fit_items(self, rows: CompressedRows, progress: Progress) -> None:
        """Learn how items go together from preferences, (n_users, n_items)."""

    @abstractmethod
    def _scores(self, histories: CompressedRows) -> Float32Array:
        """Return scores of all items for histories in units, each row on its own."""

    def _counted(self, rows: CompressedRows) -> CompressedRows:
        """Return what the entries of other histories count, in units."""
        transform = str(self.fitted_params_["value_transform"])
        return self._in_units(preferences(above_base(rows, self.base_), transform))

    def _in_units(self, rows: CompressedRows) -> CompressedRows:
        most = float(np.finfo(np.float32).max) ** 0.5
        return rows.with_values(
            np.clip(rows.values.astype(np.float64) / self.unit_, -most, most).astype(np.float32)
        )

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        return self._scores(self.histories_.select(rows))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users with other histories; see `Model.score_histories`."""
        self._check_histories(rows)
        return self._scores(self._counted(rows))

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts:
        """Return a user's scores as what each past item adds; see `Model.score_parts`."""
        return self._parts(self.histories_.select(self._check_users(np.array([user]))), items)

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        """Return a new user's scores as what each past item adds; see `Model.history_score_parts`."""
        self._check_histories(history)
        return self._parts(self._counted(history), items)

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        parts = self.history_score_parts(history, items)
        assert parts.from_past is not None
        added = np.zeros((history.nnz, len(parts.item_bias)))
        added[np.searchsorted(history.columns, parts.past_items)] = parts.from_past.T
        whole = added.sum(axis=0)
        return np.vstack([whole, whole - added[removed]])

    def _parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        past, values = history.row(0)
        weights = self.weights_between(past, np.asarray(items, dtype=np.int64))
        return parts_from_past(past, values, weights, is_signed=self.is_signed)

    @abstractmethod
    def weights_between(self, past: Int32Array, items: Int64Array) -> AnyArray:
        """Return what an entry of 1 of each past item adds to the scores of some items.

        Parameters
        ----------
        past : int32, (n_past,)
        items : int64, (n_items,)
            Row numbers.

        Returns
        -------
        float, (n_past, n_items)
        """

    @property
    def neighbor_model(self) -> ItemItemModel:
        """The model itself; see `Model.neighbor_model`."""
        return self

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each training user whether the history is empty; see `Model.is_blank`."""
        self._check_fitted()
        counts = self.histories_.counts if users is None else self.histories_.counts_of(users)
        return np.asarray(counts == 0)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        arrays = {**rows_to_arrays("histories", self.histories_), "unit": np.array([self.unit_])}
        return {**arrays, "base": np.array([self.base_])} if self.base_ else arrays

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        n_items = self._restore_items(arrays)
        unit = require(arrays, "unit", np.float64, 1)
        if len(unit) != 1 or not unit[0] > 0:
            raise ModelError(f"array 'unit' holds {unit.tolist()}; expected one number above 0.")
        base = require(arrays, "base", np.float64, 1) if "base" in arrays else np.zeros(1)
        if len(base) != 1 or not base[0] <= 0:
            raise ModelError(f"array 'base' holds {base.tolist()}; expected one number of at most 0.")
        self.histories_ = rows_from_arrays("histories", arrays, n_items)
        self.base_ = float(base[0])
        self.unit_ = float(unit[0])
        self.n_users_, self.n_items_ = self.histories_.n_rows, n_items

    @abstractmethod
    def _restore_items(self, arrays: Mapping[str, AnyArray]) -> int:
        """Take back the matrix of items by items and return the number of items."""


def rows_to_arrays(name: str, rows: CompressedRows) -> dict[str, AnyArray]:
    """Return the three arrays of sparse rows under names that begin with ``name``."""
    return {f"{name}_indptr": rows.indptr, f"{name}_columns": rows.columns, f"{name}_values": rows.values}


def rows_from_arrays(name: str, arrays: Mapping[str, AnyArray], n_columns: int) -> CompressedRows:
    """Return the rows that `rows_to_arrays` took apart, or raise ModelError if they do not fit together."""
    indptr = require(arrays, f"{name}_indptr", np.int64, 1)
    columns = require(arrays, f"{name}_columns", np.int32, 1)
    values = require(arrays, f"{name}_values", np.float32, 1)
    if (
        len(indptr) == 0
        or indptr[0] != 0
        or indptr[-1] != len(columns)
        or len(values) != len(columns)
        or not (numbers_were_checked(arrays) or _fits(indptr, columns, n_columns))
    ):
        raise ModelError(f"the arrays of {name!r} are no sparse rows of {n_columns} columns.")
    return CompressedRows(indptr, columns, values, n_columns)


def _fits(indptr: Int64Array, columns: Int32Array, n_columns: int) -> bool:
    """Return whether pointers ascend, and columns are among n."""
    has_column = not len(columns) or (columns.min() >= 0 and columns.max() < n_columns)
    return bool(has_column and np.all(indptr[1:] >= indptr[:-1]))  # a difference may leave int64
