"""Alternating least squares by the `implicit` library (Hu, Koren & Volinsky 2008).

The adapter corrects: a second fit starts afresh, BLAS is held at one thread, whose count would
otherwise change the last bits, and seen items and padding are left to our own ranking.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

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
from recsys.progress import Progress, task

_MOST = 1e30  # a confidence beyond it would overflow in single precision


@register_model
@dataclass(eq=False)
class ALS(FactorModel):
    """implicit's ALS: factors of any sign, absent cells of weight 1.

    An observed entry has the confidence ``weight x g``, g being 1, 1 + alpha ln(1 + x) or
    1 + alpha x; a ``weight`` above 1 is what sets it apart from an absent cell.

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
    has_themes: ClassVar[bool] = False

    n_components: int = param(64, "number of factors", minimum=1, search=Range(16, 512, log=True))
    _: KW_ONLY
    l2: float = param(
        0.01,
        "squared penalty on factors (implicit's regularization)",
        minimum=0,
        search=Range(0.01, 300.0, log=True),
    )
    weight: float = param(
        5.0,
        "confidence of an observed entry beside 1 for an absent one",
        minimum=1,
        search=Range(1.0, 100.0, log=True),
    )
    confidence: str = param("constant", "how confidence grows with the amount", choices=CONFIDENCES)
    alpha: float = param(1.0, "how fast confidence grows with the amount", minimum=0)
    max_iter: int = param(15, "iterations", minimum=1, search=Range(5, 30))
    random_state: int = param(0, "seed of the start", minimum=0)

    def _fit(self, data: Interactions, progress: Progress) -> None:
        matrix = self._confidences(data.by_user)
        from implicit.cpu.als import AlternatingLeastSquares  # before `launch`, for the BLAS it brings
        from implicit.recommender_base import ModelFitError

        with task(progress, self.name, self.max_iter) as running, threads.launch() as n_threads:
            solver = AlternatingLeastSquares(
                factors=self.n_components,
                regularization=self.l2,
                iterations=self.max_iter,
                num_threads=n_threads,
                random_state=int(self.random_state),
            )
            try:
                solver.fit(matrix, show_progress=False, callback=lambda *_: running.iterate())
            except ModelFitError as error:
                raise ModelError(f"{self.name}: {error}; the amounts may be too large.") from error
        self._learned(Factors.unbiased(solver.user_factors, solver.item_factors))

    def _confidences(self, rows: CompressedRows) -> sparse.csr_matrix:
        known = confidences(rows, self.confidence, self.alpha)
        weights = np.minimum(known.values.astype(np.float64) * self.weight, _MOST).astype(np.float32)
        return sparse.csr_matrix(
            (weights, known.columns.copy(), known.indptr.copy()),  # implicit wants arrays it could write to
            shape=(rows.n_rows, rows.n_columns),
        )

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        from implicit.cpu.als import AlternatingLeastSquares

        factors = np.zeros((rows.n_rows, self.n_components), dtype=np.float32)
        if positives(rows).nnz:
            matrix = self._confidences(rows)
            with threads.launch() as n_threads:
                solver = AlternatingLeastSquares(
                    factors=self.n_components, regularization=self.l2, num_threads=n_threads
                )
                solver.item_factors = self.item_factors_
                try:
                    factors = solver.recalculate_user(np.arange(rows.n_rows), matrix)
                except ValueError as error:  # a user's equations have no one answer
                    raise ModelError(f"{self.name}: {error} It is l2, now {self.l2:g}.") from error
        return SideFactors.of(factors)
