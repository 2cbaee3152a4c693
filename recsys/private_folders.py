"""Folders that one user alone can write in: what they hold may be trusted as what that user put there."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def is_trusted(folder: Path) -> bool:
    """Return whether a folder is there, or can be made, and this user alone can write in it."""
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return is_private(folder) and os.access(folder, os.W_OK | os.X_OK)


def is_private(folder: Path) -> bool:
    """Return whether a folder is there, and nobody but this user or root can write in it."""
    try:
        status = folder.stat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if not hasattr(os, "getuid"):  # Windows, where modes say nothing
        return True
    by_group = bool(status.st_mode & stat.S_IWGRP) and status.st_gid != os.getgid()
    return status.st_uid in (os.getuid(), 0) and not by_group and not status.st_mode & stat.S_IWOTH


def temporary_folder(name: str) -> Path | None:
    """Return this user's folder below the one for temporary files; None if it is somebody else's."""
    user = os.getuid() if hasattr(os, "getuid") else "user"
    try:
        folder = Path(tempfile.gettempdir()) / f"{name}-{user}"
    except OSError:  # there is no folder for temporary files
        return None
    # A link could lead to a folder that somebody else chose.
    return folder if is_trusted(folder) and not folder.is_symlink() else None


def cache_folder(name: str) -> Path | None:
    """Return a folder for what can be made anew: in the user's cache, else below that for temporary files.

    The user's cache is what ``XDG_CACHE_HOME`` names, by default ``~/.cache``. None if neither can be
    written, or others can write there.
    """
    named = os.environ.get("XDG_CACHE_HOME", "")
    home = os.path.expanduser("~")  # noqa: PTH111 - never raises
    root = Path(named) if os.path.isabs(named) else Path(home) / ".cache"  # noqa: PTH117
    folder = root / "recsys" / name
    return folder if is_trusted(folder) else temporary_folder(f"recsys-{name}")
