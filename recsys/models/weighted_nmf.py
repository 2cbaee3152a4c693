"""Non-negative matrix factorization of the whole matrix: for purchases, clicks and plays."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.factorization.factors import explained_shares, order_by_share
from recsys.factorization.weighted import WeightedObjective, fit_weighted, weighted_start
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.progress import Progress

_DEFAULT_L2 = 4.0
_LARGEST_SHARE = 0.3

CONFIDENCES = ("constant", "log", "linear")


def confidences(rows: CompressedRows, kind: str, alpha: float) -> CompressedRows:
    """Return the positive entries with confidences as values.

    ``constant``: 1; ``log``: 1 + alpha ln(1 + x); ``linear``: 1 + alpha x (Hu, Koren & Volinsky
    2008, section 4). An amount of zero says what an absent cell says.
    """
    matrix = positives(rows).to_scipy().copy()
    if matrix.nnz == 0:
        raise InputError("all values are 0; a model of purchases or plays needs amounts above 0.")
    amounts = matrix.data.astype(np.float64)
    grown = {
        "constant": np.ones_like(amounts),
        "log": 1 + alpha * np.log1p(amounts),
        "linear": 1 + alpha * amounts,
    }[kind]
    matrix.data = np.minimum(grown, np.finfo(np.float32).max).astype(np.float32)
    return CompressedRows.from_scipy(matrix)


@dataclass(eq=False)
class WeightedNMF(FactorModel):
    """Preferences as sums of non-negative themes; absent cells count a little.

    Minimises

        1/2 sum_observed c_ui (p_ui - w_u . h_i)^2 + absent_weight/2 sum_all s_u s_i (w_u . h_i)^2
        + l2/2 (sum_u n_u^nu |w_u|^2 + sum_i n_i^nu |h_i|^2) + l1 (sum W + sum H),      W, H >= 0

    with the target ``p_ui = (n_u / mean n)^-user_exponent (n_i / mean n)^-item_exponent``, which
    keeps the most popular items from filling every theme; scores are multiplied back. The absent
    cells cost one rank x rank matrix a side (Hu, Koren & Volinsky 2008; He et al. 2016; Rendle et
    al. 2021), the sweep is that of the masked model.

    The penalty on both sides acts as a threshold on singular values (Srebro, Rennie & Jaakkola
    2004). The largest of a log is at least the geometric mean of the entries per user and per
    item, so the default is 4 or 0.3 times that mean, whichever is less: no log is fitted by zeros.

    Attributes
    ----------
    components_, user_factors_, item_factors_, shares_, history_
        See `FactorModel`; in units of preference, about 0 to 1.
    """

    name: ClassVar[str] = "weighted-nmf"

    n_components: int = param(128, "number of themes", minimum=1)
    _: KW_ONLY
    absent_weight: float = param(0.1, "weight of a cell without an entry", above=0)
    confidence: str = param("constant", "weight of an observed entry by its amount", choices=CONFIDENCES)
    alpha: float = param(1.0, "how fast confidence grows with the amount", minimum=0)
    user_exponent: float = param(0.1, "how far targets shrink for active users", minimum=0, maximum=1)
    item_exponent: float = param(0.1, "how far targets shrink for popular items", minimum=0, maximum=1)
    user_absent_exponent: float = param(
        0.0, "how absent weights grow with a user's activity", minimum=0, maximum=1
    )
    item_absent_exponent: float = param(
        0.0, "how absent weights grow with an item's popularity", minimum=0, maximum=1
    )
    l2: float | None = param(
        None,
        "squared penalty on factors (lambda); none: 4, less on small logs",
        minimum=0,
        kind=float,
    )
    l2_exponent: float = param(
        0.0, "power nu of a row's number of entries that scales l2; 1 is ALS-WR", minimum=0, maximum=2
    )
    l1: float = param(0.0, "penalty on the sum of factors; makes themes sparse", minimum=0)
    max_iter: int = param(10, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when the objective falls by less than this share of itself", minimum=0)
    n_inner: int = param(1, "coordinate passes over a row in one sweep", minimum=1)
    random_state: int = param(0, "seed of the start", minimum=0)

    def _filled_in(self, data: Interactions) -> dict[str, Any]:
        return {"l2": self._used_l2}

    def _penalty(self, rows: CompressedRows) -> float:
        typical = rows.nnz / np.sqrt(rows.n_rows * rows.n_columns)
        return float(min(_DEFAULT_L2, _LARGEST_SHARE * typical)) if self.l2 is None else self.l2

    def _objective(self, rows: CompressedRows) -> WeightedObjective:
        return WeightedObjective(
            absent_weight=self.absent_weight,
            user_absent_exponent=self.user_absent_exponent,
            item_absent_exponent=self.item_absent_exponent,
            user_exponent=self.user_exponent,
            item_exponent=self.item_exponent,
            l2=self._penalty(rows),
            l2_exponent=self.l2_exponent,
            l1=self.l1,
            n_inner=self.n_inner,
        )

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rows = confidences(data.by_user, self.confidence, self.alpha)
        objective = self._objective(rows)
        self._used_l2 = objective.l2
        start = weighted_start(rows, self.n_components, objective, seed=int(self.random_state))
        found, history = fit_weighted(
            rows,
            rows.transposed(),
            objective,
            start,
            max_iter=self.max_iter,
            tol=self.tol,
            name=self.name,
            progress=progress,
        )
        # Back to preferences: the targets' scale is taken out of both sides.
        user_factors = found.user_factors / found.users.target[:, None]
        item_factors = found.item_factors / found.items.target[:, None]
        shares = explained_shares(rows, user_factors, item_factors)
        order = order_by_share(shares)
        self._learned(user_factors[:, order], item_factors[:, order], shares=shares[order], history=history)
