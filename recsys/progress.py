"""How long work reports where it stands: to a listener that its caller gives, and to `logging`.

What takes long is a task of steps. A caller gives a `Progress` (``progress=True`` for a line on a terminal,
a function such as ``print`` for a line a step, `IterationCallback` for the numbers of each iteration of a
fit). The logger ``recsys.progress`` has each task's end at level INFO, and its start and steps at DEBUG. The
library prints only where it is asked to.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, cast

from recsys.errors import ParameterError

logging.getLogger("recsys").addHandler(logging.NullHandler())
_LOG = logging.getLogger(__name__)


class Progress(Protocol):
    """What a caller gives to be notified of progress.

    Tasks may nest: ``advance`` and ``finish`` are about the newest task that has not ended. All calls come
    from the thread that does the work. A listener may also have ``iteration(Iteration)``, which is called
    after each iteration of a fit, before the ``advance`` that counts it, and ``snapshot(model)``, which is
    given the model as a fit of so many iterations would leave it, where `Model.shows_iterations` and one
    start is fitted to all entries. What a listener raises ends the work; a KeyboardInterrupt does so as
    ctrl-c does, with the best state so far kept.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import MaskedNMF
    >>> class Steps:
    ...     n_done = 0
    ...     def start(self, task, total):
    ...         self.total = total
    ...     def advance(self, steps=1, note=""):
    ...         self.n_done += steps
    ...     def finish(self):
    ...         pass
    >>> steps = Steps()
    >>> model = MaskedNMF(1, max_iter=3, tol=0.0).fit(np.array([[5, 3], [4, 1]]), progress=steps)
    >>> steps.n_done, steps.total
    (3, 3)
    """

    def start(self, task: str, total: int | None) -> None:
        """Begin a task of ``total`` steps (None: unknown)."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps done and, optionally, a short note."""

    def finish(self) -> None:
        """End the task, whether all of its steps were done or not."""


@dataclass(frozen=True)
class Iteration:
    """One iteration of a fit, as `IterationCallback` hands it on.

    Attributes
    ----------
    task : str
        What is fitted, e.g. "masked-nmf" or "masked-nmf, start 2 of 3".
    number : int
        From 1.
    total : int or None
        The most iterations there may be.
    seconds : float
        Since the task began.
    objective : float or None
        What is minimised; None where the model does not compute it.
    held_out_error : float or None
        With a ``validation_share``: the error on entries held out.

    Examples
    --------
    >>> from recsys import Iteration
    >>> Iteration("masked-nmf", 3, 100, 0.2, objective=12.5).number
    3
    """

    task: str
    number: int
    total: int | None
    seconds: float
    objective: float | None = None
    held_out_error: float | None = None


class Silent:
    """The listener that ignores everything."""

    def start(self, task: str, total: int | None) -> None:
        """Ignore."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Ignore."""

    def finish(self) -> None:
        """Ignore."""


SILENT: Progress = Silent()


@dataclass
class Running:
    """A task that is going on: its listener, and what is done of it; a `Progress` for tasks inside it.

    Attributes
    ----------
    progress : Progress
    name : str
    total : int or None
    n_done : int
    note : str
        The last one.
    """

    progress: Progress
    name: str
    total: int | None
    n_done: int = 0
    note: str = ""
    _began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds since the task began."""
        return time.perf_counter() - self._began

    def start(self, task: str, total: int | None) -> None:
        """Begin a task inside this one."""
        self.progress.start(task, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps done and, optionally, a short note."""
        self.n_done, self.note = self.n_done + steps, note
        _LOG.debug("%s: %s%s", self.name, _counted(self.n_done, self.total), note and f", {note}")
        self.progress.advance(steps, note)

    def finish(self) -> None:
        """End a task inside this one."""
        self.progress.finish()

    def iterate(
        self, note: str = "", *, objective: float | None = None, held_out_error: float | None = None
    ) -> None:
        """Report an iteration of a fit, which is a step."""
        notify = getattr(self.progress, "iteration", None)
        if notify is not None:
            number = self.n_done + 1
            notify(Iteration(self.name, number, self.total, self.seconds, objective, held_out_error))
        self.advance(1, note)


@contextmanager
def task(progress: Progress, name: str, total: int | None = None) -> Iterator[Running]:
    """Announce a task and end it whatever happens inside."""
    progress.start(name, total)
    running = Running(progress, name, total)
    _LOG.debug("%s: started", name)
    try:
        yield running
    finally:
        done = _counted(running.n_done, total) + " in " if running.n_done else ""
        _LOG.info("%s: %s%.3g s%s", name, done, running.seconds, running.note and f", {running.note}")
        progress.finish()


def _counted(n_done: int, total: int | None) -> str:
    return f"{n_done}" if total is None else f"{n_done}/{total}"


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
        self._open: list[Running] = []

    def start(self, task: str, total: int | None) -> None:
        """Begin a task."""
        self._open.append(Running(SILENT, task, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Show the newest task: steps, note, rate and the time left."""
        running = self._open[-1]
        running.n_done += steps
        seconds, n_done, total = running.seconds, running.n_done, running.total
        parts = [f"{running.name} {_counted(n_done, total)}", *([note] if note else [])]
        if seconds > 0:
            parts.append(f"{n_done / seconds:.3g} a second")
            if total is not None and 0 < n_done < total:
                parts.append(f"{seconds / n_done * (total - n_done):.0f} s left")
        self._show(", ".join(parts))

    def finish(self) -> None:
        """End the newest task."""
        self._open.pop()
        if self._end is not None and not self._open:
            self._end()


class IterationCallback:
    """A listener that calls a function after each iteration of a fit.

    Parameters
    ----------
    callback : callable of Iteration
        What it raises ends the fit; a KeyboardInterrupt does so as ctrl-c does, with the best state kept.
    progress : Progress, bool, callable of str or None
        What else is notified; see `listener`.

    Raises
    ------
    ParameterError
        If ``callback`` cannot be called.

    Examples
    --------
    >>> import numpy as np
    >>> from recsys import IterationCallback, MaskedNMF
    >>> objectives = []
    >>> watch = IterationCallback(lambda iteration: objectives.append(iteration.objective))
    >>> model = MaskedNMF(1, max_iter=3, tol=0.0).fit(np.array([[5, 3], [4, np.nan]]), progress=watch)
    >>> objectives == list(model.history_.objective)
    True
    """

    def __init__(self, callback: Callable[[Iteration], object], progress: GivenProgress = None) -> None:
        if not callable(callback):
            raise ParameterError(f"callback is {callback!r:.80}; expected a function of an Iteration.")
        self._callback, self._inner = callback, listener(progress)

    def iteration(self, iteration: Iteration) -> None:
        """Call the function."""
        self._callback(iteration)

    def start(self, task: str, total: int | None) -> None:
        """Begin a task."""
        self._inner.start(task, total)

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Report steps done."""
        self._inner.advance(steps, note)

    def finish(self) -> None:
        """End the task."""
        self._inner.finish()


GivenProgress: TypeAlias = Progress | Callable[[str], object] | bool | None
"""What `listener` takes."""


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
