"""Several starts, the best by held-out error, then that one fitted to all entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from recsys.data.rows import CompressedRows
from recsys.factorization.descent import descend
from recsys.factorization.factors import AnyFactors
from recsys.factorization.history import History, Stopped
from recsys.factorization.validation import Error, FactorProblem, Monitor, hold_out
from recsys.progress import SILENT, Progress
from recsys.typing import Float32Array

MakeProblem = Callable[[CompressedRows, CompressedRows, AnyFactors, Float32Array | None], FactorProblem]
"""Entries by user, the same by item, a start and weights: a problem."""
MakeStart = Callable[[CompressedRows, CompressedRows, Float32Array | None, int], AnyFactors]
"""Entries by user, the same by item, weights and the number of the start: a start."""


@dataclass(frozen=True)
class Rules:
    """When to stop; see `recsys.factorization.descent.descend`.

    Attributes
    ----------
    max_iter : int
    tol, gradient_tol : float
    patience : int
    deadline : float, optional
        Of all descents together, by `time.perf_counter`.
    n_settling : int
    """

    max_iter: int
    tol: float = 0.0
    gradient_tol: float = 0.0
    patience: int = 1
    deadline: float | None = None
    n_settling: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """What a fit found.

    Attributes
    ----------
    factors : Factors or SparsePair
    history : History
    rivals : sequence of Factors or SparsePair
        The best states of the other starts.
    """

    factors: AnyFactors
    history: History
    rivals: Sequence[AnyFactors] = ()


def fit_once(
    make: MakeProblem,
    by_user: CompressedRows,
    by_item: CompressedRows,
    start: AnyFactors,
    rules: Rules,
    *,
    weights: Float32Array | None = None,
    name: str,
    progress: Progress = SILENT,
) -> Found:
    """Descend from one start, all entries seen."""
    problem = make(by_user, by_item, start, weights)
    history = descend(
        problem,
        max_iter=rules.max_iter,
        tol=rules.tol,
        gradient=problem.projected_gradient,
        gradient_tol=rules.gradient_tol,
        deadline=rules.deadline,
        n_settling=rules.n_settling,
        name=name,
        progress=progress,
    )
    return Found(problem.factors(), history)


def fit_validated(
    make: MakeProblem,
    starts: MakeStart,
    by_user: CompressedRows,
    by_item: CompressedRows,
    rules: Rules,
    error: Error,
    *,
    n_starts: int,
    share: float,
    seed: int,
    weights: Float32Array | None = None,
    name: str,
    progress: Progress = SILENT,
) -> Found:
    """Choose start and number of sweeps by held-out error, then fit to all entries.

    Every start sees the same entries and is measured on the same others. The best one is then
    begun again on all entries and swept as often as was best for it. When an interrupt or the
    deadline comes before that is done, the best state measured so far is returned instead.

    Starts run one after another. A sweep shares its rows out to all threads and loses little by
    it, so that starts beside each other would take as long and hold all their factors and copies
    of the entries at a time; and what is done when an interrupt comes is then done well.

    Parameters
    ----------
    make : MakeProblem
    starts : MakeStart
    by_user, by_item : CompressedRows
    rules : Rules
        For each start.
    error : Error
    n_starts : int
    share : float
        Of the entries, held out.
    seed : int
        Of the choice of entries held out.
    weights : float32, (nnz,), optional
    name : str
    progress : Progress

    Raises
    ------
    InputError
        If there are too few entries to hold some out.
    KeyboardInterrupt
        If interrupted before there was anything to keep.
    """
    rest, rest_weights, held_out = hold_out(by_user, share, seed=seed, weights=weights)
    rest_by_item = rest.transposed()
    tries: list[_Try] = []
    final: Found | None = None
    cut: Stopped | None = None
    try:
        for number in range(n_starts):
            problem = make(rest, rest_by_item, starts(rest, rest_by_item, rest_weights, number), rest_weights)
            monitor = Monitor(problem, held_out, error)
            history = descend(
                problem,
                max_iter=rules.max_iter,
                tol=rules.tol,
                gradient=problem.projected_gradient,
                gradient_tol=rules.gradient_tol,
                validation=monitor,
                patience=rules.patience,
                deadline=rules.deadline,
                n_settling=rules.n_settling,
                name=f"{name}, start {number + 1} of {n_starts}" if n_starts > 1 else f"{name}, held out",
                progress=progress,
            )
            assert monitor.best is not None  # the first error is a number, so it was the best once
            tries.append(_Try(number, monitor.best, history))
            if history.stopped in ("interrupted", "time"):
                cut = history.stopped
                break
        if cut is None:
            best = min(tries, key=lambda one: one.error)
            final = fit_once(
                make,
                by_user,
                by_item,
                starts(by_user, by_item, weights, best.number),
                Rules(best.history.best_iter, deadline=rules.deadline),
                weights=weights,
                name=f"{name}, all entries",
                progress=progress,
            )
            if final.history.stopped in ("interrupted", "time"):
                cut = final.history.stopped
    except KeyboardInterrupt:
        if not tries:
            raise
        cut = "interrupted"
    best = min(tries, key=lambda one: one.error)
    rivals = [one.factors for one in tries if one is not best]
    n_best = best.history.best_iter
    if final is not None and final.history.n_iter == n_best:
        # A deadline that passed with the last sweep cut nothing.
        stopped: Stopped = "interrupted" if cut == "interrupted" else best.history.stopped
        history = replace(final.history, validation=best.history.validation, stopped=stopped)
        return Found(final.factors, history, rivals)
    history = replace(
        best.history,
        objective=best.history.objective[:n_best],
        seconds=best.history.seconds[:n_best],
        nonzero_share=best.history.nonzero_share[:n_best],
        stopped=cut or best.history.stopped,
    )
    return Found(best.factors, history, rivals)


@dataclass(frozen=True, eq=False)
class _Try:
    """One start, its best state and how it came there."""

    number: int
    factors: AnyFactors
    history: History

    @property
    def error(self) -> float:
        return min(self.history.validation)
