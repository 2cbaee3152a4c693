"""A model whose scores are sums over themes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from recsys import threads
from recsys.data.ids import Ids
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.factorization.history import History
from recsys.factorization.losses import Loss
from recsys.factorization.sides import Scorer, Side, dense_side, rows_of, theme_of
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.scoring import score_pairs
from recsys.models.base import Model, require
from recsys.models.sides import side_from_arrays, side_to_arrays
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array


class FactorModel(Model):
    """A model whose scores are sums over themes (latent dimensions).

    Attributes
    ----------
    user_factors_, item_factors_ : float32, (n_users, n_components), (n_items, n_components)
        A new array at each look where they are stored sparse; `user_rows` and `item_rows` give some.
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
    user_bias_: Float32Array
    item_bias_: Float32Array
    shares_: Float64Array
    mean_: float
    stability_: Float64Array | None = None
    history_: History | None = None
    ids_: tuple[Ids, Ids] | None = None
    """Users and items of a model that was loaded, by row number."""
    _users: Side
    _items: Side
    _scorer: Scorer | None = None
    _held: dict[Loss, Any]  # the items as new users are fitted to them, for the loss asked last

    def _learned(
        self,
        user_factors: Side,
        item_factors: Side,
        *,
        user_bias: Float32Array | None = None,
        item_bias: Float32Array | None = None,
        mean: float = 0.0,
        shares: Float64Array | None = None,
        history: History | None = None,
    ) -> None:
        n_users, n_items = len(user_factors), len(item_factors)
        self._users, self._items = (
            side if isinstance(side, SparseFactors) else np.ascontiguousarray(side, dtype=np.float32)
            for side in (user_factors, item_factors)
        )
        self.user_bias_ = np.zeros(n_users, np.float32) if user_bias is None else user_bias
        self.item_bias_ = np.zeros(n_items, np.float32) if item_bias is None else item_bias
        self.shares_ = np.zeros(user_factors.shape[1]) if shares is None else shares
        self.mean_ = mean
        self.history_ = history
        self._scorer, self._held = None, {}

    @property
    def user_factors_(self) -> Float32Array:
        """Factors of the users, (n_users, n_components)."""
        self._check_fitted()
        return dense_side(self._users)

    @property
    def item_factors_(self) -> Float32Array:
        """Factors of the items, (n_items, n_components)."""
        self._check_fitted()
        return dense_side(self._items)

    def user_rows(self, users: AnyArray) -> Float32Array:
        """Return the factors of some users by row number, (n, n_components)."""
        return rows_of(self._users, users)

    def item_rows(self, items: AnyArray) -> Float32Array:
        """Return the factors of some items by row number, (n, n_components)."""
        return rows_of(self._items, items)

    def is_blank(self) -> BoolArray:
        """Return for each user whether all factors are zero, (n_users,)."""
        users = self._users
        counts = users.counts if isinstance(users, SparseFactors) else np.count_nonzero(users, axis=1)
        return np.asarray(counts == 0)

    def theme(self, number: int) -> tuple[Float32Array, Float32Array]:
        """Return the part of each user and the weight of each item in a theme, (n_users,), (n_items,)."""
        return theme_of(self._users, number), theme_of(self._items, number)

    @property
    def n_factors_stored(self) -> tuple[int, int]:
        """How many numbers are stored of the users' and of the items' factors."""
        users, items = (
            side.nnz if isinstance(side, SparseFactors) else side.size for side in (self._users, self._items)
        )
        return users, items

    @property
    def stored_per_row(self) -> float:
        """Factors stored for a user or an item on average: of sparse ones those that are not zero."""
        return sum(self.n_factors_stored) / (self.n_users_ + self.n_items_)

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
        some = self._users.select(rows) if isinstance(self._users, SparseFactors) else self._users[rows]
        return self._scores(some, self.user_bias_[rows])

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores for new users, items held; see `Model.score_histories`."""
        self.check_folds_in()
        self._check_histories(rows)
        return self._scores(*self._fold_in(rows))

    @property
    def folds_in(self) -> bool:
        """Whether `score_histories` answers: by the model's `transform`, or in a way of its own."""
        cls = type(self)
        return (
            hasattr(self, "transform")
            or cls._fold_in is not FactorModel._fold_in
            or cls.score_histories is not FactorModel.score_histories
        )

    def _fold_in(self, rows: CompressedRows) -> tuple[Float32Array, Float32Array]:
        """Return factors and biases of new users; a model whose users have biases returns those, too."""
        transform = getattr(self, "transform", None)
        assert transform is not None
        return np.asarray(transform(rows.to_scipy()), np.float32), np.zeros(rows.n_rows, np.float32)

    def _scores(self, factors: Side, bias: Float32Array) -> Float32Array:
        """Return scores of all items for users given by their factors and biases."""
        if self._scorer is None:
            self._scorer = Scorer(self._items, self.item_bias_)
        return self._scorer(factors, bias + np.float32(self.mean_))

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
        return self.user_rows(rows) * self.item_rows(np.asarray(items, dtype=np.int64))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        return {
            **side_to_arrays(self._users, "user_factors"),
            **side_to_arrays(self._items, "item_factors"),
            "user_bias": self.user_bias_,
            "item_bias": self.item_bias_,
            "mean": np.array([self.mean_]),
            "shares": self.shares_,
        }

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        at = {
            name: require(arrays, name, dtype, 1)
            for name, dtype in (
                ("user_bias", np.float32),
                ("item_bias", np.float32),
                ("mean", np.float64),
                ("shares", np.float64),
            )
        }
        users, items = (
            side_from_arrays(arrays, side, self.n_components, nonnegative=self.has_themes)
            for side in ("user_factors", "item_factors")
        )
        n_users, n_items, rank = len(users), len(items), self.n_components
        wanted = {
            "user_bias": (n_users,),
            "item_bias": (n_items,),
            "mean": (1,),
            "shares": (rank,),
        }
        for name, shape in wanted.items():
            if at[name].shape != shape:
                raise ModelError(f"array {name!r} has shape {at[name].shape}; expected {shape}.")
        self._learned(
            users,
            items,
            user_bias=at["user_bias"],
            item_bias=at["item_bias"],
            mean=float(at["mean"][0]),
            shares=at["shares"],
        )
        self.n_users_, self.n_items_ = n_users, n_items
