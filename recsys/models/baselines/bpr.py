"""Bayesian personalized ranking by the `implicit` library (Rendle et al. 2009).

The adapter corrects: a second fit starts afresh; one thread does the steps, since with several they
overwrite each other and no run is like the one before; and seen items and padding are left to our own
ranking.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from scipy import sparse

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.factorization.factors import Factors, SideFactors
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.values import training_preferences
from recsys.progress import Progress, task


@register_model
@dataclass(eq=False)
class BPR(FactorModel):
    """implicit's BPR: factors such that what a user has scores above what they have not.

    Steps of stochastic gradient descent, one entry against one absent item at a time; amounts play no
    part. ``--threads`` does not speed it up: it takes one thread whatever is given, for several
    would race for the same factors.

    Attributes
    ----------
    user_factors_, item_factors_, item_bias_
        See `FactorModel`; of any sign.

    Examples
    --------
    >>> from recsys import BPR, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = BPR(n_components=2, max_iter=10).fit(data)
    >>> model.score_block([0]).shape
    (1, 3)
    """

    name: ClassVar[str] = "bpr"
    has_themes: ClassVar[bool] = False

    n_components: int = param(64, "number of factors", minimum=1, search=Range(16, 256, log=True))
    _: KW_ONLY
    learning_rate: float = param(0.01, "size of a step", above=0, search=Range(0.003, 0.3, log=True))
    l2: float = param(
        0.01,
        "squared penalty on factors in each step (implicit's regularization)",
        minimum=0,
        search=Range(0.0001, 0.1, log=True),
    )
    max_iter: int = param(100, "iterations, each of as many steps as there are entries", minimum=1)
    random_state: int = param(0, "seed of the start and of the steps", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: whatever is not 0 counts the same."""
        return True

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rows = training_preferences(data, "binary")
        matrix = sparse.csr_matrix(
            (rows.values.copy(), rows.columns.copy(), rows.indptr.copy()),  # implicit wants to own them
            shape=(rows.n_rows, rows.n_columns),
        )
        from implicit.cpu.bpr import BayesianPersonalizedRanking  # before `launch`, for the BLAS it brings
        from implicit.recommender_base import ModelFitError

        with task(progress, self.name, self.max_iter) as running, threads.launch():
            solver = BayesianPersonalizedRanking(
                factors=self.n_components,
                learning_rate=self.learning_rate,
                regularization=self.l2,
                iterations=self.max_iter,
                num_threads=1,
                random_state=int(self.random_state),
            )
            try:
                solver.fit(matrix, show_progress=False, callback=lambda *_: running.iterate())
            except ModelFitError as error:
                raise ModelError(f"{self.name}: {error}; lower learning_rate.") from error
        # The last column of the users is 1, that of the items their bias.
        users, items = SideFactors.of(solver.user_factors[:, :-1]), solver.item_factors
        self._learned(Factors(0.0, users, SideFactors.of(items[:, :-1], items[:, -1])))
