"""Where compiled kernels are kept: a folder that is there, can be written, and that nobody else can change.

What lies there is code, so a folder in which others could put theirs is not trusted. In this order: the one
that ``NUMBA_CACHE_DIR`` names; Numba's own choice, beside the package or in the user's home, where that can
be written; one of this user below the folder for temporary files, which the next process finds again.
Without any of them kernels are compiled anew in each process. A folder of kernels that cannot be written, as
in an image that is mounted read-only, is read; what is not in it is compiled anew.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from numba import config
from numba.core import caching
from numba.core.dispatcher import Dispatcher

from recsys.private_folders import is_private, is_trusted, temporary_folder

_LOG = logging.getLogger(__name__)


def ensure_cache() -> None:
    """Choose the folder, before any kernel is declared: Numba refuses to declare one that has none."""
    named = str(config.CACHE_DIR)  # type: ignore[attr-defined]
    if named:
        if is_trusted(Path(named)):
            return
        if _holds_kernels(Path(named)):
            _read_only()
            return
        _LOG.warning("kernels are not kept in %s: it cannot be written, or others can write there.", named)
    elif any(os.access(folder, os.W_OK) for folder in _usual()):
        return
    elif _holds_kernels(_usual()[0]):
        _read_only()
        return
    private = temporary_folder("recsys-kernels")
    if private is not None:
        config.CACHE_DIR = str(private)  # type: ignore[attr-defined]
    else:
        _LOG.warning("there is no folder to keep kernels in: they are compiled anew; set NUMBA_CACHE_DIR.")
        Dispatcher.enable_caching = _not  # type: ignore[method-assign, assignment]


def _not(*_: object) -> None:
    """Keep nothing of a kernel."""


def _read_only() -> None:
    """Let Numba take a folder that it cannot write, and write nothing there; it would refuse it."""
    caching._CacheLocator.ensure_cache_path = _not  # type: ignore[method-assign]
    caching.Cache.save_overload = _not  # type: ignore[method-assign]


def _holds_kernels(folder: Path) -> bool:
    """Return whether a folder has compiled kernels, and nobody but this user or root can change them."""
    return is_private(folder) and any(folder.rglob("*.nbi"))


def _usual() -> tuple[Path, ...]:
    """Return the folders that Numba tries by itself."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - never raises
    return Path(__file__).parent / "__pycache__", home / ".cache", home
