"""Numba kernels: arrays in, results written into arrays they were given.

A kernel trusts its input. Each row is written by exactly one thread and nothing is summed across
rows, so results do not depend on the number of threads. ``reassoc`` is allowed where a sum over
one row has to be vectorised, but `tiles`, which states the order of its sums, needs none; ``nnan``
and ``ninf`` never are, since callers rely on NaN showing.
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
