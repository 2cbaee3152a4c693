"""How many threads the kernels use, and how they are launched.

Results never depend on the number: each row is written by one thread, and sums over rows are
taken in a fixed order. Three things are kept in order here: Numba's count is set and put back,
BLAS is held at one thread while kernels run (two pools on the same cores slow each other down,
and BLAS may round differently with another count), and launches do not overlap (one of Numba's
threading layers aborts when two threads launch at once).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from recsys.errors import ParameterError

_requested: ContextVar[int | None] = ContextVar("recsys_threads", default=None)
_launch_lock = threading.RLock()


def available() -> int:
    """Return the number of cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def current() -> int:
    """Return the number of threads that kernels launched from here would use."""
    from numba import config

    most = int(config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    return min(_requested.get() or available(), most)


@contextmanager
def use(n_threads: int | None) -> Iterator[None]:
    """Run the body with at most ``n_threads`` threads (None: all cores).

    Raises
    ------
    ParameterError
        If ``n_threads`` is below 1.
    """
    if n_threads is not None and n_threads < 1:
        raise ParameterError(f"threads is {n_threads}; expected 1 or more, or nothing for all cores.")
    token = _requested.set(n_threads)
    try:
        yield
    finally:
        _requested.reset(token)


@lru_cache(maxsize=1)
def _pools(n_modules: int) -> Any:
    """Find the BLAS libraries; anew when modules were imported, which may have brought another."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def launch() -> Iterator[int]:
    """Hold the launch lock, the thread count and BLAS while kernels run."""
    import numba

    with _launch_lock, _pools(len(sys.modules)).limit(limits=1, user_api="blas"):
        before = numba.get_num_threads()
        n_threads = current()
        numba.set_num_threads(n_threads)
        try:
            yield n_threads
        finally:
            numba.set_num_threads(before)
