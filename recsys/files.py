"""Atomic, durable writes: a sibling is written, synced and renamed over the target, under a lock.

Beside ``model`` there may be, while it is written or after a process was killed in doing so::

    .model.recsys-lock             held by the one who writes
    .model.recsys-1f2e3d4c.part    what is written, not yet in its place
    .model.previous                the old folder, for the moment of the exchange
    .model.recsys-1f2e3d4c.scratch what is needed in making it, and goes when it is made

The next write to the same place clears what a killed one left: it holds the lock, so that nobody else
can be at work there.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from recsys.errors import OutputError, RecsysError
from recsys.exchange import exchange
from recsys.locks import WAIT, lock

_CHUNK = 1 << 20
_LONGEST = 150  # bytes of a name that siblings repeat: theirs must not get too long for a file system
_ADVICE = {
    errno.ENOSPC: "make room on the disk or give another place",
    errno.EDQUOT: "make room in your quota or give another place",
    errno.EFBIG: "the limit on the size of files (ulimit -f) is in the way",
}
_PART = re.compile(r"[0-9a-f]{8}\.part")
_BESIDE = re.compile(r"\.(.+)\.recsys-(?:lock|[0-9a-f]{8}\.part)", re.DOTALL)
_SCRATCH = re.compile(r"[0-9a-f]{8}\.scratch")


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


def _beside(target: Path, ending: str) -> Path:
    name = os.fsdecode(os.fsencode(target.name)[:_LONGEST])
    return target.with_name(f".{name}.{ending}")


def _parts(target: Path, kind: re.Pattern[str] = _PART) -> list[Path]:
    """Return the siblings of a target that are being written, or were when their process ended."""
    prefix = _beside(target, "recsys-").name
    try:
        beside = list(target.parent.iterdir())
    except OSError:
        return []
    return [
        path for path in beside if path.name.startswith(prefix) and kind.fullmatch(path.name, len(prefix))
    ]


def previous_folder(folder: Path) -> Path:
    """Return where `atomic_write_folder` keeps the old folder for the moment of the exchange."""
    return folder.parent / f".{folder.name}.previous"


def current_folder(folder: Path) -> Path:
    """Return ``folder``, or its predecessor if a write was cut off between the two renames.

    Then the new one stands beside it. A predecessor alone is what a killed write did not clear: the folder
    was there after it, and has been deleted since.
    """
    previous = previous_folder(folder)
    return previous if not folder.exists() and previous.exists() and _parts(folder) else folder


@contextmanager
def reserved(target: Path | None, *, wait: float = WAIT) -> Iterator[None]:
    """Hold a place for what is going to be written there: made, found to be writable, and locked.

    To be entered before long work whose result goes there. Writes to it inside the body belong to it.

    Parameters
    ----------
    target : Path or None
        A file or a folder; what is above it is made if need be, and removed again if it stays empty. None:
        nothing will be written.
    wait : float
        Seconds to wait for another writer.

    Raises
    ------
    OutputError
        If nothing can be written there, or somebody else is writing.
    """
    if target is None:
        yield
        return
    target = _absolute(target)
    made = _make_folders(target)
    try:
        with ExitStack() as held:
            with _explained(target):
                held.enter_context(lock(_beside(target, "recsys-lock"), target, wait=wait))
            yield
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()  # only if nothing is in it


def _absolute(target: Path) -> Path:
    """Return a target without links above it, nor in it where it is a folder."""
    if target.is_dir():
        return target.resolve()  # a link stays a link, to the new folder
    return target.parent.resolve() / target.name


def _make_folders(target: Path) -> list[Path]:
    """Make the folders above a target; return those that were missing, the highest first."""
    missing = [folder for folder in target.parents if not folder.exists()][::-1]
    with _explained(target):
        for folder in missing:
            folder.mkdir(exist_ok=True)
            _sync_folder(folder.parent)
    return missing


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Say of an operating system's error what could not be written and why."""
    try:
        yield
    except RecsysError:
        raise
    except OSError as error:
        # Libraries put words of their own into the text of an error that has the system's number.
        why = os.strerror(error.errno) if error.errno else error.strerror or str(error)
        advice = _ADVICE.get(error.errno or errno.ENOSPC, "give another place")
        raise OutputError(f"{target} cannot be written: {why}; {advice}.") from error


