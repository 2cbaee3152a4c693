"""Running one contender in a process of its own: its own threads, its own peak of memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")

_THREADS = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def run_apart(n_threads: int, call: Callable[..., Result], *arguments: Any) -> Result:
    """Run a call in a new process that sees ``n_threads`` threads from its first import on."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(n_threads)))
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            return pool.submit(call, *arguments).result()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _resident(field: str) -> int:
    """Return VmRSS (now) or VmHWM (peak) of this process in bytes; 0 where there is no /proc."""
    if not _STATUS.exists():
        return 0
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


class PeakMemory:
    """How far resident memory rises above where it stood: ``with PeakMemory() as peak: ...``."""

    extra = 0

    def __enter__(self) -> PeakMemory:
        gc.collect()
        if _CLEAR.exists():
            _CLEAR.write_text("5")  # sets the kernel's record of the peak back to now
        self._before = _resident("VmRSS")
        return self

    def __exit__(self, *error: object) -> None:
        self.extra = max(_resident("VmHWM") - self._before, 0)
