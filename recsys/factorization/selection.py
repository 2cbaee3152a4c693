"""One start fitted, or several compared by held-out error and the best one fitted to all entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recsys.factorization.descent import descend
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.history import History, Stopped
from recsys.factorization.objective import Objective
from recsys.factorization.problem import AlternatingProblem
from recsys.factorization.validation import HeldOutEntries, hold_out
from recsys.progress import SILENT, Progress


@dataclass(frozen=True, eq=False)
class Start:
    """Where a fit begins.

    Attributes
    ----------
    factors : Factors
    is_scaled : bool
        See `AlternatingProblem`.
    """

    factors: Factors
    is_scaled: bool = False


MakeStart = Callable[[Entries, int], Start]
"""Entries and the number of the start: a start."""


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


def fit_once(
    objective: Objective,
    entries: Entries,
    start: Start,
    rules: StoppingRules,
    *,
    name: str,
    held_out: HeldOutEntries | None = None,
    progress: Progress = SILENT,
) -> FitResult:
    """Descend from one start.

    Parameters
    ----------
    objective : Objective
    entries : Entries
    start : Start
    rules : StoppingRules
    name : str
    held_out : HeldOutEntries, optional
        Stop early by their error; the result is then the state of the least error.
    progress : Progress
    """
    problem = AlternatingProblem(objective, entries, start.factors, is_scaled=start.is_scaled)
    monitor = None if held_out is None else Monitor(problem, held_out, objective)
    history = descend(
        problem,
        max_iter=rules.max_iter,
        tol=rules.tol,
        gradient=problem.projected_gradient,
        gradient_tol=rules.gradient_tol,
        validation=monitor,
        patience=rules.patience,
        deadline=rules.deadline,
        name=name,
        progress=progress,
    )
    if monitor is None:
        return FitResult(problem.factors(), history)
    assert monitor.best is not None  # the first error is a number, so it was the best once
    return FitResult(monitor.best, history)


def fit_validated(
    objective: Objective,
    entries: Entries,
    make_start: MakeStart,
    rules: StoppingRules,
    *,
    n_starts: int,
    share: float,
    seed: int,
    name: str,
    progress: Progress = SILENT,
) -> FitResult:
    """Choose start and number of sweeps by held-out error, then fit to all entries.

    Every start sees the same entries and is measured on the same others. The best one is then
    begun again on all entries and swept as often as was best for it. When an interrupt or the
    deadline comes before that is done, the best state measured so far is returned instead.

    Starts run one after another. A sweep shares its rows out to all threads and loses little by
    it, so that starts beside each other would take as long and hold all their factors and copies
    of the entries at a time; and what is done when an interrupt comes is then done well.

    Parameters
    ----------
    objective : Objective
    entries : Entries
    make_start : MakeStart
    rules : StoppingRules
        For each start.
    n_starts : int
    share : float
        Of the entries, held out.
    seed : int
        Of the choice of entries held out.
    name : str
    progress : Progress

    Raises
    ------
    InputError
        If there are too few entries to hold some out.
    KeyboardInterrupt
        If interrupted before there was anything to keep.
    """
    rest, held_out = hold_out(entries, share, seed=seed)
    attempts: list[_Attempt] = []
    final: FitResult | None = None
    cut: Stopped | None = None
    try:
        for number in range(n_starts):
            result = fit_once(
                objective,
                rest,
                make_start(rest, number),
                rules,
                held_out=held_out,
                name=f"{name}, start {number + 1} of {n_starts}" if n_starts > 1 else f"{name}, held out",
                progress=progress,
            )
            attempts.append(_Attempt(number, result.factors, result.history))
            if result.history.stopped in ("interrupted", "time"):
                cut = result.history.stopped
                break
        if cut is None:
            best = min(attempts, key=lambda attempt: attempt.error)
            final = fit_once(
                objective,
                entries,
                make_start(entries, best.number),
                StoppingRules(best.history.best_iter, deadline=rules.deadline),
                name=f"{name}, all entries",
                progress=progress,
            )
            if final.history.stopped in ("interrupted", "time"):
                cut = final.history.stopped
    except KeyboardInterrupt:
        if not attempts:
            raise
        cut = "interrupted"
    return _result(attempts, final, cut)


@dataclass(frozen=True, eq=False)
class _Attempt:
    """One start, its best state and how it came there."""

    number: int
    factors: Factors
    history: History

    @property
    def error(self) -> float:
        return min(self.history.validation)


def _result(attempts: Sequence[_Attempt], final: FitResult | None, cut: Stopped | None) -> FitResult:
    """Return the final fit where it was finished, or else the best state measured."""
    best = min(attempts, key=lambda attempt: attempt.error)
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
