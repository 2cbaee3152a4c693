"""Where compiled kernels are kept: a folder that is there, can be written, and that nobody else can change.

What lies there is code, so a folder in which others could put theirs is not trusted. In this order: the one
that ``NUMBA_CACHE_DIR`` names; Numba's own choice, beside the package or in the user's home, where that can
be written; one of this user below the folder for temporary files, which the next process finds again.
Without any of them kernels are compiled anew in each process.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from numba import config
from numba.core.dispatcher import Dispatcher

from recsys.private_folders import is_trusted, temporary_folder

_LOG = logging.getLogger(__name__)


def ensure_cache() -> None:
    """Choose the folder, before any kernel is declared: Numba refuses to declare one that has none."""
    named = str(config.CACHE_DIR)  # type: ignore[attr-defined]
    if named:
        if is_trusted(Path(named)):
            return
        _LOG.warning("kernels are not kept in %s: it cannot be written, or others can write there.", named)
    elif any(os.access(folder, os.W_OK) for folder in _usual()):
        return
    private = temporary_folder("recsys-kernels")
    if private is not None:
        config.CACHE_DIR = str(private)  # type: ignore[attr-defined]
    else:
        _LOG.warning("there is no folder to keep kernels in: they are compiled anew; set NUMBA_CACHE_DIR.")
        Dispatcher.enable_caching = _not  # type: ignore[method-assign, assignment]


def _not(dispatcher: object) -> None:
    """Keep nothing of a kernel."""


def _usual() -> tuple[Path, ...]:
    """Return the folders that Numba tries by itself."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - never raises
    return Path(__file__).parent / "__pycache__", home / ".cache", home
