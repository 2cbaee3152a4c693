"""How long work tells its caller where it stands. The library prints only where asked to."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeAlias, cast

from recsys.errors import ParameterError


class Progress(Protocol):
    """What a caller passes in to hear of progress."""

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of ``total`` steps (None: unknown)."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps done and, optionally, a short note."""

    def finish(self) -> None:
        """End the task."""


class Silent:
    """The listener that ignores everything."""

    def start(self, task: str, total: int | None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


SILENT: Progress = Silent()


class Printed:
    """A listener that gives one line of text a step to a function, such as ``print``.

    Parameters
    ----------
    show : callable of str
    end : callable, optional
        Is called after the last task.
    """

    def __init__(self, show: Callable[[str], object], end: Callable[[], object] | None = None) -> None:
        self._show, self._end = show, end
        self._tasks: list[list[Any]] = []

    def start(self, task: str, total: int | None) -> None:
        """Begin a task."""
        self._tasks.append([task, total, 0, time.perf_counter()])

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Show the newest task."""
        task = self._tasks[-1]
        task[2] += steps
        name, total, done, began = task
        seconds = time.perf_counter() - began
        parts = [f"{name} {done}" + ("" if total is None else f"/{total}")]
        if note:
            parts.append(note)
        if seconds > 0:
            parts.append(f"{done / seconds:.3g} a second")
            if total is not None and 0 < done < total:
                parts.append(f"{seconds / done * (total - done):.0f} s left")
        self._show(", ".join(parts))

    def finish(self) -> None:
        """End the newest task."""
        self._tasks.pop()
        if self._end is not None and not self._tasks:
            self._end()


def listener(progress: object) -> Progress:
    """Return what is notified of progress, from what a caller gives.

    Parameters
    ----------
    progress : Progress, bool, callable of str or None
        True shows a line on standard error that is written over; a function such as ``print`` is given a
        line a step.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    if progress is None or progress is False:
        return SILENT
    if progress is True:
        return Printed(_overwrite, lambda: sys.stderr.write("\n"))
    if all(callable(getattr(progress, method, None)) for method in ("start", "advance", "finish")):
        return cast("Progress", progress)
    if callable(progress):
        return Printed(progress)
    raise ParameterError(
        f"progress is {progress!r:.80}; expected True, a function such as print, or an object with start, "
        f"advance and finish."
    )


def _overwrite(line: str) -> None:
    sys.stderr.write(f"\r\x1b[K{line}")
    sys.stderr.flush()


GivenProgress: TypeAlias = Progress | Callable[[str], object] | bool | None
"""What `listener` takes."""


@contextmanager
def task(progress: Progress, name: str, total: int | None = None) -> Iterator[Progress]:
    """Announce a task and end it whatever happens inside."""
    progress.start(name, total)
    try:
        yield progress
    finally:
        progress.finish()
