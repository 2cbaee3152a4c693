"""What the estimators of non-negative matrix factorization have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.factorization.factors import AnyFactors, as_stored, explained_shares, order_by_share
from recsys.factorization.history import History
from recsys.factorization.losses import Loss
from recsys.factorization.restarts import Found
from recsys.models import fitting
from recsys.models.base import require
from recsys.models.nmf_recipe import NMFRecipe
from recsys.models.sklearn_tags import transformer_tags
from recsys.models.training_data import Training, aligned, rows_of_items
from recsys.progress import SILENT, Progress
from recsys.typing import AnyArray, Float32Array, Float64Array


class NMF(NMFRecipe):
    """An estimator as scikit-learn's ``NMF`` is one; a child says what it minimises.

    A descent ends by ``tol``, ``gradient_tol`` or ``max_iter``, whichever comes first, and, with a
    ``validation_share``, when the error on entries held out has not fallen for ``patience`` sweeps; the
    model is then fitted anew to all entries, with as many sweeps as were best. With ``n_init`` above 1
    so many random starts are measured that way (on a tenth of the entries, if no share is set), and the
    best one is fitted to all entries. ``time_limit`` holds for all of it together; when it has passed,
    or at an interrupt (KeyboardInterrupt, which then goes on its way), the model is fitted with the best
    state so far. What a time limit ended may differ from run to run; nothing else does. With
    ``warm_start`` a second fit begins where the first ended; it is one start, and what it holds out the
    first has seen.

    Attributes
    ----------
    components_ : float32, (n_components, n_items)
        Themes, ordered by the share of the observed total they explain.
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_
        See `FactorModel`.
    stability_ : float64, (n_components,), or None
        With ``n_init`` above 1: how alike each theme is in the other starts, by cosine, 1 for the same.
    training_ : Interactions
        What was fitted; `partial_fit` adds to it. Not stored in a bundle.
    n_features_in_, n_iter_ : int
        Number of items and of sweeps.
    """

    # -- fitting --------------------------------------------------------------------------------
    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        progress: Progress = SILENT,
    ) -> Self:
        """Learn from observed entries.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like, shape (n_users, n_items)
            Sparse: stored entries are the observed ones. Dense: NaN marks a missing entry.
        y : None
            Ignored.
        W, H : array-like, shapes (n_users, n_components) and (n_components, n_items)
            The start, for ``init="custom"``.
        entry_weight : sparse matrix or array-like, shape (n_users, n_items), optional
            How much each observed entry counts, 0 or more; entries of weight 0 are left out. Starts
            (``init="nndsvd"``) and the fold-in of new users do not look at weights.
        progress : Progress
            Hears of each iteration.

        Raises
        ------
        ParameterError
            If a parameter has the wrong type, is out of range or does not go with another.
        InputError
            If the data is empty, negative or not finite, or does not fit W, H or the weights.
        KeyboardInterrupt
            If interrupted; from the first full sweep on, the model is fitted with the best state.
        """
        data = self._checked(X)
        self._fit(data, progress, W, H, entry_weight)
        return self._finished(data)

    def _fit(
        self,
        data: Interactions,
        progress: Progress,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
    ) -> None:
        training = Training(data, None if entry_weight is None else aligned(entry_weight, data.by_user))
        self._take(*fitting.fit(self, training, W, H, progress), training)

    def _filled_in(self, data: Interactions) -> dict[str, Any]:
        return {"validation_share": fitting.share_of(self)}

    def _take(self, found: Found, loss: Loss, training: Training) -> None:
        """Take over what a fit found, themes ordered."""
        entries = self._entries(training)
        shares = explained_shares(entries.by_user, *found.factors.sides)
        order = order_by_share(shares)
        self._keep(found.factors.in_order(order), shares[order], found.history)
        self.stability_ = fitting.stability_of(self, found, order)
        self._training, self.ids_ = training, None
        self._noted(entries, loss)

    def _keep(self, at: AnyFactors, shares: Float64Array, history: History | None) -> None:
        """Hold factors, sparse where they came sparse and are few enough."""
        fitting.check_range(self, at)
        at = as_stored(at)
        self._learned(
            *at.sides,
            user_bias=at.user_bias,
            item_bias=at.item_bias,
            mean=at.mean,
            shares=shares,
            history=history,
        )

    @property
    def training_(self) -> Interactions:
        """The data of the model, new entries included."""
        return fitting.known_data(self, None).data

    # -- updating -------------------------------------------------------------------------------
    def partial_fit(
        self,
        X: Any,
        y: None = None,
        *,
        known: Any = None,
        entry_weight: Any = None,
        passes: int = 3,
        reach: Literal["touched", "all"] = "touched",
        progress: Progress = SILENT,
    ) -> Self:
        """Take in new entries, of known and of new users and items, without a full retrain.

        New users and items begin with the factors that suit the other side best (see `transform`).
        Then ``reach="touched"`` sweeps the users and items that have a new entry, each with all its
        entries, and leaves everything else as it is, bit for bit: all other rows, the mean, shares
        and order of the themes, the history. Only the range of values seen widens.
        ``reach="all"`` sweeps everything from the present state on, with the mean of all values, and
        orders the themes anew; after enough passes its objective is about that of a full fit (there are
        many local minima). Of the rules for stopping, only an interrupt and ``time_limit`` end this
        early. The first call of a model that is not fitted is a `fit`.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like
            The new entries alone. Interactions are joined by ids. The rows and columns of a matrix are
            those of the model, all of them, then new ones; it is no batch of other rows, as for some
            of scikit-learn's estimators. An entry known already takes the new value (in implicit
            feedback: the sum).
        y : None
            Ignored.
        known : Interactions, sparse matrix or array-like, optional
            The data of the model so far; needed where the model does not have it, after loading.
        entry_weight : sparse matrix or array-like, of the shape of X, optional
            Weights of the new entries; 1 by default. Known entries keep theirs, but for loaded models,
            whose entries all count as 1.
        passes : int
            Sweeps.
        reach : {"touched", "all"}
        progress : Progress

        Raises
        ------
        ParameterError
            If ``passes`` or ``reach`` is none of these, or a parameter is out of range or one that
            only a `fit` can change.
        ModelError
            If the model does not have its data.
        InputError
            If the data cannot be used, or a matrix is smaller than the model.
        """
        fitting.check_update(self, passes, reach)
        if not self.is_fitted:
            return self.fit(X, entry_weight=entry_weight, progress=progress)
        before = fitting.known_data(self, known)
        new = X if isinstance(X, Interactions) else before.data.numbered(self._rows(X, wider=True))
        given = None if entry_weight is None else aligned(entry_weight, new.by_user)
        training = before.joined(Training(new, given))
        if reach == "all":
            self._take(*fitting.update_all(self, training, int(passes), progress), training)
            return self._finished(training.data)
        at = fitting.update_touched(self, training, new, int(passes))
        self._keep(at, self.shares_, self.history_)
        self._widened(new, given, self._entries(training))
        self._training, self.ids_ = training, None
        self.n_users_, self.n_items_ = training.data.n_users, training.data.n_items
        return self

    # -- answers --------------------------------------------------------------------------------
    def fit_transform(
        self,
        X: Any,
        y: None = None,
        *,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        progress: Progress = SILENT,
    ) -> Float32Array:
        """Fit and return the user factors, (n_users, n_components); see `fit`."""
        return self.fit(X, W=W, H=H, entry_weight=entry_weight, progress=progress).user_factors_

    def transform(self, X: Any) -> Float32Array:
        """Return factors of new users, items held; shape (n_new_users, n_components).

        Exact: the problem of one user is convex, and each is improved until it no longer changes.
        A user without entries gets zeros. Biases of the new users are fitted with their factors,
        but not returned.

        Parameters
        ----------
        X : sparse matrix or array-like, shape (n_new_users, n_items)
            Columns are the items of the training data, in their order.

        Raises
        ------
        InputError
            If the number of items is another, or X is an Interactions: its columns are its own items.
        """
        self._check_fitted()
        if isinstance(X, Interactions):
            raise InputError("an Interactions has columns of its own; give a matrix of the training items.")
        return self._fold_in(self._rows(X))[0]

    def _fold_in(self, rows: CompressedRows) -> tuple[Float32Array, Float32Array]:
        """Return factors and biases of new users; see `FactorModel`."""
        model = self.as_fitted()
        loss = model._loss_of_fit()
        if loss not in self._held:
            self._held.clear()
            self._held[loss] = loss.hold(self.factors())
        return loss.fold_in(model._folded_rows(rows), self._held[loss])

    def _rows(self, X: Any, *, wider: bool = False) -> CompressedRows:
        """Return the entries of a matrix of the model's items, perhaps with new ones after them."""
        return rows_of_items(X, self.n_items_, type(self).__name__, wider=wider)

    def inverse_transform(self, W: Any) -> Float32Array:
        """Return ``W components_``, the part of the prediction that themes make."""
        self._check_fitted()
        return np.asarray(W, dtype=np.float32) @ self.components_

    # -- what scikit-learn asks -----------------------------------------------------------------
    @property
    def n_features_in_(self) -> int:
        """Number of items."""
        self._check_fitted()
        return self.n_items_

    @property
    def n_iter_(self) -> int:
        """Number of sweeps of the last fit."""
        self._check_fitted()
        return 0 if self.history_ is None else self.history_.n_iter

    def get_feature_names_out(self, input_features: Any = None) -> AnyArray:
        """Return a name for each column of what `transform` returns: maskednmf0, maskednmf1 ..."""
        self._check_fitted()
        name = type(self).__name__.lower()
        return np.array([f"{name}{theme}" for theme in range(len(self.shares_))], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may take for granted (called by them alone)."""
        return transformer_tags()

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        arrays = super().to_arrays()
        return arrays if self.stability_ is None else {**arrays, "stability": self.stability_}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        stability = require(arrays, "stability", np.float64, 1) if "stability" in arrays else None
        if stability is not None and len(stability) != self.n_components:
            raise ModelError(f"array 'stability' has {len(stability)} numbers; expected {self.n_components}.")
        super().restore(arrays)
        self.stability_, self._training = stability, None

    @classmethod
    def todays(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under today's names: ``l1`` was once that of both sides."""
        config = dict(config)
        if "l1" in config:
            config["user_l1"] = config["item_l1"] = config.pop("l1")
        return config
