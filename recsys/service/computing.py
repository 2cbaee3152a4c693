"""Answers computed beside the event loop, few at a time, and no queue that grows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from recsys.service.metrics import Metrics

_Answer = TypeVar("_Answer")


_SWITCH_SECONDS = 5e-4


def let_others_in_soon() -> None:
    """Let a thread of this process keep Python's own lock for half a millisecond while another waits for it.

    The usual 5 ms are longer than most answers take, and the thread that reads requests waits for so long.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)


class BusyError(Exception):
    """As many answers as allowed are being computed or waited for."""


class Computing:
    """Threads that compute answers.

    Parameters
    ----------
    n_threads : int
        Answers computed at a time.
    most_waiting : int
        Answers being computed or waited for; one more is refused at once, which keeps waiting short.
    timeout : float
        Seconds after which an answer is given up; its thread ends its work and counts until then.
    metrics : Metrics
    """

    def __init__(self, n_threads: int, most_waiting: int, timeout: float, metrics: Metrics) -> None:
        self.n_threads, self.timeout = n_threads, timeout
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix="recsys-answer")
        self._most_waiting, self._metrics = most_waiting, metrics
        self._n_waiting = 0

    async def run(self, compute: Callable[[], _Answer]) -> _Answer:
        """Return what ``compute`` returns, computed in a thread.

        Raises
        ------
        BusyError
            If too many wait.
        TimeoutError
            If it takes too long.
        """
        self.take_place()
        future = self.start(compute)
        future.add_done_callback(lambda _: self.free_places(1))
        # Shielded: a thread cannot be stopped, and has to count for as long as it works.
        return await asyncio.wait_for(asyncio.shield(future), self.timeout)

    def start(self, compute: Callable[[], _Answer]) -> asyncio.Future[_Answer]:
        """Compute something in the next thread that is free; its place is taken before."""
        return asyncio.get_running_loop().run_in_executor(self._threads, compute)

    def take_place(self) -> None:
        """Count one more answer that is computed or waited for, or raise BusyError."""
        if self._n_waiting >= self._most_waiting:
            raise BusyError
        self.free_places(-1)

    def free_places(self, n_answers: int) -> None:
        """Count so many answers less."""
        self._n_waiting -= n_answers
        self._metrics.waiting.set(self._n_waiting)

    def end(self) -> None:
        """Give up what has not begun."""
        self._threads.shutdown(wait=False, cancel_futures=True)
