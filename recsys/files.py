"""Atomic writes: a sibling is written, synced and renamed over the target."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = 1 << 20


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sync_folder(path: Path) -> None:
    if os.name != "nt":  # Windows cannot open a folder, and its renames are journalled
        _sync(path)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a sibling to write, which replaces ``path`` on success and is removed on failure.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    sibling = Path(name)
    try:
        yield sibling
        sibling.chmod(0o666 & ~_umask())
        _sync(sibling)
        sibling.replace(path)
        _sync_folder(path.parent)
    finally:
        sibling.unlink(missing_ok=True)


def previous_folder(folder: Path) -> Path:
    """Return where `atomic_write_folder` keeps the old folder for the moment of the exchange."""
    return folder.with_name(f".{folder.name}.previous")


def current_folder(folder: Path) -> Path:
    """Return ``folder``, or its predecessor if a write was cut off between the two renames."""
    return previous_folder(folder) if not folder.exists() and previous_folder(folder).exists() else folder


@contextmanager
def atomic_write_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty sibling folder, which replaces ``folder`` on success and is removed on failure.

    A folder cannot be renamed over another, so the old one is renamed first. A reader that uses
    `current_folder` sees the old folder or the new one at every moment.
    """
    folder = folder.resolve()  # a link stays a link, to the new folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    sibling = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    previous = previous_folder(folder)
    try:
        yield sibling
        sibling.chmod(0o777 & ~_umask())
        for file in sorted(sibling.iterdir()):
            file.chmod(0o666 & ~_umask())
            _sync(file)
        _sync_folder(sibling)
        if folder.exists():
            if previous.exists():
                shutil.rmtree(previous)
            folder.rename(previous)
        try:
            sibling.rename(folder)
        except BaseException:
            if previous.exists() and not folder.exists():
                previous.rename(folder)
            raise
        _sync_folder(folder.parent)
        if previous.exists():
            shutil.rmtree(previous)
    finally:
        if sibling.exists():
            shutil.rmtree(sibling)
