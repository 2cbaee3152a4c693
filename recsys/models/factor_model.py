"""A model whose scores are sums over themes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from recsys import threads
from recsys.errors import InputError, ModelError
from recsys.factorization.history import History
from recsys.kernels.scoring import score_block, score_pairs
from recsys.models.base import Model, require
from recsys.typing import AnyArray, Float32Array, Float64Array, Int64Array


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
