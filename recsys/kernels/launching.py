"""How a kernel is declared: compiled by Numba, and launched in one way that nobody can forget."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numba
from numba import config, njit

from recsys import threads
from recsys.kernels.alone import runs_alone

_Function = TypeVar("_Function", bound=Callable[..., None])

if "NUMBA_THREADING_LAYER" not in os.environ:
    # GNU OpenMP ends every child that is forked after its first use, and is slower on busy cores. This layer
    # aborts when two threads launch at once, which the lock of `recsys.threads.launch` rules out.
    config.THREADING_LAYER = "workqueue"  # type: ignore[attr-defined]


def kernel(**options: Any) -> Callable[[_Function], _Function]:
    """Compile a function over all threads, and hold `recsys.threads.launch` where threads share the work.

    The number of threads, BLAS at one thread and launches that do not overlap are what makes results the
    same bits for any number of threads; a kernel that was called without them would lose that unnoticed.
    On one thread there is nothing to keep in order (a kernel calls no BLAS): it runs in the thread that calls
    it, beside whatever others launch, also where more threads were asked for but are busy with another one.
    No kernel holds Python's own lock.

    Parameters
    ----------
    **options
        Further options of `numba.njit`, written literally at each kernel: Numba's disk cache does not
        tell two sets of options of one function apart.

    Returns
    -------
    decorator
        The kernel it makes keeps Numba's own object as ``dispatcher``.
    """

    def compiled(function: _Function) -> _Function:
        dispatcher = njit(cache=True, parallel=True, nogil=True, **options)(function)

        @wraps(function)
        def launched(*arguments: Any) -> None:
            if not runs_alone():
                with threads.launch():
                    dispatcher(*arguments)
                return
            if threads.current() == 1:  # asked first: a list for one user takes a dozen kernels
                _run_alone(dispatcher, arguments)
                return
            with threads.launch_or_alone():
                if threads.current() == 1:
                    _run_alone(dispatcher, arguments)
                else:
                    dispatcher(*arguments)

        launched.dispatcher = dispatcher  # type: ignore[attr-defined]
        return launched  # type: ignore[return-value]

    return compiled


def _run_alone(dispatcher: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    before = numba.get_num_threads()  # of this thread
    if before == 1:
        dispatcher(*arguments)
        return
    numba.set_num_threads(1)
    try:
        dispatcher(*arguments)
    finally:
        numba.set_num_threads(before)
