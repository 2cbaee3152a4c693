"""What every model answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.models.estimator import Estimator
from recsys.models.row_numbers import NoPredict, NoRecommend, checked_rows
from recsys.models.score_parts import ScoreParts
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

_BLOCK_BYTES = 64 * 2**20  # of the histories that are folded in at a time

if TYPE_CHECKING:
    from recsys.models.factor_model import FactorModel
    from recsys.models.item_item import ItemItemModel


class Model(Estimator):
    """A recommender: parameters in, `fit`, then scores for any block of users.

    Parameters are dataclass fields and are checked by `fit`, as in scikit-learn; what is learned
    ends in an underscore. A second `fit` starts afresh.

    Examples
    --------
    >>> from recsys import Popularity
    >>> model = Popularity().fit([[1, 1, 0], [1, 0, 0]])
    >>> model.score_block([0]).shape
    (1, 3)
    """

    predicts_values: ClassVar[bool] = False
    """Whether `predict_by_row` gives values in the units of the log (ratings), so that rmse makes sense."""
    ranks_by_value: ClassVar[bool] = False
    """Whether lists are in the order of predicted values: then what few rated, and rated high, leads them."""
    is_sampled: ClassVar[bool] = False
    """Whether `fit` draws from a posterior: its history then wanders instead of descending."""
    has_themes: ClassVar[bool] = False
    """Whether scores are sums of non-negative parts, of which some are components: see `component_model`."""

    lists_only_params: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Parameters that leave out what only predicted values need, for where lists alone are measured."""

    if not TYPE_CHECKING:  # a class of somebody's own may have one
        predict = NoPredict()
        recommend = NoRecommend()

    # -- row numbers ----------------------------------------------------------------------------
    def _check_users(self, users: AnyArray) -> Int64Array:
        self._check_fitted()
        return checked_rows(users, self.n_users_, "user")

    def _check_pairs(self, users: AnyArray, items: AnyArray) -> tuple[Int64Array, Int64Array]:
        """Return row numbers of pairs, -1 standing for an unknown one, or raise InputError."""
        self._check_fitted()
        user_rows = checked_rows(users, self.n_users_, "user", lowest=-1)
        item_rows = checked_rows(items, self.n_items_, "item", lowest=-1)
        if len(user_rows) != len(item_rows):
            raise InputError(f"{len(user_rows)} users and {len(item_rows)} items; expected pairs.")
        return user_rows, item_rows

    # -- answers --------------------------------------------------------------------------------
    @abstractmethod
    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users.

        Parameters
        ----------
        users : int, shape (n_block,)
            Row numbers of the training data.

        Returns
        -------
        float32, shape (n_block, n_items)
            Higher is better; a fresh array the caller may overwrite.
        """

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users who were not trained on, from what they did.

        Parameters
        ----------
        rows : CompressedRows, (n_new_users, n_items)
            The entries of each; columns are the items of the training data. A row may be empty.

        Returns
        -------
        float32, shape (n_new_users, n_items)
            Higher is better; of a model that ranks by values, in the units of the log. A fresh array.
            A row's scores do not depend on the other rows.

        Raises
        ------
        ModelError
            If the model knows only the users it was trained on.
        InputError
            If the number of items is another.
        """
        raise self._knows_only_its_users()

    @property
    def folds_in(self) -> bool:
        """Whether `score_histories` answers."""
        return type(self).score_histories is not Model.score_histories

    def check_folds_in(self) -> None:
        """Raise ModelError, which names the model, if `score_histories` does not answer."""
        if not self.folds_in:
            raise self._knows_only_its_users()

    def _knows_only_its_users(self) -> ModelError:
        return ModelError(
            f"{self.name} knows only the users it was trained on; for users held out as a whole take a model "
            f"that can fold in a history, such as masked-nmf, weighted-nmf or popularity."
        )

    def _check_histories(self, rows: CompressedRows) -> None:
        self._check_fitted()
        if rows.n_columns != self.n_items_:
            raise InputError(
                f"the histories have {rows.n_columns} items; expected the {self.n_items_} of training."
            )

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values of pairs, in the units of the log; by ids, see `Bundle.predict`.

        Parameters
        ----------
        users, items : int, shape (n_pairs,)
            Row numbers of the training data, no ids; -1 for what training does not know.

        Raises
        ------
        InputError
            If they are no row numbers, or not as many users as items.
        ModelError
            If the model ranks but does not predict values.
        """
        raise ModelError(f"{self.name} ranks items but predicts no values.")

    def predict_histories(self, rows: CompressedRows) -> Float32Array:
        """Return predicted values of all items for users who were not trained on.

        Parameters and errors are those of `score_histories`; asked only of a model that predicts values.

        Returns
        -------
        float32, (n_new_users, n_items)
            In the units of the log.
        """
        return self.score_histories(rows)

    @property
    def scores_from_zero(self) -> bool:
        """Whether no score is below 0, and one of 0 says that nothing speaks for the item."""
        return False

    @property
    def stored_per_row(self) -> float | None:
        """Numbers stored for a user or an item on average, where there are factors."""
        return None

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each training user whether nothing is known of them, so that all scores are 0.

        Parameters
        ----------
        users : int, (n,), optional
            Row numbers; all users by default.

        Returns
        -------
        bool, (n,)
        """
        self._check_fitted()
        return np.zeros(self.n_users_ if users is None else len(users), dtype=bool)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts | None:
        """Return a training user's scores for some items, taken apart.

        Parameters
        ----------
        user : int
            Row number of the training data.
        items : int, (n_items,)
            Row numbers of items.

        Returns
        -------
        ScoreParts or None
            Its totals are the scores; None for a model whose scores are not known to be sums of parts.
        """
        return None

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts | None:
        """Return the scores of a user known by a history alone, taken apart; see `score_parts`.

        Parameters
        ----------
        history : CompressedRows, (1, n_items_)
        items : int, (n_items,)

        Raises
        ------
        ModelError
            If the model knows only the users it was trained on.
        """
        return None

    def history_components(self, rows: CompressedRows) -> Float32Array | None:
        """Return the factors of new users in the components of `component_model`, items held.

        Parameters
        ----------
        rows : CompressedRows, (n_new_users, n_items)
            The entries of each.

        Returns
        -------
        float32, (n_new_users, n_components), or None
            None for a model without non-negative components.
        """
        return None

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return scores of some items for users who were not trained on, to be compared within the items.

        A mean and biases of users, which are the same for all items, may be left out; see `score_histories`.

        Parameters
        ----------
        rows : CompressedRows, (n_new_users, n_items_)
        items : int, (n_items,)
            Row numbers of items.

        Returns
        -------
        float32, (n_new_users, n_items)
        """
        return self.score_histories(rows)[:, np.asarray(items, dtype=np.int64)]

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores of some items for a user's history, and for it without each of some entries.

        Parameters
        ----------
        history : CompressedRows, (1, n_items_)
        removed : int64, (n_removed,)
            Which entries, each to be left out alone.
        items : int, (n_items,)
            Row numbers of items.

        Returns
        -------
        float64, (1 + n_removed, n_items)
            The first row is of the whole history. What is the same for all items of a user may be left out;
            see `scores_of_items`.
        """
        kept = np.ones((1 + len(removed), history.nnz), dtype=bool)
        kept[1 + np.arange(len(removed)), removed] = False
        step = max(1, _BLOCK_BYTES // (8 * max(history.nnz, 1)))
        blocks = [
            self.scores_of_items(history.variants(kept[start : start + step]), items)
            for start in range(0, len(kept), step)
        ]
        return np.concatenate(blocks).astype(np.float64)

    def as_of_user(self, user: int) -> Self:
        """Return the model as it reads histories of a training user, of whom it may know more than of others.

        Such as when each entry was made. For asking what scores come to without some of a user's entries.

        Parameters
        ----------
        user : int
            Row number of the training data.
        """
        return self

    @property
    def neighbor_model(self) -> ItemItemModel | None:
        """The model or the part of it whose scores are sums over past items."""
        return None

    @property
    def component_model(self) -> FactorModel | None:
        """The model or the part of it whose components are non-negative parts of its scores."""
        return None
