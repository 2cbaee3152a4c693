"""Non-negative matrix factorization with missing values: for ratings."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.matrices import observed_rows
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError, ParameterError
from recsys.factorization.factors import explained_shares, order_by_share
from recsys.factorization.masked import MaskedFactors
from recsys.factorization.restarts import Found
from recsys.models import masked_fitting
from recsys.models.base import require
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.training_data import Training, aligned
from recsys.progress import SILENT, Progress
from recsys.typing import AnyArray, Float32Array, Float64Array


@dataclass(eq=False)
class MaskedNMF(FactorModel):
    """Non-negative matrix factorization (NMF) of a matrix with missing values.

    What is missing is missing: it is not read as a zero, and not filled in first. This is what
    scikit-learn's users have asked of its ``NMF`` since 2017 (its issue 8447), as an estimator that
    works as that one does: NaN in a dense matrix, or an entry that a sparse one does not store, is
    left out of the loss. With ``biases=False`` the gaps of ``X`` are filled by
    ``inverse_transform(transform(X))``; with biases, `predict` and `score_block` add them.

    With the squared loss it minimises, over the observed entries (Omega),

        1/2 sum_Omega c_ui (x_ui - mean - b_u - a_i - w_u . h_i)^2
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2)
        + user_l1 sum W + item_l1 sum H + bias_l2/2 (|b|^2 + |a|^2),      W, H >= 0

    by row-wise coordinate descent (Cichocki & Phan 2009; Yu et al. 2012), n being a row's number of
    entries and c their weights, 1 by default. ``biases=False`` leaves mean, b and a out: plain NMF.
    With ``loss="kl"`` and ``biases=False`` the generalized Kullback-Leibler divergence
    ``x log(x / q) - x + q`` of predictions ``q = w_u . h_i`` takes the place of half the square: for
    counts.

    For those who know scikit-learn's ``NMF``:

    ==================================  ==========================================================
    scikit-learn                        here
    ==================================  ==========================================================
    ``n_components, max_iter``          the same; ``tol`` is relative to the last objective
    ``init``                            ``random``, ``nndsvd`` (adapted to gaps), ``custom`` (W, H)
    ``beta_loss``                       ``loss``: ``frobenius`` is ``squared`` with
                                        ``biases=False``, ``kullback-leibler`` is ``kl``
    ``alpha_W * (1 - l1_ratio)``        ``l2`` with ``l2_exponent=1`` (scikit-learn multiplies by the
                                        full row length, here by the number of observed entries); one
                                        ``l2`` for both sides, so ``alpha_H`` is ``alpha_W``
    ``alpha_W * l1_ratio * n_features`` ``user_l1``
    ``alpha_H * l1_ratio * n_samples``  ``item_l1``
    ``random_state``                    a whole number, 0 or more; no generator and no None
    ``components_``                     the same, ``item_factors_.T``
    ``reconstruction_err_``             none; ``history_.objective[-1]`` is the objective above, which is
                                        half the square of that error plus the penalties
    ==================================  ==========================================================

    A descent ends by ``tol``, ``gradient_tol`` or ``max_iter``, whichever comes first, and, with a
    ``validation_share``, when the error on entries held out (rmse, or the mean divergence) has not
    fallen for ``patience`` sweeps; the model is then fitted anew to all entries, with as many sweeps
    as were best. With ``n_init`` above 1 so many random starts are measured that way (on a tenth of
    the entries, if no share is set), and the best one is fitted to all entries. ``time_limit`` holds
    for all of it together; when it has passed, or at an interrupt (KeyboardInterrupt, which then goes
    on its way), the model is fitted with the best state so far. What a time limit ended may differ
    from run to run; nothing else does. With ``warm_start`` a second fit begins where the first ended;
    it is one start, and what it holds out the first has seen.

    ``l2`` is in the units of the values: for values twice as large, twice as much of it does the same.
    In a ``warm_up``, and in the first ten sweeps with an l1 penalty, penalties have not yet their values:
    ``tol`` and ``gradient_tol`` wait for that, held-out errors do not.

    Attributes
    ----------
    components_ : float32, (n_components, n_items)
        Themes, ordered by the share of the observed total they explain.
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_
        See `FactorModel`.
    stability_ : float64, (n_components,), or None
        With ``n_init`` above 1: how alike each theme is in the other starts, by cosine, 1 for the same.
    value_range_ : tuple of float
        Least and largest value seen; `predict` stays inside if ``clip`` is set.
    typical_value_ : float
        Mean of the values seen.
    training_ : Interactions
        What was fitted; `partial_fit` adds to it. Not stored in a bundle.
    n_features_in_, n_iter_ : int
        Number of items and of sweeps.

    Examples
    --------
    >>> import numpy as np
    >>> ratings = np.array([[5, 4, np.nan], [4, np.nan, 1], [np.nan, 1, 5]])
    >>> model = MaskedNMF(n_components=2, random_state=0).fit(ratings)
    >>> bool((model.components_ >= 0).all())
    True
    """

    name: ClassVar[str] = "masked-nmf"
    predicts_values: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"

    n_components: int = param(64, "number of themes", minimum=1)
    _: KW_ONLY
    loss: str = param("squared", "squared error, or Kullback-Leibler for counts", choices=("squared", "kl"))
    init: str = param("random", "where a fit starts", choices=("random", "nndsvd", "custom"))
    n_init: int = param(1, "random starts to choose from by held-out error", minimum=1)
    l2: float = param(0.08, "squared penalty on factors (lambda)", minimum=0)
    l2_exponent: float = param(
        1.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    user_l1: float = param(0.0, "penalty on the sum of user factors; makes them sparse", minimum=0)
    item_l1: float = param(0.0, "penalty on the sum of item factors; makes themes sparse", minimum=0)
    biases: bool = param(True, "whether a mean and user and item biases are part of the model")
    bias_l2: float = param(3.0, "squared penalty on biases", minimum=0)
    max_iter: int = param(100, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when the objective falls by less than this share of itself", minimum=0)
    gradient_tol: float = param(
        0.0, "stop when the projected gradient is below this share of the first; 0: never", minimum=0
    )
    validation_share: float = param(
        0.0, "share of entries held out to choose the number of sweeps", minimum=0, maximum=0.5
    )
    patience: int = param(5, "sweeps without a better held-out error before stopping", minimum=1)
    time_limit: float | None = param(None, "seconds after which a fit stops", above=0, kind=float)
    n_inner: int = param(3, "coordinate passes over a row in one sweep", minimum=1)
    warm_up: int = param(0, "sweeps in which l2 falls from three times its value to it", minimum=0)
    warm_start: bool = param(False, "whether a second fit begins where the first ended")
    clip: bool = param(True, "keep predictions inside the range of the values seen")
    random_state: int = param(0, "seed of starts and of the choice of held-out entries", minimum=0)

    stability_: Float64Array | None = field(init=False, repr=False)
    _training: Training | None = field(init=False, repr=False)

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
        self._take(masked_fitting.fit(self, training, W, H, progress), training)

    def _filled_in(self, data: Interactions) -> dict[str, Any]:
        return {"validation_share": masked_fitting.share_of(self)}

    def _take(self, found: Found, training: Training) -> None:
        """Take over what a fit found, themes ordered."""
        at, entries = found.factors, training.counting[0]
        masked_fitting.check_range(self, at)
        shares = explained_shares(entries, at.user_factors, at.item_factors)
        order = order_by_share(shares)
        self._learned(
            at.user_factors[:, order],
            at.item_factors[:, order],
            user_bias=at.user_bias,
            item_bias=at.item_bias,
            mean=at.mean,
            shares=shares[order],
            history=found.history,
        )
        self.value_range_ = (float(entries.values.min()), float(entries.values.max()))
        self.stability_ = masked_fitting.stability_of(found, order)
        self.typical_value_ = float(
            np.average(entries.values.astype(np.float64), weights=training.counting[2])
        )
        self._training = training

    def factors(self) -> MaskedFactors:
        """Return what was learned as the solvers take it."""
        self._check_fitted()
        return MaskedFactors(
            self.mean_, self.user_factors_, self.item_factors_, self.user_bias_, self.item_bias_
        )

    def held_training(self) -> Training | None:
        """Return the data of the model with its weights, if it holds them."""
        self._check_fitted()
        return self._training

    @property
    def training_(self) -> Interactions:
        """The data of the model, new entries included."""
        return masked_fitting.known_data(self, None).data

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
        many local minima). Of the rules
        for stopping, only an interrupt and ``time_limit`` end this early. The first call of a model
        that is not fitted is a `fit`.

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
        if not isinstance(passes, numbers.Integral) or isinstance(passes, bool) or passes < 1:
            raise ParameterError(f"{self.name}: passes is {passes!r}; expected a whole number, 1 or more.")
        if reach not in ("touched", "all"):
            raise ParameterError(f"{self.name}: reach is {reach!r}; expected touched or all.")
        if not self.is_fitted:
            return self.fit(X, entry_weight=entry_weight, progress=progress)
        masked_fitting.check_update(self)
        before = masked_fitting.known_data(self, known)
        new = X if isinstance(X, Interactions) else before.data.numbered(self._rows(X, wider=True))
        given = None if entry_weight is None else aligned(entry_weight, new.by_user)
        training = before.joined(Training(new, given))
        if reach == "all":
            self._take(masked_fitting.update_all(self, training, passes, progress), training)
            return self._finished(training.data)
        at = masked_fitting.update_touched(self, training, new, passes)
        masked_fitting.check_range(self, at)
        low, high = self.value_range_
        values = new.by_user.values if given is None else new.by_user.values[given > 0]
        self.value_range_ = float(values.min(initial=low)), float(values.max(initial=high))
        self._learned(
            at.user_factors,
            at.item_factors,
            user_bias=at.user_bias,
            item_bias=at.item_bias,
            mean=at.mean,
            shares=self.shares_,
            history=self.history_,
        )
        self._training = training
        self.n_users_, self.n_items_ = training.data.n_users, training.data.n_items
        return self

    # -- answers --------------------------------------------------------------------------------
    def predict(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values; an unknown side (-1) leaves the mean and the other side's bias.

        Without biases there is nothing to fall back on but the mean of the values seen.
        """
        scores = self._products(users, items) + np.float32(self.mean_)
        if not self.biases:
            unknown = (np.asarray(users, np.int64) < 0) | (np.asarray(items, np.int64) < 0)
            scores[unknown] = self.typical_value_
        return np.clip(scores, *self.value_range_) if self.clip else scores

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
        return masked_fitting.loss_of(self).fold_in(self._rows(X), self.factors())[0]

    def _rows(self, X: Any, *, wider: bool = False) -> CompressedRows:
        """Return the entries of a matrix of the model's items, perhaps with new ones after them."""
        rows = observed_rows(X)
        if rows.n_columns < self.n_items_ or (rows.n_columns > self.n_items_ and not wider):
            raise InputError(
                f"X has {rows.n_columns} features, but {type(self).__name__} is expecting {self.n_items_} "
                f"features as input{' or more' if wider else ''}: one column for each item of the "
                f"training data{', then new ones' if wider else ''}."
            )
        return rows

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
        return np.array([f"maskednmf{theme}" for theme in range(len(self.shares_))], dtype=object)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may take for granted (called by them alone)."""
        from sklearn.utils import (  # type: ignore[import-untyped]
            InputTags,
            Tags,
            TargetTags,
            TransformerTags,
        )

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
            input_tags=InputTags(sparse=True, positive_only=True, allow_nan=True),
        )

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        arrays = {**super().to_arrays(), "values": np.array([*self.value_range_, self.typical_value_])}
        return arrays if self.stability_ is None else {**arrays, "stability": self.stability_}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        values = require(arrays, "values", np.float64, 1)
        if len(values) != 3:
            raise ModelError(f"array 'values' has {len(values)} numbers; expected least, largest and mean.")
        stability = require(arrays, "stability", np.float64, 1) if "stability" in arrays else None
        if stability is not None and len(stability) != self.n_components:
            raise ModelError(f"array 'stability' has {len(stability)} numbers; expected {self.n_components}.")
        super().restore(arrays)
        self.value_range_ = (float(values[0]), float(values[1]))
        self.typical_value_ = float(values[2])
        self.stability_, self._training = stability, None

    @classmethod
    def todays(cls, config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a stored config under today's names: ``l1`` was once that of both sides."""
        config = dict(config)
        if "l1" in config:
            config["user_l1"] = config["item_l1"] = config.pop("l1")
        return config
