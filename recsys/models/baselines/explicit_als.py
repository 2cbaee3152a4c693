"""Factors of any sign for ratings: what `MaskedNMF` would be without its bound at zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, Keeper
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import SideFactors
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from recsys.models.factor_model import FactorModel
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.parameters import param, param_of
from recsys.models.rating_penalty import ratings_l2
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.models.trainer import StoppingRules, Trainer
from recsys.progress import Progress
from recsys.typing import AnyArray, Float32Array

_ANY_SIGN = 1.5  # times the penalty of non-negative factors: what is free in sign fits noise sooner


@register_model
@dataclass(eq=False)
class ExplicitALS(FactorModel):
    """Matrix factorization of the observed ratings, mean and biases included, factors of any sign.

    Minimises what `MaskedNMF` does by the same sweeps, over users and items in turn, and only the
    bound at zero is left out: what the two differ by is what the bound costs or brings. The penalty
    grows with a row's number of entries as in ALS-WR (Zhou, Wilkinson, Schreiber & Pan 2008, section
    3.1), and there is more of it by default, since factors of both signs fit noise sooner. A sweep
    improves a row coordinate by coordinate, where ALS would solve it.

    Attributes
    ----------
    user_factors_, item_factors_, user_bias_, item_bias_, mean_, history_
        See `FactorModel`.
    value_range_ : tuple of float
        Least and largest value seen; `predict_by_row` stays inside if ``clip`` is set.

    Examples
    --------
    >>> from recsys import ExplicitALS, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob"], ["tea", "milk", "tea", "jam"]
    >>> data = Interactions.from_pairs(users, items, [5, 4, 3, 1])
    >>> model = ExplicitALS(n_components=2).fit(data)
    >>> model.predict_by_row([0, 0], [0, 1]).shape
    (2,)
    """

    name: ClassVar[str] = "explicit-als"
    has_themes: ClassVar[bool] = False
    predicts_values: ClassVar[bool] = True
    ranks_by_value: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"
    keeps_checkpoints: ClassVar[bool] = True

    n_components: int = param(64, "number of factors", minimum=1, search=Range(8, 256, log=True))
    _: KW_ONLY
    l2: float | None = param_of(MaskedNMF, "l2")
    l2_exponent: float = param(
        1.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    bias_l2: float = param(3.0, "squared penalty on biases", minimum=0, search=Range(0.5, 20.0, log=True))
    max_iter: int = param(100, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when the objective falls by less than this share of itself", minimum=0)
    n_inner: int = param(3, "coordinate passes over a row in one sweep", minimum=1)
    clip: bool = param(True, "keep predictions inside the range of the values seen")
    random_state: int = param(0, "seed of the start", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: they stand on a mean and biases."""
        return True

    def objective(self, entries: Entries | None = None) -> SquaredObjective:
        """Return what is minimised when entries are fitted; without any, what the last fit minimised."""
        if self.l2 is not None:
            l2 = float(self.l2)
        elif entries is None:
            l2 = float(self.fitted_params_["l2"])
        else:
            l2 = _ANY_SIGN * ratings_l2(entries.by_user)
        return SquaredObjective(
            Penalty(l2, self.l2_exponent),
            biases=True,
            bias_l2=self.bias_l2,
            nonnegative=False,
            n_inner=self.n_inner,
        )

    def _fit(self, data: Interactions, progress: Progress, keeper: Keeper = KEEPS_NOTHING) -> None:
        entries = Entries(data.by_user, data.by_item)
        objective = self.objective(entries)
        trainer = Trainer(
            objective,
            self.n_components,
            StoppingRules(self.max_iter, self.tol),
            seed=int(self.random_state),
            name=self.name,
            progress=progress,
            keeper=keeper,
        )
        result = trainer.fit(entries)
        self._used_l2 = objective.penalty.l2
        self._learned(result.factors, history=result.history)
        values = data.by_user.values
        self.value_range_ = (float(values.min()), float(values.max()))

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"l2": self._used_l2}

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        return self._new_users(self.objective(), rows)

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values; an unknown side (-1) leaves the mean and the other side's bias."""
        scores = self._products(users, items) + np.float32(self.mean_)
        return np.clip(scores, *self.value_range_) if self.clip else scores

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), "value_range": np.array(self.value_range_)}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        value_range = require(arrays, "value_range", np.float64, 1)
        if len(value_range) != 2:
            raise ModelError(
                f"array 'value_range' has {len(value_range)} numbers; expected least and largest."
            )
        super().restore(arrays)
        self.value_range_ = (float(value_range[0]), float(value_range[1]))
