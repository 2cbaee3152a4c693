"""Alternating descent: users, items, users, items ... until it no longer pays."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from recsys import threads
from recsys.errors import ModelError
from recsys.progress import SILENT, Progress, task


class Problem(Protocol):
    """An objective over two sides of factors."""

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""


@dataclass
class History:
    """What happened, iteration by iteration (lists of equal length).

    Attributes
    ----------
    objective : list of float
        After each iteration.
    seconds : list of float
        Since the start of the descent.
    nonzero_share : list of float
        Share of factor entries that are not zero.
    converged : bool
        Whether the stopping rule ended the descent (otherwise ``max_iter`` did).
    """

    objective: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    nonzero_share: list[float] = field(default_factory=list)
    converged: bool = False

    @property
    def n_iter(self) -> int:
        """Number of iterations done."""
        return len(self.objective)

    def to_json(self) -> dict[str, Any]:
        """Return the history as plain lists and numbers."""
        return {
            "objective": self.objective,
            "seconds": self.seconds,
            "nonzero_share": self.nonzero_share,
            "converged": self.converged,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> History:
        """Take back what `to_json` gave."""
        return cls(**record)


def descend(
    problem: Problem, *, max_iter: int, tol: float, name: str, progress: Progress = SILENT
) -> History:
    """Sweep both sides until the objective falls by less than ``tol`` of itself.

    Parameters
    ----------
    problem : Problem
        Improved in place.
    max_iter : int
        Most iterations (one: users, then items).
    tol : float
        Stop when ``(before - after) <= tol * before``; 0 never stops early.
    name : str
        What to call the task.
    progress : Progress

    Raises
    ------
    ModelError
        If the objective is no longer a number.
    """
    history = History()
    began = time.perf_counter()
    with task(progress, name, max_iter) as running:
        for _ in range(max_iter):
            with threads.launch():  # anew for each sweep: others may rank in between
                problem.sweep_users()
                objective = problem.sweep_items()
            if objective != objective or objective == float("inf"):
                raise ModelError(
                    f"{name}: the objective became {objective} after {history.n_iter + 1} iterations; "
                    f"the values are too large or the penalties too small for single precision."
                )
            before = history.objective[-1] if history.objective else None
            history.objective.append(objective)
            history.seconds.append(time.perf_counter() - began)
            history.nonzero_share.append(problem.nonzero_share())
            running.advance(1, f"objective {objective:.6g}")
            if tol > 0 and before is not None and before - objective <= tol * before:
                history.converged = True
                break
    return history
