"""Listeners of a fit: of one that is a part of another, and of the model after each iteration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recsys.progress import Progress


def snapshots(progress: Progress, model_of: Callable[[Any], object]) -> Callable[[Any], None] | None:
    """Return what hands on the model after each iteration; None where the listener does not ask for it.

    Parameters
    ----------
    progress : Progress
    model_of : callable
        Makes the model of the state after an iteration.
    """
    show = getattr(progress, "snapshot", None)
    return None if show is None else lambda state: show(model_of(state))


class PartProgress:
    """Reports the tasks of a part, and hands over no part as if it were the whole.

    Parameters
    ----------
    progress : Progress
        Of the whole.
    snapshot : callable, optional
        Is given the part after each of its iterations, instead of the listener.
    """

    def __init__(self, progress: Progress, snapshot: Callable[[Any], None] | None = None) -> None:
        self._progress = progress
        self.snapshot = snapshot
        self.iteration = getattr(progress, "iteration", None)

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of the whole."""
        self._progress.start(task, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps of it."""
        self._progress.advance(steps, note)

    def finish(self) -> None:
        """End it."""
        self._progress.finish()