@contextmanager
def scratch_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside a target that is `reserved`; it is removed at the end.

    So are those that killed processes left beside it.
    """
    target = _absolute(target)
    clear_scratch(target)
    folder = _beside(target, f"recsys-{secrets.token_hex(4)}.scratch")
    with _explained(folder):
        folder.mkdir()
    try:
        yield folder
    except OSError as error:
        if isinstance(error, RecsysError) or error.errno not in _ADVICE:
            raise  # of what is read
        with _explained(target):
            raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_scratch(target: Path) -> None:
    """Remove the scratch folders that killed processes left beside a target that is `reserved`."""
    for folder in _parts(_absolute(target), _SCRATCH):
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)


def clear_place(target: Path) -> None:
    """Remove what killed writes to a `reserved` target left, where nothing may be written to it anew."""
    _clear(_absolute(target))


def clear_parts(folder: Path) -> None:
    """Remove what killed writes left in a folder, whichever place there it was of.

    What somebody is writing is left alone, for it is locked.
    """
    for path in sorted(folder.glob(".*.recsys-*")):
        match = _BESIDE.fullmatch(path.name)
        if match is not None:
            with suppress(OSError, OutputError), reserved(folder / match[1], wait=0.0):
                _clear(folder / match[1])


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a sibling to write, which replaces ``path`` on success and is removed on failure.

    Parameters
    ----------
    path : Path
        The file to write; its folder is made if need be.

    Raises
    ------
    OutputError
        If it cannot be written, or somebody else is writing it; what was there is unchanged.
    """
    with reserved(path), _explained(path):
        path = _absolute(path)
        _clear(path)
        sibling = _sibling(path)
        os.close(os.open(sibling, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield sibling
            _sync(sibling)
            sibling.replace(path)
            _sync_folder(path.parent)
        finally:
            sibling.unlink(missing_ok=True)


@contextmanager
def atomic_write_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty sibling folder, which replaces ``folder`` on success and is removed on failure.

    Where the system cannot exchange two folders in one step, the old one is renamed first. A reader that
    uses `current_folder` sees the old folder or the new one at every moment all the same.

    Raises
    ------
    OutputError
        If it cannot be written, or somebody else is writing it; what was there is unchanged.
    """
    with reserved(folder), _explained(folder):
        folder = _absolute(folder)
        _clear(folder)
        sibling = _sibling(folder)
        sibling.mkdir()
        try:
            yield sibling
            _sync_tree(sibling)
            _exchange(sibling, folder)
        finally:
            # Beside a predecessor without a successor it says that the write was cut off.
            if folder.exists() or not previous_folder(folder).exists():
                shutil.rmtree(sibling, ignore_errors=True)


def _sibling(target: Path) -> Path:
    return _beside(target, f"recsys-{secrets.token_hex(4)}.part")


def _exchange(sibling: Path, folder: Path) -> None:
    """Put a finished folder in the place of another, which goes."""
    if folder.is_dir() and exchange(sibling, folder):
        _sync_folder(folder.parent)
        shutil.rmtree(sibling, ignore_errors=True)
        return
    previous = previous_folder(folder)
    if folder.exists():
        folder.rename(previous)
    try:
        sibling.rename(folder)
    except BaseException:
        if previous.exists() and not folder.exists():
            previous.rename(folder)
        raise
    _sync_folder(folder.parent)
    shutil.rmtree(previous, ignore_errors=True)


def _sync_tree(folder: Path) -> None:
    """Sync all that is in a folder, readable for whom the folder is."""
    mode = folder.stat().st_mode & 0o666
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            _sync_folder(path)
        else:
            path.chmod(mode)  # some libraries make files for their owner alone
            _sync(path)
    _sync_folder(folder)


def _clear(target: Path) -> None:
    """Remove what killed writes to a place left; their lock is ours now."""
    previous = previous_folder(target)
    if previous.is_dir() and not previous.is_symlink():
        if current_folder(target) == previous:
            previous.rename(target)
        else:
            shutil.rmtree(previous, ignore_errors=True)
    for part in _parts(target):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)
