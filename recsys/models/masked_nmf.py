"""Non-negative matrix factorization with missing values: for ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import ModelError, ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import SideFactors
from recsys.factorization.kl import KLObjective
from recsys.factorization.objective import Objective
from recsys.factorization.penalty import Penalty, PenaltySchedule
from recsys.factorization.squared import SquaredObjective
from recsys.models.given_factors import finite_array
from recsys.models.nmf import NMF
from recsys.models.parameters import param
from recsys.models.rating_penalty import ratings_l2
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.models.training_data import Training
from recsys.typing import AnyArray, Float32Array

_KL_L2 = 0.08  # the loss grows with the values as the penalty does: it has no unit
_L1_SWEEPS = 10  # in which l1 rises: by then components stand out from a random start


@register_model
@dataclass(eq=False)
class MaskedNMF(NMF):
    """Non-negative matrix factorization (NMF) of a matrix with missing values.

    What is missing is missing: it is not read as a zero, and not filled in first. This is what
    scikit-learn's users have asked of its ``NMF`` since 2017 (its issue 8447), as an estimator that
    works as that one does: NaN in a dense matrix, or an entry that a sparse one does not store, is
    left out of the loss. `complete` fills the gaps of ``X``. `transform` returns factors alone; of them
    `inverse_transform` makes scores in the order of each user's list, biases of the items included.

    With the squared loss it minimises, over the observed entries (Omega),

        1/2 sum_Omega c_ui (x_ui - mean - b_u - a_i - w_u . h_i)^2
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2)
        + user_l1 sum W + item_l1 sum H + bias_l2/2 (|b|^2 + |a|^2),      W, H >= 0

    by row-wise coordinate descent (Cichocki & Phan 2009; Yu et al. 2012), n being a row's number of
    entries and c their weights, 1 by default. ``biases=False`` leaves mean, b and a out: plain NMF.
    With the mean and biases as their base, ratings may be below 0; plain NMF needs values of 0 or more.
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

    How a fit ends: see `NMF`. The error on entries held out (``validation_share``, ``n_init``) is the
    rmse, or with ``loss="kl"`` the mean divergence.

    ``l2`` is in the units of the values: for values twice as large, twice as much of it does the same. Where
    it is not given it follows their spread, and is the smaller the more ratings users and items have (see
    `recsys.models.rating_penalty.ratings_l2`); with ``loss="kl"``, where it has no unit, it is 0.08.
    In a ``warm_up``, and in the first ten sweeps with an l1 penalty, penalties have not yet their values:
    ``tol`` and ``gradient_tol`` wait for that, held-out errors do not.

    Attributes
    ----------
    components_, user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_, stability_
        See `NMF`.
    value_range_ : tuple of float
        Least and largest value seen; `predict_by_row` stays inside if ``clip`` is set.
    typical_value_ : float
        Mean of the values seen.

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
    ranks_by_value: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"
    fixed_by_fit: ClassVar[tuple[str, ...]] = ("n_components", "loss", "biases")

    _: KW_ONLY
    loss: str = param("squared", "squared error, or Kullback-Leibler for counts", choices=("squared", "kl"))
    l2: float | None = param(
        None,
        "squared penalty on factors (lambda); none: by spread and number of ratings",
        minimum=0,
        kind=float,
        search=Range(0.01, 0.5, log=True),
    )
    l2_exponent: float = param(
        1.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    biases: bool = param(True, "whether a mean and user and item biases are part of the model")
    bias_l2: float = param(3.0, "squared penalty on biases", minimum=0, search=Range(0.5, 20.0, log=True))
    n_inner: int = param(3, "coordinate passes over a row in one sweep", minimum=1)
    warm_up: int = param(0, "sweeps in which l2 falls from three times its value to it", minimum=0)
    clip: bool = param(True, "keep predictions inside the range of the values seen")

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: with biases, by which the factors are fitted to what is left."""
        return self.biases and self.loss == "squared"

    # -- what is minimised ----------------------------------------------------------------------
    def objective(self, entries: Entries | None, *, fresh: bool = False) -> SquaredObjective | KLObjective:
        """Return what is minimised; see `NMF.objective`."""
        return self._objective(self._l2_of(entries), entries, fresh=fresh)

    def objective_of_fit(self, entries: Entries | None = None) -> SquaredObjective | KLObjective:
        """Return what the last fit minimised, with its penalty."""
        return self._objective(self._l2_of(None), entries)

    def _objective_of_update(self, entries: Entries) -> SquaredObjective | KLObjective:
        return self.objective_of_fit(entries)

    def _l2_of(self, entries: Entries | None) -> float:
        """Return the penalty: as given, by the rule for entries, or without them as of the fit."""
        if self.l2 is not None:
            return float(self.l2)
        if entries is None:
            return float(self.fitted_params_["l2"])
        return _KL_L2 if self.loss == "kl" else ratings_l2(entries.by_user)

    def _objective(
        self, l2: float, entries: Entries | None, *, fresh: bool = False
    ) -> SquaredObjective | KLObjective:
        penalty = Penalty(l2, self.l2_exponent, self.user_l1, self.item_l1)
        bounds = None
        if self.clip and entries is not None:
            values = entries.by_user.values
            bounds = (float(values.min()), float(values.max()))
        if self.loss == "kl":
            return KLObjective(penalty, n_inner=self.n_inner, bounds=bounds)
        has_l1 = max(self.user_l1, self.item_l1) > 0
        l1_sweeps = min(_L1_SWEEPS, self.max_iter // 2) if has_l1 else 0
        return SquaredObjective(
            penalty,
            biases=self.biases,
            bias_l2=self.bias_l2,
            n_inner=self.n_inner,
            schedule=PenaltySchedule(self.warm_up, l1_sweeps) if fresh else PenaltySchedule(),
            bounds=bounds,
        )

    def _check_together(self) -> None:
        if self.loss == "kl" and self.biases:
            raise ParameterError(f"{self.name}: loss is 'kl', which goes without biases; set biases=False.")
        if self.loss == "kl" and self.warm_up:
            raise ParameterError(f"{self.name}: loss is 'kl', which knows no warm-up; set warm_up=0.")
        if self.max_iter <= self.warm_up:
            raise ParameterError(
                f"{self.name}: max_iter is {self.max_iter}, but l2 comes to its value only after "
                f"{self.warm_up} sweeps (warm_up); set max_iter above that."
            )

    def _note_fit(self, entries: Entries, objective: Objective) -> None:
        self._used_l2 = objective.penalty.l2
        values = entries.by_user.values
        self.value_range_ = (float(values.min()), float(values.max()))
        self.typical_value_ = float(np.average(values.astype(np.float64), weights=entries.weights))

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {**super()._resolved_params(data), "l2": self._used_l2}

    def _note_update(self, new: Training, entries: Entries) -> None:
        low, high = self.value_range_
        values = Entries.counting(new.data, new.weights).by_user.values
        self.value_range_ = float(values.min(initial=low)), float(values.max(initial=high))

    # -- answers --------------------------------------------------------------------------------
    def inverse_transform(self, W: Any, *, user_bias: Any = None) -> Float32Array:
        """Return scores of all items for users given by their factors, as `transform` returns them.

        Parameters
        ----------
        W : array-like, shape (n_users, n_components)
        user_bias : array-like, shape (n_users,), optional
            Biases of these users, `user_bias_` for those of the training data; 0 by default, since
            `transform` does not return them.

        Returns
        -------
        float32, shape (n_users, n_items)
            ``mean + b_u + a_i + W components_``, or without biases ``W components_``. Each row is in the
            order of the user's list, whatever ``user_bias`` is; for values use `complete`, which knows the
            biases of new users.

        Raises
        ------
        InputError
            If a shape is another, or a number is not finite.
        """
        self._check_fitted()
        factors = finite_array(W, "W", (None, len(self.shares_)))
        bias = None if user_bias is None else finite_array(user_bias, "user_bias", (len(factors),))
        return self._scores(SideFactors.of(factors, bias))

    def complete(self, X: Any) -> Float32Array:
        """Return a matrix with its gaps filled: observed entries as they are, predicted values elsewhere.

        Each row is folded in as `transform` does, with a bias of its own where the model has biases. A row
        without entries gets the mean and the biases of the items, or without biases the mean value seen.

        Parameters
        ----------
        X : sparse matrix or array-like, shape (n_new_users, n_items)
            Columns are the items of the training data, in their order.

        Returns
        -------
        float32, shape (n_new_users, n_items)
            Predictions inside `value_range_` if ``clip`` is set.

        Raises
        ------
        InputError
            If the number of items is another.
        """
        self._check_fitted()
        rows = self._rows(X)
        values = self._scores(self._fold_in(rows))
        if not self.as_fitted().biases:
            values[rows.counts == 0] = self.typical_value_
        if self.clip:
            np.clip(values, *self.value_range_, out=values)
        values[rows.row_numbers, rows.columns] = rows.values
        return values

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values; an unknown side (-1) leaves the mean and the other side's bias.

        Without biases there is nothing to fall back on but the mean of the values seen.
        """
        scores = self._products(users, items) + np.float32(self.mean_)
        if not self.as_fitted().biases:
            unknown = (np.asarray(users, np.int64) < 0) | (np.asarray(items, np.int64) < 0)
            scores[unknown] = self.typical_value_
        return np.clip(scores, *self.value_range_) if self.clip else scores

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), "values": np.array([*self.value_range_, self.typical_value_])}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        values = require(arrays, "values", np.float64, 1)
        if len(values) != 3:
            raise ModelError(f"array 'values' has {len(values)} numbers; expected least, largest and mean.")
        super().restore(arrays)
        self.value_range_ = (float(values[0]), float(values[1]))
        self.typical_value_ = float(values[2])
