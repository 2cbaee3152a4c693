"""Alternating least squares by the `implicit` library (Hu, Koren & Volinsky 2008).

The adapter corrects: a second fit starts afresh, BLAS is held at one thread, whose count would
otherwise change the last bits, and seen items and padding are left to our own ranking.
"""

from __future__ import annotations

import copy
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows, positives
from recsys.errors import ModelError
from recsys.factorization.factors import Factors, SideFactors
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.values import CONFIDENCES, confidences
from recsys.models.whole_matrix_penalty import whole_matrix_l2
from recsys.progress import Progress, task

# The rule for weight and l2 where they are not given, read off validation parts; see tests/benchmarks.
_WEIGHT, _LEAST_WEIGHT, _MOST_WEIGHT = 400.0, 1.5, 20.0
_L2, _L2_FACTOR = 6.0, 0.5

_MOST = 1e30  # a confidence beyond it would overflow in single precision


@register_model
@dataclass(eq=False)
class ALS(FactorModel):
    """implicit's ALS: factors of any sign, absent cells of weight 1.

    An observed entry has the confidence ``weight x g``, g being 1, 1 + alpha ln(1 + x) or
    1 + alpha x; a ``weight`` above 1 is what sets it apart from an absent cell.

    Where ``weight`` and ``l2`` are not given they follow the mean numbers of entries of a user, n, and of an
    item, m: the weight is 400 / n, from 1.5 to 20, and l2 the weight times the larger of 6 and
    0.5 (sqrt(n) + sqrt(m)), but never so large that a log is fitted by zeros (see
    `recsys.models.whole_matrix_penalty.whole_matrix_l2`).

    Examples
    --------
    >>> from recsys import ALS, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = ALS(n_components=2).fit(data)
    >>> model.score_block([0]).shape
    (1, 3)
    """

    name: ClassVar[str] = "als"
    shows_iterations: ClassVar[bool] = True
    has_themes: ClassVar[bool] = False

    n_components: int = param(128, "number of factors", minimum=1, search=Range(16, 512, log=True))
    _: KW_ONLY
    l2: float | None = param(
        None,
        "squared penalty on factors (implicit's regularization); none: by entries a user and item",
        minimum=0,
        kind=float,
        search=Range(0.01, 300.0, log=True),
    )
    weight: float | None = param(
        None,
        "confidence of an observed entry beside 1 for an absent one; none: less for active users",
        minimum=1,
        kind=float,
        search=Range(1.0, 100.0, log=True),
    )
    confidence: str = param("constant", "how confidence grows with the amount", choices=CONFIDENCES)
    alpha: float = param(1.0, "how fast confidence grows with the amount", minimum=0)
    max_iter: int = param(15, "iterations", minimum=1, search=Range(5, 30))
    random_state: int = param(0, "seed of the start", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: if whatever is not 0 counts the same."""
        return self.confidence == "constant"

    def _fit(self, data: Interactions, progress: Progress) -> None:
        known = positives(data.by_user)
        self._used = self._given_or_ruled(known if known.nnz else data.by_user)
        matrix = self._confidences(data.by_user, self._used["weight"])
        from implicit.cpu.als import AlternatingLeastSquares  # before `launch`, for the BLAS it brings
        from implicit.recommender_base import ModelFitError

        show = getattr(progress, "snapshot", None)

        def note(*_: object) -> None:
            running.iterate()
            if show is not None:
                model = copy.copy(self)
                model.max_iter = running.n_done
                factors = (solver.user_factors.copy(), solver.item_factors.copy())
                model._learned(Factors.unbiased(*factors))
                model._finished(data)
                show(model)

        with task(progress, self.name, self.max_iter) as running, threads.launch() as n_threads:
            solver = AlternatingLeastSquares(
                factors=self.n_components,
                regularization=self._used["l2"],
                iterations=self.max_iter,
                num_threads=n_threads,
                random_state=int(self.random_state),
            )
            try:
                solver.fit(matrix, show_progress=False, callback=note)
            except ModelFitError as error:
                raise ModelError(f"{self.name}: {error}; the amounts may be too large.") from error
        self._learned(Factors.unbiased(solver.user_factors, solver.item_factors))

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: factors twice, and entries by user and by item."""
        return 8 * self.n_components * (data.n_users + data.n_items) + 44 * data.nnz

    def _given_or_ruled(self, rows: CompressedRows) -> dict[str, float]:
        """Return weight and penalty: as given, or by the rule for a log with entries."""
        weight = self.weight
        if weight is None:
            weight = min(max(_WEIGHT * np.count_nonzero(rows.counts) / rows.nnz, _LEAST_WEIGHT), _MOST_WEIGHT)
        l2 = self.l2
        if l2 is None:
            l2 = weight * whole_matrix_l2(rows, least=_L2, factor=_L2_FACTOR)
        return {"weight": float(weight), "l2": float(l2)}

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return dict(self._used)

    def _confidences(self, rows: CompressedRows, weight: float) -> sparse.csr_matrix:
        known = confidences(rows, self.confidence, self.alpha)
        weights = np.minimum(known.values.astype(np.float64) * weight, _MOST).astype(np.float32)
        return sparse.csr_matrix(
            (weights, known.columns.copy(), known.indptr.copy()),  # implicit wants arrays it could write to
            shape=(rows.n_rows, rows.n_columns),
        )

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        from implicit.cpu.als import AlternatingLeastSquares

        factors = np.zeros((rows.n_rows, self.n_components), dtype=np.float32)
        if positives(rows).nnz:
            weight, l2 = (float(self.fitted_params_[name]) for name in ("weight", "l2"))
            matrix = self._confidences(rows, weight)
            with threads.launch_beside() as n_threads:
                solver = AlternatingLeastSquares(
                    factors=self.n_components, regularization=l2, num_threads=n_threads
                )
                solver.item_factors = self.item_factors_
                try:
                    factors = solver.recalculate_user(np.arange(rows.n_rows), matrix)
                except ValueError as error:  # a user's equations have no one answer
                    raise ModelError(f"{self.name}: {error} It is l2, now {l2:g}.") from error
        return SideFactors.of(factors)
