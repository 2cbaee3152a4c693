"""A model whose scores are sums over components (latent factors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from recsys.data.ids import Ids
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError, ParameterError
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.fold_in import FoldIn
from recsys.factorization.history import History
from recsys.factorization.scoring import BlockProducts, Scorer
from recsys.kernels.scoring import score_pairs
from recsys.models.base import Model
from recsys.models.row_numbers import checked_rows
from recsys.models.score_parts import ScoreParts
from recsys.models.stored_arrays import require
from recsys.models.stored_factors import matrix_from_arrays, matrix_to_arrays
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array


class FactorModel(Model):
    """A model whose scores are sums over components (latent factors).

    Attributes
    ----------
    user_factors_, item_factors_ : float32, (n_users, n_components), (n_items, n_components)
        A new array at each call where they are stored sparse; `user_rows` and `item_rows` give some.
    user_bias_, item_bias_ : float32, (n_users,), (n_items,)
        Zeros where the model has none.
    mean_ : float
    shares_ : float64, (n_components,)
        Each component's share of what the products explain of the observed entries.
    history_ : History or None
    stability_ : float64, (n_components,), or None
        How alike each component is in other starts, where several were run.
    """

    has_themes: ClassVar[bool] = True
    """Whether factors are non-negative, so that contributions are parts of a sum."""

    n_components: int
    shares_: Float64Array
    stability_: Float64Array | None = None
    history_: History | None = None
    _factors: Factors
    _scorer: Scorer | None = None
    _new_users: FoldIn

    def _learned(
        self, factors: Factors, *, shares: Float64Array | None = None, history: History | None = None
    ) -> None:
        """Take over what was learned."""
        self._factors = factors
        self.shares_ = np.zeros(factors.rank) if shares is None else shares
        self.history_ = history
        self._scorer, self._new_users = None, FoldIn(factors)

    def reorder_components(self, order: Int64Array) -> None:
        """Let what was component ``order[f]`` be component f; no score changes beyond the last digits.

        Parameters
        ----------
        order : int64, (n_components,)
            Each component once. A fit orders them by share; this keeps numbers from one fit to the next.

        Raises
        ------
        ParameterError
            If it is no order of the components.
        """
        order = np.asarray(order, dtype=np.int64)
        if not np.array_equal(np.sort(order), np.arange(len(self.shares_))):
            raise ParameterError(
                f"order is {order!r:.80}; expected each of {len(self.shares_)} components once."
            )
        stability = self.stability_
        self._learned(self.factors().in_order(order), shares=self.shares_[order], history=self.history_)
        self.stability_ = None if stability is None else stability[order]

    @property
    def scores_from_zero(self) -> bool:
        """Whether 0 says that nothing speaks for an item: components add 0 or more, and there is no more."""
        return self.has_themes and not self.ranks_by_value

    def factors(self) -> Factors:
        """Return what was learned, as solvers take it."""
        self._check_fitted()
        return self._factors

    @property
    def user_factors_(self) -> Float32Array:
        """Factors of the users, (n_users, n_components)."""
        return self.factors().user_factors

    @property
    def item_factors_(self) -> Float32Array:
        """Factors of the items, (n_items, n_components)."""
        return self.factors().item_factors

    @property
    def user_bias_(self) -> Float32Array:
        """Biases of the users, (n_users,)."""
        return self.factors().user_bias

    @property
    def item_bias_(self) -> Float32Array:
        """Biases of the items, (n_items,)."""
        return self.factors().item_bias

    @property
    def mean_(self) -> float:
        """The constant part of predictions."""
        return self.factors().mean

    def user_rows(self, users: AnyArray) -> Float32Array:
        """Return the factors of some users by row number, (n, n_components)."""
        return self.factors().users.factors.dense_rows(np.asarray(users, dtype=np.int64))

    def item_rows(self, items: AnyArray) -> Float32Array:
        """Return the factors of some items by row number, (n, n_components)."""
        return self.factors().items.factors.dense_rows(np.asarray(items, dtype=np.int64))

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each user whether all scores are 0, since all factors are; see `Model.is_blank`."""
        factors = self.factors()
        if factors.mean != 0 or factors.item_bias.any():
            return super().is_blank(users)
        rows = None if users is None else np.asarray(users, dtype=np.int64)
        return np.asarray(factors.users.factors.row_counts(rows) == 0)

    def component(self, number: int) -> tuple[Float32Array, Float32Array]:
        """Return each user's and each item's factor in a component, (n_users,), (n_items,)."""
        factors = self.factors()
        return factors.users.factors.component(number), factors.items.factors.component(number)

    @property
    def n_factors_stored(self) -> tuple[int, int]:
        """How many numbers are stored of the users' and of the items' factors."""
        factors = self.factors()
        return factors.users.factors.n_stored, factors.items.factors.n_stored

    @property
    def stored_per_row(self) -> float:
        """Factors stored for a user or an item on average: of sparse ones those that are not zero."""
        return sum(self.n_factors_stored) / (self.n_users_ + self.n_items_)

    @property
    def components_(self) -> Float32Array:
        """Components by item, (n_components, n_items), as scikit-learn lays them out."""
        self._check_fitted()
        return self.item_factors_.T

    @property
    def component_model(self) -> FactorModel | None:
        """The model itself, where its factors are non-negative; see `Model.component_model`."""
        return self if self.has_themes else None

    @property
    def history(self) -> History | None:
        """How the training went."""
        return self.history_

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        return self._scores(self.factors().users.select(self._check_users(users)))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores for new users, items held; see `Model.score_histories`."""
        self.check_folds_in()
        self._check_histories(rows)
        return self._scores(self._fold_in(rows))

    @property
    def folds_in(self) -> bool:
        """Whether `score_histories` answers: by the model's `transform`, or in a way of its own."""
        cls = type(self)
        return (
            hasattr(self, "transform")
            or cls._fold_in is not FactorModel._fold_in
            or cls.score_histories is not FactorModel.score_histories
        )

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        """Return factors and biases of new users; a model whose users have biases returns those, too."""
        transform = getattr(self, "transform", None)
        assert transform is not None
        return SideFactors.of(np.asarray(transform(rows.to_scipy()), np.float32))

    def _scores(self, users: SideFactors) -> Float32Array:
        """Return scores of all items for users given by their factors and biases."""
        products = self._products_of(users)
        return products.scorer(products.users, products.user_offset)

    def _products_of(self, users: SideFactors) -> BlockProducts:
        if self._scorer is None:
            self._scorer = Scorer(self._factors.items.factors, self._factors.item_bias)
        return BlockProducts(self._scorer, users.factors, users.bias + np.float32(self._factors.mean))

    def block_products(self, users: AnyArray) -> BlockProducts | None:
        """Return what the scores of a block of users are products of; None where they are something else.

        Parameters
        ----------
        users : int, (n_block,)
            Row numbers.
        """
        cls = type(self)
        if cls.score_block is not FactorModel.score_block or cls._scores is not FactorModel._scores:
            return None
        return self._products_of(self.factors().users.select(self._check_users(users)))

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts | None:
        """Return a user's scores as biases and what each component adds; see `Model.score_parts`."""
        if type(self).score_block is not FactorModel.score_block:
            return None  # a subclass that scores in a way of its own
        users = self._check_users(np.array([user]))
        return self._parts(self.factors().users.select(users), items)

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts | None:
        """Return the scores of a new user, items held; see `Model.history_score_parts`."""
        self.check_folds_in()
        if type(self).score_histories is not FactorModel.score_histories:
            return None
        self._check_histories(history)
        return self._parts(self._fold_in(history), items)

    def history_components(self, rows: CompressedRows) -> Float32Array | None:
        """Return the factors of new users, items held; see `Model.history_components`."""
        if not self.has_themes:
            return None
        self._check_histories(rows)
        return self._fold_in(rows).factors.dense()

    def _parts(self, user: SideFactors, items: AnyArray) -> ScoreParts:
        rows = np.asarray(items, dtype=np.int64)
        return ScoreParts(
            item_bias=self._factors.items.bias[rows].astype(np.float64),
            base=self.mean_,
            user_bias=float(user.bias[0]),
            components=user.factors.dense()[0].astype(np.float64) * self.item_rows(rows),
            is_signed=not self.has_themes,
        )

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return scores of some items for new users, without mean and user biases; see `Model`."""
        if type(self).score_histories is not FactorModel.score_histories:
            return super().scores_of_items(rows, items)
        self.check_folds_in()
        self._check_histories(rows)
        users, columns = self._fold_in(rows), np.asarray(items, dtype=np.int64)
        scores = users.factors.dense().astype(np.float64) @ self.item_rows(columns).astype(np.float64).T
        return np.asarray(scores + self._factors.items.bias[columns], dtype=np.float32)

    def _products(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return ``b_u + a_i + w_u . h_i`` of pairs, what is unknown (-1) counting nothing."""
        user_rows, item_rows = self._check_pairs(users, items)
        factors, scores = self.factors(), np.empty(len(user_rows), dtype=np.float32)
        score_pairs(
            user_rows,
            item_rows,
            factors.user_factors,
            factors.item_factors,
            factors.user_bias,
            factors.item_bias,
            scores,
        )
        return scores

    def contributions(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return what each component adds to the score of each pair, shape (n_pairs, n_components)."""
        rows, number_of = np.unique(
            self._check_users(users), return_inverse=True
        )  # pairs of one list share it
        return self.user_rows(rows)[number_of] * self.item_rows(checked_rows(items, self.n_items_, "item"))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        arrays: dict[str, AnyArray] = {
            **matrix_to_arrays(self._factors.users.factors, "user_factors"),
            **matrix_to_arrays(self._factors.items.factors, "item_factors"),
            "user_bias": self.user_bias_,
            "item_bias": self.item_bias_,
            "mean": np.array([self.mean_]),
            "shares": self.shares_,
        }
        return arrays if self.stability_ is None else {**arrays, "stability": self.stability_}

    def _note_stored(self, history: History | None, ids: tuple[Ids, Ids] | None) -> None:
        super()._note_stored(history, ids)
        self.history_ = history

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        vectors = {
            name: require(arrays, name, dtype, 1)
            for name, dtype in (
                ("user_bias", np.float32),
                ("item_bias", np.float32),
                ("mean", np.float64),
                ("shares", np.float64),
            )
        }
        users, items = (
            matrix_from_arrays(arrays, side, self.n_components, nonnegative=self.has_themes)
            for side in ("user_factors", "item_factors")
        )
        n_users, n_items = len(users), len(items)
        expected = {"user_bias": n_users, "item_bias": n_items, "mean": 1, "shares": self.n_components}
        if "stability" in arrays:  # of several starts
            vectors["stability"] = require(arrays, "stability", np.float64, 1)
            expected["stability"] = self.n_components
        for name, length in expected.items():
            if vectors[name].shape != (length,):
                raise ModelError(f"array {name!r} has shape {vectors[name].shape}; expected {(length,)}.")
        factors = Factors(
            float(vectors["mean"][0]),
            SideFactors(users, vectors["user_bias"]),
            SideFactors(items, vectors["item_bias"]),
        )
        self._learned(factors, shares=vectors["shares"])
        self.stability_ = vectors.get("stability")
        self.n_users_, self.n_items_ = n_users, n_items
