"""From an objective, entries and stopping rules to factors; it knows no estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import ModelError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.objective import Objective
from recsys.factorization.profile_start import profile_start
from recsys.factorization.selection import FitResult, Start, StoppingRules, fit_once, fit_validated
from recsys.factorization.starts import nndsvd_start, random_start
from recsys.progress import SILENT, Progress

DEFAULT_SHARE = 0.1
"""Share of the entries held out where starts are to be compared and no other was asked for."""


@dataclass(frozen=True, eq=False)
class Trainer:
    """How factors are fitted.

    Attributes
    ----------
    objective : Objective
    rank : int
        Number of components.
    rules : StoppingRules
    init : {"random", "nndsvd", "profiles"}
        The start, where none is given.
    given : Factors, optional
        A start in the units of the data.
    n_starts : int
        Random starts to choose from by held-out error.
    validation_share : float
        Of the entries, held out; 0: none.
    seed : int
        Of starts and of the choice of held-out entries.
    name : str
        What to call the fit.
    progress : Progress
    """

    objective: Objective
    rank: int
    rules: StoppingRules
    init: str = "random"
    given: Factors | None = None
    n_starts: int = 1
    validation_share: float = 0.0
    seed: int = 0
    name: str = "fit"
    progress: Progress = SILENT

    def fit(self, entries: Entries) -> FitResult:
        """Fit entries from the start, or from the best of several."""
        share = self.validation_share or (DEFAULT_SHARE if self.n_starts > 1 else 0.0)
        if share > 0:
            return fit_validated(
                self.objective,
                entries,
                self.start,
                self.rules,
                n_starts=self.n_starts,
                share=share,
                seed=self.seed,
                name=self.name,
                progress=self.progress,
            )
        start = self.start(entries, 0)
        return fit_once(self.objective, entries, start, self.rules, name=self.name, progress=self.progress)

    def start(self, entries: Entries, number: int) -> Start:
        """Return where a fit of entries begins, the mean of predictions set."""
        if self.given is not None:
            start = Start(self.objective.given_start(self.given))
        elif self.init == "nndsvd":
            start = nndsvd_start(self.objective, entries, self.rank, seed=self.seed)
        elif self.init == "profiles":
            start = profile_start(entries, self.rank, seed=self.seed, number=number)
        else:
            start = random_start(self.objective, entries, self.rank, seed=self.seed, number=number)
        mean = self.objective.start_mean(entries)
        return replace(start, factors=replace(start.factors, mean=mean))


def restarted(objective: Objective, factors: Factors, entries: Entries, *, seed: int) -> Factors:
    """Return factors whose components that are zero on both sides, which no sweep can change, begin again."""
    if objective.stays_empty or not factors.empty_components.any():
        return factors
    drawn = random_start(objective, entries, factors.rank, seed=seed).factors
    return factors.restarted(factors.empty_components, drawn)


def check_range(factors: Factors, name: str, l2: float | None) -> None:
    """Raise ModelError if a product of factors might be beyond single precision.

    Where penalties are nothing beside the values, a user or an item with next to no entries can get
    factors of any size.
    """
    users, items = (side.factors.largest().astype(np.float64) for side in (factors.users, factors.items))
    if not float(np.sum(users * items)) < float(np.finfo(np.float32).max):
        raise ModelError(
            f"{name}: scores would be beyond single precision (3.4e38); give the values in larger "
            f"units or raise l2, now {l2}."
        )
