"""Which files of bundles were checked before, byte by byte, and have not been written since.

A file is known by device, inode, size and the times of its last changes. Whoever writes to it changes the
last of these times, which can be set back only with the clock of the machine. Damage below the file system,
of a disk that returns other bytes than it took, is not seen.

What is kept is an empty file for each set of files, under a name that is a digest of all that. It lies in a
folder that nobody else can write in: who could, could have damaged files taken for checked ones.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from recsys._version import __version__
from recsys.private_folders import cache_folder

_LOG = logging.getLogger(__name__)
_FOLDER = "checked"
_MOST_KEPT = 1000
SETTLED_SECONDS = 2.0
"""How long ago a file was last changed before a check of it is remembered.

Times of files have steps, up to two seconds on some file systems: a later change inside the same step would
not be seen.
"""


class CheckedFiles:
    """Files as they are now, to be asked whether they were checked before, or noted as checked.

    Parameters
    ----------
    statuses : mapping of str to os.stat_result
        Of the open files, by name; taken before their content is looked at.
    digest : str
        Of the record that holds the files' hashes.
    """

    def __init__(self, statuses: Mapping[str, os.stat_result], digest: str) -> None:
        identities = {
            name: [s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns]
            for name, s in statuses.items()
        }
        known_by = json.dumps([__version__, digest, identities], sort_keys=True)
        self._name = hashlib.sha256(known_by.encode()).hexdigest()
        last = max((max(s.st_ctime_ns, s.st_mtime_ns) for s in statuses.values()), default=0)
        self._is_settled = last < time.time_ns() - SETTLED_SECONDS * 1e9

    def were_checked(self) -> bool:
        """Return whether these very files are noted as checked."""
        folder = cache_folder(_FOLDER)
        return folder is not None and (folder / self._name).is_file()

    def note(self) -> None:
        """Note them as checked; they are checked again where that cannot be kept."""
        folder = cache_folder(_FOLDER)
        if folder is None:
            _LOG.info("no folder keeps which bundles were checked: the next load checks this one again.")
        elif self._is_settled:
            with suppress(OSError):
                (folder / self._name).touch()
                _clear(folder)


def _clear(folder: Path) -> None:
    """Delete the oldest notes where there are many: the files they are about are mostly gone."""
    notes = list(folder.iterdir())
    if len(notes) > _MOST_KEPT:
        for note in sorted(notes, key=lambda path: path.stat().st_mtime)[: len(notes) // 2]:
            note.unlink(missing_ok=True)
