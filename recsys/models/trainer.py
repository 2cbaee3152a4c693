"""From an objective, entries and stopping rules to factors; it knows no estimator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, FitState, Keeper
from recsys.errors import ModelError
from recsys.factorization.descent import descend
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.history import History, Stopped
from recsys.factorization.objective import Objective
from recsys.factorization.problem import AlternatingProblem
from recsys.factorization.profile_start import profile_start
from recsys.factorization.starts import Start, nndsvd_start, random_start
from recsys.factorization.trace import Trace
from recsys.factorization.validation import HeldOutEntries, hold_out
from recsys.models.fit_state import factors_from_arrays, factors_to_arrays, finished_of, finished_state
from recsys.progress import SILENT, Iteration, IterationCallback, Progress

_BEST = "best_"
DEFAULT_SHARE = 0.1
"""Share of the entries held out where starts are to be compared and no other was asked for."""


@dataclass(frozen=True)
class StoppingRules:
    """When to stop; see `recsys.factorization.descent.descend`.

    Attributes
    ----------
    max_iter : int
    tol, gradient_tol : float
    patience : int
    deadline : float, optional
        Of all descents together, by `time.perf_counter`.
    """

    max_iter: int
    tol: float = 0.0
    gradient_tol: float = 0.0
    patience: int = 1
    deadline: float | None = None


@dataclass(frozen=True, eq=False)
class FitResult:
    """What a fit comes to.

    Attributes
    ----------
    factors : Factors
    history : History
    rivals : sequence of Factors
        The best states of the other starts.
    """

    factors: Factors
    history: History
    rivals: Sequence[Factors] = ()


@dataclass(frozen=True, eq=False)
class Trainer:
    """How factors are fitted: from one start, or from the best of several by held-out error.

    Attributes
    ----------
    objective : Objective
    rank : int
        Number of components.
    rules : StoppingRules
        For each start.
    init : {"random", "nndsvd", "profiles"}
        The start, where none is given.
    initial : Factors, optional
        A start in the units of the data.
    n_starts : int
        Random starts to choose from by held-out error.
    validation_share : float
        Of the entries, held out; 0: none, or `DEFAULT_SHARE` with several starts.
    seed : int
        Of starts and of the choice of held-out entries.
    name : str
        What to call the fit.
    progress : Progress
    keeper : Keeper
        Keeps where each descent stands, and what those before it came to.
    """

    objective: Objective
    rank: int
    rules: StoppingRules
    init: str = "random"
    initial: Factors | None = None
    n_starts: int = 1
    validation_share: float = 0.0
    seed: int = 0
    name: str = "fit"
    progress: Progress = SILENT
    watch: Callable[[FitResult], object] | None = None
    """Is given the state after each iteration, where one start is fitted to all entries."""
    keeper: Keeper = KEEPS_NOTHING

    def fit(self, entries: Entries) -> FitResult:
        """Fit entries from the start, or from the best of several.

        Raises
        ------
        InputError
            If there are too few entries to hold some out.
        ModelError
            If numbers leave single precision.
        KeyboardInterrupt
            If interrupted before there was anything to keep.
        """
        if self.n_starts > 1 or self.validation_share > 0:
            result = self._fit_validated(entries)
        else:
            result = self._fit_once(entries, 0, self.rules, self.name)
        check_range(result.factors, self.name, self.objective.penalty.l2)
        return result

    def start(self, entries: Entries, number: int) -> Start:
        """Return where a fit of entries begins; another number gives another random start."""
        objective = self.objective
        if self.initial is not None:
            factors = replace(objective.given_start(self.initial), mean=objective.start_mean(entries))
            return Start(factors)
        if self.init == "nndsvd":
            return nndsvd_start(objective, entries, self.rank, seed=self.seed)
        if self.init == "profiles":
            return profile_start(entries, self.rank, seed=self.seed, number=number)
        return random_start(objective, entries, self.rank, seed=self.seed, number=number)

    def _fit_once(
        self,
        entries: Entries,
        number: int,
        rules: StoppingRules,
        name: str,
        held_out: HeldOutEntries | None = None,
    ) -> FitResult:
        """Descend from one start; with held-out entries the result is the state of their least error."""
        part = f"start {number}" if held_out is not None else "all entries"
        kept = self.keeper.state_of(part)
        if kept is not None and kept.is_final:
            return FitResult(*finished_of(kept))
        trace = Trace() if kept is None else Trace.from_json(kept.record)
        start = self.start(entries, number) if kept is None else _resumed(kept, len(trace))
        problem = AlternatingProblem(
            self.objective, entries, start.factors, is_scaled=start.is_scaled, n_sweeps=start.n_sweeps
        )
        monitor = None if held_out is None else Monitor(problem, held_out, self.objective)
        if monitor is not None and kept is not None:
            monitor.best = factors_from_arrays(kept.arrays, _BEST)
        progress = self.progress
        if self.watch is not None and held_out is None:
            progress = _watched(progress, self.watch, problem, trace)
        history = descend(
            problem,
            max_iter=rules.max_iter,
            tol=rules.tol,
            gradient=problem.projected_gradient,
            gradient_tol=rules.gradient_tol,
            validation=monitor,
            patience=rules.patience,
            deadline=rules.deadline,
            trace=trace,
            keep=lambda trace: self.keeper.keep(part, lambda: _state(trace, problem, monitor)),
            name=name,
            progress=progress,
        )
        best = problem.factors() if monitor is None else monitor.best
        assert best is not None  # the first error is a number, so it was the best once
        if history.stopped not in ("interrupted", "time"):
            self.keeper.finish(part, lambda: finished_state(best, history))
        return FitResult(best, history)

    def _fit_validated(self, entries: Entries) -> FitResult:
        """Choose start and number of sweeps by held-out error, then fit to all entries.

        Every start sees the same entries and is measured on the same others. The best one is then
        begun again on all entries and swept as often as was best for it. When an interrupt or the
        deadline comes before that is done, the best state measured so far is returned instead.

        Starts run one after another. A sweep shares its rows out to all threads and loses little by
        it, so that starts beside each other would take as long and hold all their factors and copies
        of the entries at a time; and what is done when an interrupt comes is then done well.
        """
        rest, held_out = hold_out(entries, self.validation_share or DEFAULT_SHARE, seed=self.seed)
        attempts: list[FitResult] = []
        final: FitResult | None = None
        cut: Stopped | None = None
        try:
            for number in range(self.n_starts):
                of_several = f"start {number + 1} of {self.n_starts}" if self.n_starts > 1 else "held out"
                result = self._fit_once(rest, number, self.rules, f"{self.name}, {of_several}", held_out)
                attempts.append(result)
                if result.history.stopped in ("interrupted", "time"):
                    cut = result.history.stopped
                    break
            if cut is None:
                best = min(range(len(attempts)), key=lambda number: _held_out_error(attempts[number]))
                rules = StoppingRules(attempts[best].history.best_iter, deadline=self.rules.deadline)
                final = self._fit_once(entries, best, rules, f"{self.name}, all entries")
                if final.history.stopped in ("interrupted", "time"):
                    cut = final.history.stopped
        except KeyboardInterrupt:
            if not attempts:
                raise
            cut = "interrupted"
        return _chosen(attempts, final, cut)


def _resumed(kept: FitState, n_sweeps: int) -> Start:
    """Return where a descent that was cut off goes on from."""
    return Start(factors_from_arrays(kept.arrays), is_scaled=True, n_sweeps=n_sweeps)


def _state(trace: Trace, problem: AlternatingProblem, monitor: Monitor | None) -> FitState:
    """Return where a descent stands."""
    arrays = factors_to_arrays(problem.state())
    if monitor is not None and monitor.best is not None:
        arrays |= factors_to_arrays(monitor.best, _BEST)
    return FitState(trace.to_json(), arrays)


def _watched(
    progress: Progress, watch: Callable[[FitResult], object], problem: AlternatingProblem, trace: Trace
) -> Progress:
    """Return a listener that hands on its notes, and the state after each iteration to ``watch``."""
    notify = getattr(progress, "iteration", None)
    objectives = [done.sweep.objective for done in trace.iterations]

    def note(iteration: Iteration) -> None:
        if notify is not None:
            notify(iteration)
        objectives.append(np.nan if iteration.objective is None else iteration.objective)
        history = History(list(objectives), [iteration.seconds] * len(objectives))
        watch(FitResult(problem.factors(), history))

    return IterationCallback(note, progress)


class Monitor:
    """Held-out entries watching a problem; see `recsys.factorization.descent.Validation`."""

    def __init__(self, problem: AlternatingProblem, held_out: HeldOutEntries, objective: Objective) -> None:
        self._problem, self._held_out, self._objective = problem, held_out, objective
        self._scored: Factors | None = None
        self.best: Factors | None = None

    def score(self) -> float:
        """Return the error of the problem as it stands."""
        self._scored = self._problem.factors()
        return self._objective.held_out_error(self._scored, self._held_out)

    def keep(self) -> None:
        """Keep the state scored last."""
        self.best = self._scored


def _held_out_error(attempt: FitResult) -> float:
    return min(attempt.history.validation)


def _chosen(attempts: Sequence[FitResult], final: FitResult | None, cut: Stopped | None) -> FitResult:
    """Return the final fit where it was finished, or else the best state measured."""
    best = min(attempts, key=_held_out_error)
    rivals = [attempt.factors for attempt in attempts if attempt is not best]
    n_best = best.history.best_iter
    if final is not None and final.history.n_iter == n_best:
        # A deadline that passed with the last sweep cut nothing.
        stopped: Stopped = "interrupted" if cut == "interrupted" else best.history.stopped
        history = replace(final.history, validation=best.history.validation, stopped=stopped)
        return FitResult(final.factors, history, rivals)
    history = replace(
        best.history,
        objective=best.history.objective[:n_best],
        seconds=best.history.seconds[:n_best],
        nonzero_share=best.history.nonzero_share[:n_best],
        stopped=cut or best.history.stopped,
    )
    return FitResult(best.factors, history, rivals)


def restarted(objective: Objective, factors: Factors, entries: Entries, *, seed: int) -> Factors:
    """Return factors whose components that are zero on both sides, which no sweep can change, begin again."""
    if objective.stays_empty or not factors.empty_components.any():
        return factors
    drawn = random_start(objective, entries, factors.rank, seed=seed).factors
    return factors.restarted(factors.empty_components, drawn)


def check_range(factors: Factors, name: str, penalty: float, penalty_name: str = "l2") -> None:
    """Raise ModelError if a product of factors might be beyond single precision.

    Where penalties are nothing beside the values, a user or an item with next to no entries can get
    factors of any size.
    """
    users, items = (side.factors.largest().astype(np.float64) for side in (factors.users, factors.items))
    if not float(np.sum(users * items)) < float(np.finfo(np.float32).max):
        raise ModelError(
            f"{name}: scores would be beyond single precision (3.4e38); give the values in larger "
            f"units or raise {penalty_name}, now {penalty}."
        )
