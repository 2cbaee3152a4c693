"""A file of a log, and copies of files that have to be unpacked or written anew before they are read."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.errors import OutputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class File:
    """A file of a log.

    Attributes
    ----------
    path : Path
        Where it can be read.
    name : str
        What messages call it: its path, a path into an archive, or "standard input".
    origin : Path or None
        The file that it was read or unpacked from; None for standard input.
    """

    path: Path
    name: str
    origin: Path | None = None

    @property
    def ending(self) -> str:
        """The ending of its name in small letters, without that of a compression."""
        suffixes = [suffix.lower() for suffix in Path(self.name).suffixes]
        return next((suffix for suffix in reversed(suffixes) if suffix not in (".gz", ".zst")), "")


@contextmanager
def room_for_copy(what: str = "the copy of the log that is needed to read it") -> Iterator[None]:
    """Say where there was no room for one of the `Copies`, which the body writes, and what to do.

    Raises
    ------
    OutputError
        If its disk is full, or a limit on the size of files is in the way.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise OutputError(
            f"{tempfile.gettempdir()} has no room for {what}: "
            f"{os.strerror(error.errno)}; make room there, or let TMPDIR name another folder."
        ) from error


class Copies:
    """A folder of copies, made when the first is written, that goes when nobody uses it any more."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._n = 0

    def new_path(self) -> Path:
        """Return the path of a copy that is not yet there."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="recsys-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._n += 1
        return self._folder / f"{self._n}.txt"
