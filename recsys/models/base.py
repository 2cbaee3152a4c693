"""What every model answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import InputError, ModelError, NotFittedError
from recsys.factorization.history import History
from recsys.kernels.scoring import score_block, score_pairs
from recsys.models import parameters
from recsys.progress import SILENT, Progress
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array


class Model(ABC):
    """A recommender: parameters in, `fit`, then scores for any block of users.

    Parameters are dataclass fields and are checked by `fit`, as in scikit-learn; what is learned
    ends in an underscore. A second `fit` starts afresh.
    """

    name: ClassVar[str]
    predicts_values: ClassVar[bool] = False
    """Whether `predict` gives values in the units of the log (ratings), so that rmse makes sense."""
    feedback: ClassVar[Feedback] = "implicit"
    """How a plain matrix given to `fit` is read."""

    n_users_: int
    n_items_: int
    fitted_params_: dict[str, Any]

    # -- parameters, as scikit-learn has them ---------------------------------------------------
    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""
        return {item["name"]: getattr(self, item["name"]) for item in parameters.describe(type(self))}

    def set_params(self, **params: Any) -> Self:
        """Change parameters; unknown names raise ParameterError."""
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

    # -- fitting --------------------------------------------------------------------------------
    def fit(self, X: Any, y: None = None, *, progress: Progress = SILENT) -> Self:
        """Learn from interactions.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like, shape (n_users, n_items)
            Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.
        y : None
            Ignored.
        progress : Progress
            Hears of each iteration.

        Raises
        ------
        ParameterError
            If a parameter has the wrong type or is out of range.
        InputError
            If the data is empty, negative or not finite.
        KeyboardInterrupt
            If interrupted. A model whose `history` then says "interrupted" is fitted all the same:
            it holds the best state so far.
        """
        data = self._checked(X)
        self._fit(data, progress)
        return self._finished(data)

    def _checked(self, X: Any) -> Interactions:
        """Check parameters and data."""
        parameters.check(self, self.name)
        data = X if isinstance(X, Interactions) else Interactions.from_matrix(X, feedback=self.feedback)
        if data.nnz == 0:
            raise InputError("there is no observed entry to learn from.")
        return data

    def _finished(self, data: Interactions) -> Self:
        """Note what was fitted, and let an interrupt that came on the way go on its way."""
        self.fitted_params_ = self.get_params() | self._filled_in(data)
        self.n_users_, self.n_items_ = data.n_users, data.n_items
        if self.history is not None and self.history.stopped == "interrupted":
            raise KeyboardInterrupt
        return self

    def _filled_in(self, data: Interactions) -> dict[str, Any]:
        """Return the parameters whose values the data decided."""
        return {}

    @classmethod
    def todays(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under the names that parameters have today."""
        return dict(config)

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
        rows = np.asarray(users, dtype=np.int64)
        if len(rows) and (rows.min() < 0 or rows.max() >= self.n_users_):
            raise InputError(
                f"user rows run from {rows.min()} to {rows.max()}; expected 0 to {self.n_users_ - 1}."
            )
        return rows

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

    def predict(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values of pairs, in the units of the log.

        Parameters
        ----------
        users, items : int, shape (n_pairs,)
            Row numbers of the training data; -1 for what training does not know.

        Raises
        ------
        ModelError
            If the model ranks but does not predict values.
        """
        raise ModelError(f"{self.name} ranks items but predicts no values, so it has no rmse or mae.")

    @property
    def history(self) -> History | None:
        """How the training went, where it is iterative."""
        return None

    # -- the bundle -----------------------------------------------------------------------------
    @abstractmethod
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape.
        """


class FactorModel(Model):
    """A model whose scores are sums over themes (latent dimensions).

    Attributes
    ----------
    user_factors_, item_factors_ : float32, (n_users, n_components), (n_items, n_components)
    user_bias_, item_bias_ : float32, (n_users,), (n_items,)
        Zeros where the model has none.
    mean_ : float
    shares_ : float64, (n_components,)
        Each theme's share of what the products explain of the observed entries.
    history_ : History or None
    stability_ : float64, (n_components,), or None
        How alike each theme is in other starts, where several were run.
    """

    has_themes: ClassVar[bool] = True
    """Whether factors are non-negative, so that contributions are parts of a sum."""

    n_components: int
    user_factors_: Float32Array
    item_factors_: Float32Array
    user_bias_: Float32Array
    item_bias_: Float32Array
    shares_: Float64Array
    mean_: float
    stability_: Float64Array | None = None
    history_: History | None = None
    _by_theme: Float32Array | None = None

    def _learned(
        self,
        user_factors: Float32Array,
        item_factors: Float32Array,
        *,
        user_bias: Float32Array | None = None,
        item_bias: Float32Array | None = None,
        mean: float = 0.0,
        shares: Float64Array | None = None,
        history: History | None = None,
    ) -> None:
        n_users, n_items = len(user_factors), len(item_factors)
        self.user_factors_ = np.ascontiguousarray(user_factors, dtype=np.float32)
        self.item_factors_ = np.ascontiguousarray(item_factors, dtype=np.float32)
        self.user_bias_ = np.zeros(n_users, np.float32) if user_bias is None else user_bias
        self.item_bias_ = np.zeros(n_items, np.float32) if item_bias is None else item_bias
        self.shares_ = np.zeros(user_factors.shape[1]) if shares is None else shares
        self.mean_ = mean
        self.history_ = history
        self._by_theme = None

    @property
    def components_(self) -> Float32Array:
        """Themes by item, (n_components, n_items), as scikit-learn lays them out."""
        self._check_fitted()
        return self.item_factors_.T

    @property
    def history(self) -> History | None:
        """How the training went."""
        return self.history_

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        if self._by_theme is None:
            self._by_theme = np.ascontiguousarray(self.item_factors_.T)
        scores = np.empty((len(rows), self.n_items_), dtype=np.float32)
        with threads.launch():
            score_block(
                self.user_factors_[rows],
                self._by_theme,
                self.user_bias_[rows] + np.float32(self.mean_),
                self.item_bias_,
                scores,
            )
        return scores

    def _check_pairs(self, users: AnyArray, items: AnyArray) -> tuple[Int64Array, Int64Array]:
        """Return row numbers of pairs, -1 standing for an unknown one, or raise InputError."""
        self._check_fitted()
        user_rows, item_rows = np.asarray(users, np.int64), np.asarray(items, np.int64)
        for rows, n, side in ((user_rows, self.n_users_, "user"), (item_rows, self.n_items_, "item")):
            if len(rows) and (rows.min() < -1 or rows.max() >= n):
                raise InputError(f"a {side} row is outside -1 to {n - 1}.")
        if len(user_rows) != len(item_rows):
            raise InputError(f"{len(user_rows)} users and {len(item_rows)} items; expected pairs.")
        return user_rows, item_rows

    def _products(self, users: AnyArray, items: AnyArray) -> Float32Array:
        user_rows, item_rows = self._check_pairs(users, items)
        scores = np.empty(len(user_rows), dtype=np.float32)
        with threads.launch():
            score_pairs(
                user_rows,
                item_rows,
                self.user_factors_,
                self.item_factors_,
                self.user_bias_,
                self.item_bias_,
                scores,
            )
        return scores

    def contributions(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return what each theme adds to the score of each pair, shape (n_pairs, n_components)."""
        rows = self._check_users(users)
        return self.user_factors_[rows] * self.item_factors_[np.asarray(items, dtype=np.int64)]

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        return {
            "user_factors": self.user_factors_,
            "item_factors": self.item_factors_,
            "user_bias": self.user_bias_,
            "item_bias": self.item_bias_,
            "mean": np.array([self.mean_]),
            "shares": self.shares_,
        }

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        at = {
            name: require(arrays, name, dtype, ndim)
            for name, dtype, ndim in (
                ("user_factors", np.float32, 2),
                ("item_factors", np.float32, 2),
                ("user_bias", np.float32, 1),
                ("item_bias", np.float32, 1),
                ("mean", np.float64, 1),
                ("shares", np.float64, 1),
            )
        }
        n_users, rank = at["user_factors"].shape
        n_items = len(at["item_factors"])
        if rank != self.n_components:
            raise ModelError(f"the factors have {rank} components; n_components is {self.n_components}.")
        wanted = {
            "item_factors": (n_items, rank),
            "user_bias": (n_users,),
            "item_bias": (n_items,),
            "mean": (1,),
            "shares": (rank,),
        }
        for name, shape in wanted.items():
            if at[name].shape != shape:
                raise ModelError(f"array {name!r} has shape {at[name].shape}; expected {shape}.")
        self._learned(
            at["user_factors"],
            at["item_factors"],
            user_bias=at["user_bias"],
            item_bias=at["item_bias"],
            mean=float(at["mean"][0]),
            shares=at["shares"],
        )
        self.n_users_, self.n_items_ = n_users, n_items


def require(arrays: Mapping[str, AnyArray], name: str, dtype: Any, ndim: int) -> Any:
    """Return a named array of the wanted kind with finite numbers, or raise ModelError."""
    if name not in arrays:
        raise ModelError(f"array {name!r} is missing.")
    array = arrays[name]
    if array.dtype != dtype or array.ndim != ndim:
        raise ModelError(
            f"array {name!r} is {array.dtype} with {array.ndim} dimensions; "
            f"expected {np.dtype(dtype)} with {ndim}."
        )
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        raise ModelError(f"array {name!r} holds a number that is not finite.")
    return array
