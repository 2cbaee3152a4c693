"""What this machine can do: memory bandwidth and single-precision multiply-adds.

The bandwidth is that of STREAM's triad, ``a = b + s c`` (McCalpin 1995), over arrays far beyond the
cache, three times four bytes an entry; the multiply-adds are those of a matrix product by BLAS.

    python -m tests.benchmarks.machine
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numba
import numpy as np
from numba import njit, prange
from threadpoolctl import threadpool_limits

from recsys.typing import Float32Array

_TRIAD_ENTRIES = 1 << 26  # 256 MiB an array
_PRODUCT_ROWS = 2048
_REPEATS = 7


@dataclass(frozen=True)
class Speeds:
    """Best of several tries.

    Attributes
    ----------
    threads : int
    bytes_per_second : float
        Read and written by the triad.
    multiply_adds_per_second : float
        Of a float32 matrix product.
    """

    threads: int
    bytes_per_second: float
    multiply_adds_per_second: float


@njit(parallel=True)
def _triad(a: Float32Array, b: Float32Array, c: Float32Array, scale: np.float32) -> None:
    for i in prange(len(a)):
        a[i] = b[i] + scale * c[i]


def _best(call: Callable[[], object]) -> float:
    call()
    seconds = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def measure(n_threads: int) -> Speeds:
    """Measure this machine with a number of threads, at most those of Numba."""
    a, b, c = (np.full(_TRIAD_ENTRIES, value, dtype=np.float32) for value in (0, 1, 2))
    before = numba.get_num_threads()
    numba.set_num_threads(n_threads)
    try:
        triad = _best(lambda: _triad(a, b, c, np.float32(3)))
    finally:
        numba.set_num_threads(before)
    x = np.full((_PRODUCT_ROWS, _PRODUCT_ROWS), 0.5, dtype=np.float32)
    with threadpool_limits(n_threads, "blas"):
        product = _best(lambda: x @ x)
    return Speeds(n_threads, 12 * _TRIAD_ENTRIES / triad, _PRODUCT_ROWS**3 / product)


def processor() -> str:
    """Return the processor's name."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"


def main() -> None:
    """Print the measurements."""
    print(processor())
    for n_threads in range(1, min(2, numba.config.NUMBA_NUM_THREADS) + 1):  # type: ignore[attr-defined]
        speeds = measure(n_threads)
        print(
            f"{n_threads} threads: {speeds.bytes_per_second / 1e9:.1f} GB/s, "
            f"{speeds.multiply_adds_per_second / 1e9:.1f} G multiply-adds/s"
        )


if __name__ == "__main__":
    main()
