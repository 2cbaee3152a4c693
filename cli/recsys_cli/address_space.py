"""``ulimit -v``, which counts the addresses that libraries reserve and never use, too."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_LEAST, _PER_CORE = 1024 << 20, 128 << 20
_ARENA_MAX, _ARENAS = -8, 2  # M_ARENA_MAX of glibc's malloc.h
MESSAGE = "out of memory; try fewer components or a smaller log."
_SIGNS = ("start new thread", "cannot allocate memory", "failed to map segment", "bad alloc")


def limit() -> int | None:
    """Return the limit of this process's address space in bytes; None if there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def needed() -> int:
    """Return how many bytes of addresses the libraries take by themselves, with a thread on each core."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _LEAST + n_cores * _PER_CORE


def fit_into() -> str | None:
    """Where addresses are limited, let libraries reserve fewer, before any is imported.

    Returns
    -------
    str or None
        What is wrong, if they do not fit in all the same: they would end the process in ways of their own.
    """
    allowed = limit()
    if allowed is None:
        return None
    if allowed < needed():
        return (
            f"ulimit -v allows {allowed >> 20:,} MiB of addresses, and the libraries alone take about "
            f"{needed() >> 20:,} MiB here; allow more (ulimit -v {needed() >> 10})."
        )
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # mimalloc reserves 1 GiB at once
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # a C library that is not glibc
            ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)  # else 64 MiB for each thread
    return None


def is_used_up(error: BaseException) -> bool:
    """Return whether an error says that there is no memory; libraries have kinds and words of their own."""
    text = str(error).lower()
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryException"
        or any(sign in text for sign in _SIGNS)
    )
