"""Numba kernels: arrays in, results written into arrays they were given.

A kernel trusts its input. Each row is written by exactly one thread and nothing is summed across
rows, so results do not depend on the number of threads. ``contract`` alone is allowed of the fast
mathematics: ``reassoc`` lets sums be ordered anew, and the same kernel gave other bits when it was read from
the cache than when it was compiled, so sums over a row that have to be vectorised are those of `sums`;
``nnan`` and ``ninf`` never are, since callers rely on NaN showing.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from numba import config


def _ensure_cache() -> None:
    """Give Numba a folder for compiled kernels where it would find none it may write to.

    It would otherwise refuse to import them, e.g. in a read-only installation without a home.
    """
    here, home = Path(__file__).parent, Path(os.path.expanduser("~"))  # noqa: PTH111 - never raises
    usual = (here / "__pycache__", home / ".cache", home)
    if not config.CACHE_DIR and not any(os.access(folder, os.W_OK) for folder in usual):  # type: ignore[attr-defined]
        config.CACHE_DIR = tempfile.mkdtemp(prefix="recsys-kernels-")  # type: ignore[attr-defined]


_ensure_cache()
