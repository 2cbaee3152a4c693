"""What every model answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from recsys import memory
from recsys.checkpoints import GivenCheckpoint, opened
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError, NotFittedError, ParameterError
from recsys.factorization.history import History
from recsys.models import parameters
from recsys.models.fit_state import fit_of
from recsys.models.observed_entries import checked_entries
from recsys.models.row_numbers import NoPredict, NoRecommend, checked_rows
from recsys.models.score_parts import ScoreParts
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

_BLOCK_BYTES = 64 * 2**20  # of the histories that are folded in at a time

if TYPE_CHECKING:
    from recsys.models.factor_model import FactorModel
    from recsys.models.item_item import ItemItemModel


class Model(ABC):
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

    name: ClassVar[str]
    predicts_values: ClassVar[bool] = False
    """Whether `predict_by_row` gives values in the units of the log (ratings), so that rmse makes sense."""
    ranks_by_value: ClassVar[bool] = False
    """Whether lists are in the order of predicted values: then what few rated, and rated high, leads them."""
    is_sampled: ClassVar[bool] = False
    """Whether `fit` draws from a posterior: its history then wanders instead of descending."""
    feedback: ClassVar[Feedback] = "implicit"
    """How a plain matrix given to `fit` is read."""
    has_themes: ClassVar[bool] = False
    """Whether scores are sums of non-negative parts, of which some are components: see `component_model`."""

    shows_iterations: ClassVar[bool] = False
    """Whether `fit` hands the model as it stands after each iteration to a listener's ``snapshot``."""
    keeps_checkpoints: ClassVar[bool] = False
    """Whether `fit` takes a checkpoint, which `_fit` is then given opened, as ``keeper``."""

    lists_only_params: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Parameters that leave out what only predicted values need, for where lists alone are measured."""

    n_users_: int
    n_items_: int
    fitted_params_: dict[str, Any]
    _fitted_to: tuple[Ids, Ids, int] | None = None
    if not TYPE_CHECKING:  # a class of somebody's own may have one
        predict = NoPredict()
        recommend = NoRecommend()

    # -- parameters, as scikit-learn has them ---------------------------------------------------
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {item["name"]: getattr(self, item["name"]) for item in parameters.describe(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; unknown names raise ParameterError."""
        params = parameters.current_names(type(self), params)
        parameters.check_names(type(self), params, self.name)
        for key, value in params.items():
            setattr(self, key, value)
        return self

    def config(self) -> dict[str, Any]:
        """Return the parameters as plain values: those of the fit, defaults filled in, or today's."""
        params = getattr(self, "fitted_params_", None) or self.get_params()
        return {
            key: value.item() if isinstance(value, np.generic) else value for key, value in params.items()
        }

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0, with these parameters."""
        return False

    # -- fitting --------------------------------------------------------------------------------
    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        progress: GivenProgress = SILENT,
        checkpoint: GivenCheckpoint = None,
    ) -> Self:
        """Learn from interactions.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like, shape (n_users, n_items)
            Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.
        y : None
            Ignored.
        progress : bool, callable or Progress
            Is notified of each iteration: True shows them, a function such as ``print`` is given a line each.
        checkpoint : Checkpoint, optional
            Keeps where the fit stands, and has it go on from there after its process was killed.

        Raises
        ------
        ParameterError
            If a parameter has the wrong type or is out of range, or the model keeps no checkpoints.
        InputError
            If the data is empty or not finite, or negative where the model cannot take that, or the
            checkpoint is of another fit.
        KeyboardInterrupt
            If interrupted. A model whose `history` then says "interrupted" is fitted all the same:
            it holds the best state so far.
        """
        self.check_checkpoint(checkpoint)
        data = self._checked(X)
        with opened(checkpoint, lambda: fit_of(self.name, self.get_params(), data)) as keeper:
            fit: Any = self._fit  # a model that keeps no checkpoints knows of no keeper
            fit(data, listener(progress), **({"keeper": keeper} if self.keeps_checkpoints else {}))
        return self._finished(data)

    def check_checkpoint(self, checkpoint: object) -> None:
        """Raise ParameterError if a checkpoint is given to a model that keeps none."""
        if checkpoint is not None and not self.keeps_checkpoints:
            from recsys.models.registry import models_with_checkpoints  # which imports this file

            raise ParameterError(
                f"{self.name} keeps no checkpoints; those that do are {', '.join(models_with_checkpoints())}."
            )

    def _checked(self, X: Any) -> Interactions:
        """Check parameters, data, and that there is the memory for both."""
        parameters.check(self, self.name)
        data = checked_entries(X, self.feedback)
        if data.nnz == 0:
            raise InputError("there is no observed entry to learn from.")
        self.check_signs(data.by_user.values)
        memory.check(
            self.fit_bytes(data),
            f"{self.name}: {data.n_users:,} users, {data.n_items:,} items and {data.nnz:,} entries",
            self.less_memory,
        )
        return data

    def check_signs(self, values: AnyArray) -> None:
        """Raise InputError if a value is below 0 and the model, with its parameters, cannot take it."""
        if not self.takes_negative and np.any(np.less(values, 0)):
            from recsys.models.registry import models_of_any_sign  # which imports this file

            raise InputError(
                f"a value is {np.min(values):g}: Negative values in data are nothing that {self.name} can "
                f"learn from with these parameters; of ratings below 0 learn "
                f"{', '.join(models_of_any_sign())}."
            )

    def _finished(self, data: Interactions) -> Self:
        """Note what was fitted, and let an interrupt that came on the way go on its way."""
        self.fitted_params_ = self.get_params() | self._resolved_params(data)
        self._note_data(data)
        if self.history is not None and self.history.stopped == "interrupted":
            raise KeyboardInterrupt
        return self

    def _note_data(self, data: Interactions) -> None:
        """Note which users, items and how many entries were fitted."""
        self.n_users_, self.n_items_ = data.n_users, data.n_items
        self._fitted_to = data.user_ids, data.item_ids, data.nnz

    def check_fitted_to(self, data: Interactions) -> None:
        """Raise ModelError if a model was fitted to other data, as far as it knows; a loaded one does not."""
        self._check_fitted()
        if (self.n_users_, self.n_items_) != (data.n_users, data.n_items):
            raise ModelError(
                f"the model was fitted to {self.n_users_} x {self.n_items_}, "
                f"the data is {data.n_users} x {data.n_items}."
            )
        if self._fitted_to is None:
            return
        *ids, nnz = self._fitted_to
        for kind, fitted, given in zip(("users", "items"), ids, (data.user_ids, data.item_ids), strict=True):
            if fitted is not given and not np.array_equal(fitted.values, given.values):
                raise ModelError(f"the model was fitted to other {kind}, or to these in another order.")
        if nnz != data.nnz:
            raise ModelError(
                f"the model was fitted to {nnz:,} entries, the data has {data.nnz:,}; "
                f"give what it was fitted to last."
            )

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes beside its data: factors three times, entries twice.

        Read off peaks by `tests/benchmarks/memory_estimates.py`.
        """
        rank = int(getattr(self, "n_components", None) or 0)
        return 4 * 3 * rank * (data.n_users + data.n_items) + 28 * data.nnz

    less_memory: ClassVar[str] = "take fewer components, or leave out rare users and items"
    """What to change where a fit takes more memory than there is."""

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        """Return the parameters whose values the data decided."""
        return {}

    @classmethod
    def current_config(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under the names and values of today."""
        return parameters.current_names(cls, config, warn=False)

    @abstractmethod
    def _fit(self, data: Interactions, progress: Progress) -> None:
        """Learn from checked data."""

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` has been called."""
        return hasattr(self, "n_users_")

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise NotFittedError(f"{self.name} is not trained yet; call fit first.")

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
    def history(self) -> History | None:
        """How the training went, where it is iterative."""
        return None

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

    # -- the bundle -----------------------------------------------------------------------------
    @abstractmethod
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""

    def load(
        self,
        arrays: Mapping[str, AnyArray],
        *,
        history: History | None = None,
        ids: tuple[Ids, Ids] | None = None,
    ) -> None:
        """Become the fitted model that was stored: one with these parameters.

        Parameters
        ----------
        arrays : mapping of str to array
            As by `to_arrays`.
        history : History, optional
            How its training went.
        ids : (Ids, Ids), optional
            Its users and items, by row number.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape.
        """
        self.fitted_params_ = self.get_params()
        self.restore(arrays)

    @abstractmethod
    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape.
        """
