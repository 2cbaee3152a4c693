"""How many threads the kernels use, and how they are launched.

Results never depend on the number: each row is written by one thread, and sums over rows are
taken in a fixed order. Three things are kept in order here: Numba's count is set and put back,
BLAS is held at one thread while kernels run (two pools on the same cores slow each other down,
and BLAS may round differently with another count), and launches do not overlap (one of Numba's
threading layers aborts when two threads launch at once). A kernel on one thread is no launch: while
others launch, for as long as the sweep of a fit, it runs beside them.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from numbers import Integral
from typing import Any

from recsys.errors import ParameterError

_requested: ContextVar[int | None] = ContextVar("recsys_threads", default=None)
_of_process: int | None = None


MOST = 1024
"""Threads that can be asked for; more than there are cores are never started."""


def available() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def started(n_threads: int | None) -> int:
    """Return how many threads a library may start where so many are asked for (None: as many as cores).

    Raises
    ------
    ParameterError
        If ``n_threads`` is no whole number of 1 to `MOST`.
    """
    _check(n_threads)
    return min(n_threads or available(), available())


def current() -> int:
    """Return the number of threads that kernels launched from here would use."""
    import numba

    most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    return min(_requested.get() or _of_process or available(), most)


def _check(n_threads: object) -> None:
    if n_threads is None:
        return
    if isinstance(n_threads, bool) or not isinstance(n_threads, Integral) or not 1 <= int(n_threads) <= MOST:
        raise ParameterError(
            f"threads is {n_threads!r:.40}; expected a whole number, 1 to {MOST:,}, or nothing for all cores."
        )


def set_threads(n_threads: int | None) -> None:
    """Let all that follows in this process use at most so many threads; results do not depend on it.

    Parameters
    ----------
    n_threads : int or None
        None: all cores that the process may use, which is the default.

    Raises
    ------
    ParameterError
        If it is no whole number of 1 or more.
    """
    global _of_process
    _check(n_threads)
    _of_process = n_threads


@contextmanager
def use(n_threads: int | None) -> Iterator[None]:
    """Run the body with at most ``n_threads`` threads (None: as outside of it).

    Raises
    ------
    ParameterError
        If ``n_threads`` is no whole number of 1 or more.
    """
    _check(n_threads)
    token = _requested.set(_requested.get() if n_threads is None else n_threads)
    try:
        yield
    finally:
        _requested.reset(token)


class _BlasPools:
    """The BLAS libraries of this process, found anew when imports may have brought another.

    Their number of threads is the process's, not a thread's: it is one from when the first body begins that
    needs it so until the last one ends.
    """

    def __init__(self) -> None:
        self._controller: Any = None
        self._n_modules = 0
        self._lock = threading.Lock()
        self._n_inside = 0
        self._limited: Any = None

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Run each of them on one thread inside the body."""
        with self._lock:
            if self._n_inside == 0:
                self._limited = self._found().limit(limits=1, user_api="blas")
            self._n_inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_inside -= 1
                if self._n_inside == 0:
                    self._limited.restore_original_limits()

    def _found(self) -> Any:
        from threadpoolctl import ThreadpoolController

        if self._n_modules != len(sys.modules):
            self._controller, self._n_modules = ThreadpoolController(), len(sys.modules)
        return self._controller


class _Launcher:
    """The one door to compiled code: a lock, and who is inside."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._pools = _BlasPools()
        self._depth = 0  # of launches inside launches; changed by the thread that holds the lock
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._free)

    def _free(self) -> None:
        """Take a new lock if another thread holds it: after a fork there is no such thread to release it."""
        if self._lock.acquire(blocking=False):
            self._lock.release()
        else:
            self._lock, self._depth, self._pools = threading.RLock(), 0, _BlasPools()

    @contextmanager
    def launch(self) -> Iterator[int]:
        """Hold the launch lock, the number of threads, which the context gives, and BLAS at one thread.

        Every kernel enters it by itself (`recsys.kernels.launching.kernel`). It is to be entered by hand
        around products that BLAS makes, whose last bits depend on its number of threads, and around foreign
        code that starts threads of its own. It may be entered inside itself.
        """
        import numba

        with self._lock:
            before, n_threads = numba.get_num_threads(), current()
            # Looking at the pools costs more than a small kernel: only the outermost launch does.
            limited = nullcontext() if self._depth else self._pools.limit()
            with limited:
                numba.set_num_threads(n_threads)
                self._depth += 1
                try:
                    yield n_threads
                finally:
                    self._depth -= 1
                    numba.set_num_threads(before)

    @contextmanager
    def beside(self) -> Iterator[int]:
        """Run the body on one thread, BLAS too, whoever launches meanwhile."""
        with use(1), self._pools.limit():
            yield 1

    def take_if_free(self) -> bool:
        """Take the lock unless another thread holds it, and return whether it is this thread's now."""
        return self._lock.acquire(blocking=False)

    def leave(self) -> None:
        """Give back what `take_if_free` took."""
        self._lock.release()


_launcher = _Launcher()
launch = _launcher.launch


@contextmanager
def launch_or_alone() -> Iterator[None]:
    """Do what `launch` does, but while another thread holds it run the body on one thread, at once.

    For kernels, which on one thread have nothing to wait for: a list is then ranked beside a fit, and not
    after its sweep. Products that BLAS makes need `launch_beside`.
    """
    if current() == 1:
        yield
    elif _launcher.take_if_free():
        try:
            with launch():
                yield
        finally:
            _launcher.leave()
    else:
        with use(1):
            yield


@contextmanager
def launch_beside() -> Iterator[int]:
    """Do what `launch` does, but while another thread holds it run the body on one thread, BLAS too, at once.

    For answers that take products of BLAS, or foreign code with threads of its own: so many as the context
    gives. Bits are the same either way.
    """
    if _launcher.take_if_free():
        try:
            with launch() as n_threads:
                yield n_threads
        finally:
            _launcher.leave()
    else:
        with _launcher.beside() as n_threads:
            yield n_threads
