"""How a descent begins and ends: the parameters of an NMF estimator that are not its objective's."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, Keeper
from recsys.errors import ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.objective import Objective
from recsys.factorization.starts import custom_start
from recsys.models.trainer import DEFAULT_SHARE, FitResult, StoppingRules, Trainer
from recsys.progress import SILENT, Progress


@dataclass(frozen=True)
class DescentPlan:
    """How a descent begins and ends; each attribute is the parameter of that name, see `NMF`.

    Attributes
    ----------
    name : str
        The estimator's, for messages.
    init, n_init, max_iter, tol, gradient_tol, validation_share, patience, time_limit, random_state
    """

    name: str
    init: str
    n_init: int
    max_iter: int
    tol: float
    gradient_tol: float
    validation_share: float
    patience: int
    time_limit: float | None
    random_state: int

    @classmethod
    def of(cls, estimator: Any) -> DescentPlan:
        """Return the plan that an estimator's parameters are."""
        return cls(**{part.name: getattr(estimator, part.name) for part in fields(cls)})

    @property
    def held_out_share(self) -> float:
        """Share of the entries that is held out: several starts are compared by some in any case."""
        return self.validation_share or (DEFAULT_SHARE if self.n_init > 1 else 0.0)

    @property
    def fits_once(self) -> bool:
        """Whether one start is fitted to all entries, with none held out."""
        return self.n_init == 1 and self.validation_share == 0

    def check(self, *, n_given: int) -> None:
        """Raise ParameterError if starts contradict each other, or the number of W and H given."""
        if self.n_init > 1 and self.init in ("nndsvd", "custom"):
            raise ParameterError(
                f"{self.name}: n_init is {self.n_init}, but init {self.init!r} gives one start only; "
                f"set n_init=1 or init='random'."
            )
        if n_given != (2 if self.init == "custom" else 0):
            raise ParameterError(
                f"{self.name}: init is {self.init!r} and {n_given} of W and H are given; "
                f"give both with init='custom', and neither otherwise."
            )

    def custom_start(
        self, entries: Entries, n_components: int, W: Any, H: Any, *, nonnegative: bool
    ) -> Factors | None:
        """Return the start that W and H are, None where ``init`` is not "custom".

        Parameters
        ----------
        entries : Entries
        n_components : int
        W, H : array-like, shapes (n_users, n_components) and (n_components, n_items)
        nonnegative : bool
            Whether a number below 0 is refused.

        Raises
        ------
        InputError
            If a shape is another, or a number is not finite or negative where that is refused.
        """
        if self.init != "custom":
            return None
        shape = entries.by_user.n_rows, entries.by_user.n_columns
        item_factors = None if H is None else np.transpose(H)
        return custom_start(shape, n_components, W, item_factors, nonnegative=nonnegative)

    def stopping_rules(self, keeper: Keeper = KEEPS_NOTHING) -> StoppingRules:
        """Return when a fit stops that begins now; the time before a checkpoint counts."""
        began = time.perf_counter() - keeper.seconds_before
        return StoppingRules(
            max_iter=self.max_iter,
            tol=self.tol,
            gradient_tol=self.gradient_tol,
            patience=self.patience,
            deadline=None if self.time_limit is None else began + self.time_limit,
        )

    def trainer(
        self,
        objective: Objective,
        n_components: int,
        *,
        initial: Factors | None,
        is_warm: bool,
        keeper: Keeper = KEEPS_NOTHING,
        progress: Progress = SILENT,
        watch: Callable[[FitResult], object] | None = None,
    ) -> Trainer:
        """Return what fits entries so.

        Parameters
        ----------
        objective : Objective
        n_components : int
        initial : Factors or None
            The start, where it is not drawn; ``is_warm``: where an earlier fit ended, the only start then.
        is_warm : bool
        keeper, progress, watch
            See `Trainer`.
        """
        return Trainer(
            objective,
            n_components,
            self.stopping_rules(keeper),
            init=self.init,
            initial=initial,
            n_starts=1 if is_warm else self.n_init,
            validation_share=self.validation_share,
            seed=int(self.random_state),
            name=self.name,
            progress=progress,
            watch=watch,
            keeper=keeper,
        )
