"""How long work tells its caller where it stands. The library itself never prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


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


@contextmanager
def task(progress: Progress, name: str, total: int | None = None) -> Iterator[Progress]:
    """Announce a task and end it whatever happens inside."""
    progress.start(name, total)
    try:
        yield progress
    finally:
        progress.finish()
