"""Locks between processes and threads: one for each file or folder that is written.

A lock is the operating system's own (flock): it is gone with the process that held it, however that
ended. Its file lies beside what it guards and is removed when it is released; one that a killed process
left is taken over and removed by the next. Where a file system has no such locks, and on Windows, work
goes on without.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from recsys.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

WAIT = 10.0
"""Seconds for which a write waits for another one at the same place."""
_POLL = 0.005
_UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

_held: ContextVar[frozenset[Path]] = ContextVar("recsys_locks", default=frozenset())


@contextmanager
def lock(path: Path, guarded: Path, *, wait: float = WAIT) -> Iterator[None]:
    """Hold a lock during the body; inside the body of the same lock, do nothing.

    Parameters
    ----------
    path : Path
        The file of the lock, in a folder that exists.
    guarded : Path
        What is written under it, for messages.
    wait : float
        Seconds to wait for another holder.

    Raises
    ------
    OutputError
        If another process or thread still holds it.
    OSError
        If its file cannot be made.
    """
    if path in _held.get():
        yield
        return
    handle = _acquired(path, guarded, wait)
    token = _held.set(_held.get() | {path})
    try:
        yield
    finally:
        _held.reset(token)
        with suppress(OSError):
            path.unlink()  # while it is held: who opens it from now on makes a new one
        os.close(handle)


def _acquired(path: Path, guarded: Path, wait: float) -> int:
    deadline = time.monotonic() + wait
    while True:
        handle = _opened(path)
        try:
            is_free = _try(handle)
            if is_free and _is_at(handle, path):
                _sign(handle)
                return handle
            holder = "" if is_free else _holder(handle)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        if is_free:
            continue  # its last holder removed it between our two steps
        if time.monotonic() >= deadline:
            raise OutputError(
                f"{guarded} is being written by {holder or 'another process'}; wait until that has ended, "
                f"or give another place."
            )
        time.sleep(_POLL)


def _opened(path: Path) -> int:
    flags = os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        return os.open(path, flags | os.O_RDWR, 0o666)
    except PermissionError:
        if not path.exists():
            raise
        return os.open(path, flags & ~os.O_CREAT)  # another user's: it can be locked, too


def _try(handle: int) -> bool:
    """Return whether the lock is ours now."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    return True


def _is_at(handle: int, path: Path) -> bool:
    try:
        ours, there = os.fstat(handle), path.stat()
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _sign(handle: int) -> None:
    """Note who holds the lock; a full disk leaves it without a name."""
    with suppress(OSError):
        os.truncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()}".encode(), 0)


def _holder(handle: int) -> str:
    with suppress(OSError):
        text = os.pread(handle, 40, 0).decode("ascii", "replace")
        kind, _, number = text.partition(" ")
        if kind == "process" and number.isdigit():
            return "this process" if int(number) == os.getpid() else text
    return ""
