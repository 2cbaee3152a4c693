"""Factor models that are fitted by sweeps over users and items in turn, until a stopping rule holds."""

from __future__ import annotations

import copy
import time
from abc import abstractmethod
from functools import partial
from typing import Any, Self

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, GivenCheckpoint, Keeper, opened
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.objective import Objective
from recsys.factorization.stability import stability
from recsys.factorization.starts import custom_start
from recsys.models.factor_model import FactorModel
from recsys.models.fit_state import fit_of
from recsys.models.part_progress import snapshots
from recsys.models.trainer import DEFAULT_SHARE, FitResult, StoppingRules, Trainer, restarted
from recsys.models.training_data import Training, aligned_weights
from recsys.models.updatable import UpdatableModel
from recsys.progress import Progress


class DescentModel(FactorModel, UpdatableModel):
    """A factor model that is fitted by alternating descent; a child says by `objective` what it minimises.

    It makes of its parameters an objective, a start and stopping rules, hands these to the `Trainer`, which
    knows no model, and keeps what a fit comes to. `NMF` says what each parameter means.
    """

    init: str
    n_init: int
    max_iter: int
    tol: float
    gradient_tol: float
    validation_share: float
    patience: int
    time_limit: float | None
    warm_start: bool
    random_state: int

    # -- what a child says ----------------------------------------------------------------------
    @abstractmethod
    def objective(self, entries: Entries | None, *, fresh: bool = False) -> Objective:
        """Return what is minimised.

        Parameters
        ----------
        entries : Entries or None
            What is fitted, where that has a say; None stands for new users of a fitted model.
        fresh : bool
            Whether a fit begins from a start, not from a fitted model.
        """

    def objective_of_fit(self, entries: Entries | None = None) -> Objective:
        """Return what the last fit minimised, for folding rows in; ``entries``: all there are by now."""
        return self.objective(entries)

    def _entries(self, training: Training) -> Entries:
        """Return what the solver is to fit."""
        return Entries.counting(training.data, training.weights)

    def _values(self, rows: CompressedRows) -> CompressedRows:
        """Return entries of new users as the solver takes them."""
        return rows

    def _number_of_components(self, entries: Entries) -> int:
        """Return how many components a fit has: what was given, or by a rule for the entries."""
        return self.n_components

    def _check_together(self) -> None:
        """Raise ParameterError if parameters contradict each other."""

    def _note_fit(self, entries: Entries, objective: Objective) -> None:
        """Keep what else is to be known of entries that were fitted, and of how."""

    # -- fitting --------------------------------------------------------------------------------
    def _fit(
        self,
        data: Interactions,
        progress: Progress,
        W: Any = None,
        H: Any = None,
        entry_weight: Any = None,
        checkpoint: GivenCheckpoint = None,
    ) -> None:
        weights = None if entry_weight is None else aligned_weights(entry_weight, data.by_user)
        training = Training(data, weights)
        self._check_parameters(n_given=(W is not None) + (H is not None))
        entries = self._entries(training)
        warm = self._warm_factors(data, entries) if self.warm_start and self.is_fitted else None
        initial, n_components = warm, self._number_of_components(entries)
        if warm is None and self.init == "custom":
            item_factors = None if H is None else np.transpose(H)
            shape = entries.by_user.n_rows, entries.by_user.n_columns
            bounded = self.objective(entries, fresh=True).nonnegative
            initial = custom_start(shape, n_components, W, item_factors, nonnegative=bounded)
        objective = self.objective(entries, fresh=warm is None)
        watch = None
        if self.n_init == 1 and self.validation_share == 0:
            watch = snapshots(progress, lambda result: self._ended_with(result, training, entries))
        fit = partial(fit_of, self.name, self.get_params(), data, weights=weights, start=initial)
        with opened(checkpoint, fit) as keeper:
            trainer = Trainer(
                objective,
                n_components,
                self._stopping_rules(keeper),
                init=self.init,
                initial=initial,
                n_starts=1 if warm is not None else self.n_init,
                validation_share=self.validation_share,
                seed=int(self.random_state),
                name=self.name,
                progress=progress,
                watch=watch,
                keeper=keeper,
            )
            result = trainer.fit(entries)
        self._keep_fit(result, objective, training, entries)

    def _ended_with(self, result: FitResult, training: Training, entries: Entries) -> Self:
        """Return the model as of a fit that came to this."""
        model = copy.copy(self)
        model.max_iter = result.history.n_iter
        model._keep_fit(result, self.objective(entries, fresh=True), training, entries)
        return model._finished(training.data)

    def _stopping_rules(self, keeper: Keeper = KEEPS_NOTHING) -> StoppingRules:
        began = time.perf_counter() - keeper.seconds_before
        return StoppingRules(
            max_iter=self.max_iter,
            tol=self.tol,
            gradient_tol=self.gradient_tol,
            patience=self.patience,
            deadline=None if self.time_limit is None else began + self.time_limit,
        )

    def _check_parameters(self, *, n_given: int) -> None:
        """Raise ParameterError if parameters contradict each other, or the number of W and H given."""
        self._check_together()
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

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"validation_share": self.validation_share or (DEFAULT_SHARE if self.n_init > 1 else 0.0)}

    def _keep_fit(
        self, result: FitResult, objective: Objective, training: Training, entries: Entries
    ) -> None:
        """Take over what a fit comes to, components ordered."""
        factors, shares, order = result.factors.by_share(entries.by_user)
        self._learned(factors.as_stored(), shares=shares, history=result.history)
        self.stability_ = None
        if result.rivals and objective.nonnegative:
            runs = [run.item_factors for run in (result.factors, *result.rivals)]
            self.stability_ = stability(runs)[order]
        self._hold(training)
        self._note_fit(entries, objective)

    def _warm_factors(self, data: Interactions, entries: Entries) -> Factors:
        """Return where the last fit ended, or raise InputError."""
        factors = self.factors()
        fitted = (len(factors.users), len(factors.items), factors.rank)
        asked = (data.n_users, data.n_items, self._number_of_components(entries))
        self._known_data().check_warm_start(data, fitted, asked)
        seed = int(self.random_state)
        return restarted(self.objective(entries), factors, entries, seed=seed)
