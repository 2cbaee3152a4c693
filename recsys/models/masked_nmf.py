"""Non-negative matrix factorization with missing values: for ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import ModelError, ParameterError
from recsys.factorization.factors import AnyFactors, Factors, SparsePair
from recsys.factorization.losses import Loss
from recsys.factorization.masked import MaskedObjective
from recsys.factorization.masked_kl import MaskedKLObjective
from recsys.factorization.starts import nndsvd_start, random_start
from recsys.factorization.validation import Error
from recsys.models.base import require
from recsys.models.nmf import NMF
from recsys.models.parameters import param
from recsys.models.training_data import Entries
from recsys.typing import AnyArray, Float32Array

_L1_RISE = 10  # sweeps in which l1 rises: by then themes stand out from a random start


@dataclass(eq=False)
class MaskedNMF(NMF):
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

    How a fit ends, `NMF` tells. The error on entries held out (``validation_share``, ``n_init``) is the
    rmse, or with ``loss="kl"`` the mean divergence.

    ``l2`` is in the units of the values: for values twice as large, twice as much of it does the same.
    In a ``warm_up``, and in the first ten sweeps with an l1 penalty, penalties have not yet their values:
    ``tol`` and ``gradient_tol`` wait for that, held-out errors do not.

    Attributes
    ----------
    components_, user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_, stability_
        See `NMF`.
    value_range_ : tuple of float
        Least and largest value seen; `predict` stays inside if ``clip`` is set.
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
    feedback: ClassVar[Feedback] = "explicit"
    settled: ClassVar[tuple[str, ...]] = ("n_components", "loss", "biases")

    _: KW_ONLY
    loss: str = param("squared", "squared error, or Kullback-Leibler for counts", choices=("squared", "kl"))
    l2: float = param(0.08, "squared penalty on factors (lambda)", minimum=0)
    l2_exponent: float = param(
        1.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    biases: bool = param(True, "whether a mean and user and item biases are part of the model")
    bias_l2: float = param(3.0, "squared penalty on biases", minimum=0)
    n_inner: int = param(3, "coordinate passes over a row in one sweep", minimum=1)
    warm_up: int = param(0, "sweeps in which l2 falls from three times its value to it", minimum=0)
    clip: bool = param(True, "keep predictions inside the range of the values seen")

    # -- what the solvers are told --------------------------------------------------------------
    def _loss_of(self, entries: Entries | None, *, fresh: bool = False) -> Loss:
        if self.loss == "kl":
            return Loss(
                MaskedKLObjective(
                    l2=self.l2,
                    l2_exponent=self.l2_exponent,
                    l1=self.user_l1,
                    item_l1=self.item_l1,
                    n_inner=self.n_inner,
                )
            )
        return Loss(
            MaskedObjective(
                l2=self.l2,
                l2_exponent=self.l2_exponent,
                l1=self.user_l1,
                item_l1=self.item_l1,
                bias_l2=self.bias_l2,
                biases=self.biases,
                n_inner=self.n_inner,
                warm_up=self.warm_up if fresh else 0,
                l1_rise=self._l1_rise if fresh else 0,
            )
        )

    @property
    def _l1_rise(self) -> int:
        return min(_L1_RISE, self.max_iter // 2) if max(self.user_l1, self.item_l1) > 0 else 0

    @property
    def _n_settling(self) -> int:
        return 0 if self.loss == "kl" else max(self.warm_up, self._l1_rise)

    def _random_start(self, entries: Entries, number: int) -> Factors:
        rank, seed = self.n_components, int(self.random_state)
        return random_start(entries.by_user, rank, biases=self.biases, seed=seed, chain=number)

    def _nndsvd_start(self, entries: Entries) -> Factors:
        rank, seed = self.n_components, int(self.random_state)
        return nndsvd_start(entries.by_user, entries.by_item, rank, biases=self.biases, seed=seed)

    def _mean_of(self, entries: Entries) -> float:
        if not self.biases:
            return 0.0
        return float(np.average(entries.by_user.values.astype(np.float64), weights=entries.weights))

    def _kept(self, at: AnyFactors) -> AnyFactors:
        if self.biases or isinstance(at, SparsePair):
            return at
        return replace(at, user_bias=np.zeros_like(at.user_bias), item_bias=np.zeros_like(at.item_bias))

    def _error_of(self, loss: Loss, entries: Entries) -> Error:
        values = entries.by_user.values
        bounds = (float(values.min()), float(values.max())) if self.clip else None
        return partial(loss.error, bounds=bounds)

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

    def _noted(self, entries: Entries, loss: Loss) -> None:
        values = entries.by_user.values
        self.value_range_ = (float(values.min()), float(values.max()))
        self.typical_value_ = float(np.average(values.astype(np.float64), weights=entries.weights))

    def _widened(self, new: Interactions, weights: Float32Array | None, entries: Entries) -> None:
        low, high = self.value_range_
        values = new.by_user.values if weights is None else new.by_user.values[weights > 0]
        self.value_range_ = float(values.min(initial=low)), float(values.max(initial=high))

    # -- answers --------------------------------------------------------------------------------
    def predict(self, users: AnyArray, items: AnyArray) -> Float32Array:
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
