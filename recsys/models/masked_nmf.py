"""Non-negative matrix factorization of the observed entries: for ratings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.errors import InputError, ModelError
from recsys.factorization.factors import explained_shares, order_by_share
from recsys.factorization.masked import (
    MaskedFactors,
    MaskedObjective,
    fit_masked,
    fold_in_masked,
    random_start,
)
from recsys.models.base import FactorModel, require
from recsys.models.parameters import param
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array

_FOLD_IN_SWEEPS = 50


@dataclass(eq=False)
class MaskedNMF(FactorModel):
    """Ratings as sums of non-negative themes, fitted to the observed entries only.

    Minimises, over the observed entries (Omega),

        1/2 sum_Omega (x_ui - mean - b_u - a_i - w_u . h_i)^2
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2) + l1 (sum W + sum H)
        + bias_l2/2 (|b|^2 + |a|^2),      W, H >= 0

    by row-wise coordinate descent in residual form (Cichocki & Phan 2009; Yu et al. 2012). A
    missing rating is missing: it is not read as a zero.

    Attributes
    ----------
    components_ : float32, (n_components, n_items)
        Themes, ordered by the share of the observed total they explain.
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, shares_, history_
        See `FactorModel`.
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

    n_components: int = param(64, "number of themes", minimum=1)
    _: KW_ONLY
    l2: float = param(0.08, "squared penalty on factors (lambda)", minimum=0)
    l2_exponent: float = param(
        1.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    l1: float = param(0.0, "penalty on the sum of factors; makes themes sparse", minimum=0)
    biases: bool = param(True, "whether a mean and user and item biases are part of the model")
    bias_l2: float = param(3.0, "squared penalty on biases", minimum=0)
    max_iter: int = param(100, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when the objective falls by less than this share of itself", minimum=0)
    n_inner: int = param(1, "coordinate passes over a row in one sweep", minimum=1)
    clip: bool = param(True, "keep predictions inside the range of the values seen")
    random_state: int = param(0, "seed of the start", minimum=0)

    def _objective(self) -> MaskedObjective:
        return MaskedObjective(
            l2=self.l2,
            l2_exponent=self.l2_exponent,
            l1=self.l1,
            bias_l2=self.bias_l2,
            biases=self.biases,
            n_inner=self.n_inner,
        )

    def _fit(self, data: Interactions, progress: Progress) -> None:
        start = random_start(data.by_user, self.n_components, biases=self.biases, seed=int(self.random_state))
        found, history = fit_masked(
            data.by_user,
            data.by_item,
            self._objective(),
            start,
            max_iter=self.max_iter,
            tol=self.tol,
            name=self.name,
            progress=progress,
        )
        shares = explained_shares(data.by_user, found.user_factors, found.item_factors)
        order = order_by_share(shares)
        self._learned(
            found.user_factors[:, order],
            found.item_factors[:, order],
            user_bias=found.user_bias,
            item_bias=found.item_bias,
            mean=found.mean,
            shares=shares[order],
            history=history,
        )
        values = data.by_user.values
        self.value_range_ = (float(values.min()), float(values.max()))
        self.typical_value_ = float(values.mean(dtype=np.float64))

    def predict(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values; an unknown side (-1) leaves the mean and the other side's bias.

        Without biases there is nothing to fall back on but the mean of the values seen.
        """
        scores = self._products(users, items) + np.float32(self.mean_)
        if not self.biases:
            unknown = (np.asarray(users, np.int64) < 0) | (np.asarray(items, np.int64) < 0)
            scores[unknown] = self.typical_value_
        return np.clip(scores, *self.value_range_) if self.clip else scores

    def fit_transform(self, X: Any, y: None = None) -> Float32Array:
        """Fit and return the user factors, (n_users, n_components)."""
        return self.fit(X).user_factors_

    def transform(self, X: Any) -> Float32Array:
        """Return factors of new users, items held; shape (n_new_users, n_components).

        Parameters
        ----------
        X : sparse matrix or array-like, shape (n_new_users, n_items)
            Columns are the items of the training data, in their order. Biases of the new users
            are fitted with their factors, but not returned.

        Raises
        ------
        InputError
            If the number of items is another, or X is an Interactions: its columns are its own items.
        """
        self._check_fitted()
        if isinstance(X, Interactions):
            raise InputError("an Interactions has columns of its own; give a matrix of the training items.")
        data = Interactions.from_matrix(X, feedback=self.feedback)
        if data.n_items != self.n_items_:
            raise InputError(f"the matrix has {data.n_items} items; expected {self.n_items_}.")
        fitted = MaskedFactors(
            self.mean_, self.user_factors_, self.item_factors_, self.user_bias_, self.item_bias_
        )
        return fold_in_masked(data.by_user, self._objective(), fitted, n_iter=_FOLD_IN_SWEEPS)[0]

    def inverse_transform(self, W: Float32Array) -> Float32Array:
        """Return ``W components_``, the part of the prediction that themes make."""
        self._check_fitted()
        return np.asarray(W, dtype=np.float32) @ self.components_

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
