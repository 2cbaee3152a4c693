"""Alternating descent: users, items, users, items ... until it no longer pays."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from recsys import threads
from recsys.errors import ModelError
from recsys.factorization.history import History, Stopped
from recsys.factorization.problem import Sweep
from recsys.factorization.trace import Done, Trace
from recsys.progress import SILENT, Progress, task


class Problem(Protocol):
    """An objective over two sides of factors."""

    def sweep(self) -> Sweep:
        """Improve the user side, then the item side."""


class Validation(Protocol):
    """Entries held out, to tell when a problem is fitted well enough."""

    def score(self) -> float:
        """Return the error of the problem as it stands; less is better."""

    def keep(self) -> None:
        """Keep the state that was scored last: it is the best so far."""


def descend(
    problem: Problem,
    *,
    max_iter: int,
    tol: float,
    name: str,
    gradient: Callable[[], float] | None = None,
    gradient_tol: float = 0.0,
    validation: Validation | None = None,
    patience: int = 1,
    deadline: float | None = None,
    trace: Trace | None = None,
    keep: Callable[[Trace], None] | None = None,
    progress: Progress = SILENT,
) -> History:
    """Sweep both sides until one of the stopping rules holds.

    An interrupt (KeyboardInterrupt) ends the descent like a stopping rule, once there is an
    iteration to keep: the problem is left whole, for a sweep is never cut in the middle. The caller
    raises it again when it has kept the result.

    Parameters
    ----------
    problem : Problem
        Improved in place.
    max_iter : int
        Most iterations (one: users, then items).
    tol : float
        Stop when ``(before - after) <= tol * before`` of two objectives that compare, after a sweep over all
        factors; 0 never stops early.
    name : str
        What to call the task.
    gradient : callable, optional
        Returns the norm of the projected gradient of the problem as it stands.
    gradient_tol : float
        Stop when that norm is at most this share of the norm at the start, and penalties have their final
        values; 0 never asks.
    validation : Validation, optional
        Asked after each iteration; it keeps the best state.
    patience : int
        Stop after so many iterations in a row without a better score.
    deadline : float, optional
        Stop after the first iteration that ends later than this, by `time.perf_counter`.
    trace : Trace, optional
        The iterations that a problem has behind it: the descent goes on from there, as if it had not been
        cut off.
    keep : callable, optional
        Is given the trace after each iteration that did not end the descent.
    progress : Progress

    Raises
    ------
    ModelError
        If the objective is no longer a number.
    KeyboardInterrupt
        If interrupted before the first iteration was done.
    """
    watched = gradient if gradient_tol > 0 else None
    trace = Trace() if trace is None else trace
    if watched is not None and not trace.iterations:
        trace.first_norm = watched()
    least_norm = gradient_tol * trace.first_norm
    stopped: Stopped = "max_iter"
    best_error, best_iter = trace.best
    before = trace.last_objective
    began = time.perf_counter() - trace.seconds
    try:
        with task(progress, name, max_iter) as running:
            if trace.iterations:
                running.advance(len(trace), "from a checkpoint")
            for n_iter in range(len(trace) + 1, max_iter + 1):
                with threads.launch():  # anew for each sweep: others may rank in between
                    sweep = problem.sweep()
                objective = sweep.objective
                if not math.isfinite(objective):
                    raise ModelError(
                        f"{name}: the objective became {objective} after {n_iter} iterations; "
                        f"the values are too large or the penalties too small for single precision."
                    )
                error = None if validation is None else validation.score()
                if validation is not None and error is not None and error < best_error:
                    validation.keep()
                    best_error, best_iter = error, n_iter
                now = time.perf_counter()
                trace.iterations.append(Done(sweep, now - began, error))
                held_out = "" if error is None else f", held-out error {error:.4g}"
                note = f"objective {objective:.6g}{held_out}"
                running.iterate(note, objective=objective, held_out_error=error)
                is_small = before is not None and before - objective <= tol * before
                before = trace.last_objective
                if tol > 0 and is_small and sweep.is_complete:
                    stopped = "tol"
                elif watched is not None and sweep.is_comparable and watched() <= least_norm:
                    stopped = "gradient"
                elif error is not None and n_iter - best_iter >= patience:
                    stopped = "validation"
                elif deadline is not None and now >= deadline:
                    stopped = "time"
                if stopped != "max_iter":
                    break
                if keep is not None:
                    keep(trace)
    except KeyboardInterrupt:
        if not trace.iterations:
            raise
        stopped = "interrupted"
    return trace.history(stopped)
