"""The files that a model was trained on: their hashes, and which of them differ between two models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys.files import sha256


def files_record(files: Iterable[Path]) -> list[dict[str, Any]]:
    """Return name, bytes and SHA-256 of each file, ready for JSON; the last two null for one that is gone.

    Files are read once more, in pieces: about a processor second a gigabyte.
    """
    return [{"path": str(path), **_content(path)} for path in files]


def _content(path: Path) -> dict[str, Any]:
    try:
        return {"n_bytes": path.stat().st_size, "sha256": sha256(path)}
    except OSError:
        return {"n_bytes": None, "sha256": None}


def files_of(training: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the files that a bundle's training and its updates recorded."""
    records = [training, *training.get("updates", ())]
    return [file for record in records for file in record.get("log", {}).get("files", ())]


@dataclass(frozen=True)
class FileDiff:
    """The files that two models were trained on, by content.

    Attributes
    ----------
    n_same : int
        Files whose content both models saw, whatever their names.
    changed : tuple of str
        Names that stand for other content now.
    only_old, only_new : tuple of str
        The other files of one model alone.
    """

    n_same: int
    changed: tuple[str, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]

    @property
    def are_same(self) -> bool:
        """Whether both models saw the same files."""
        return not (self.changed or self.only_old or self.only_new)


def file_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> FileDiff | None:
    """Return which files differ; None where one of the models has recorded none.

    Parameters
    ----------
    old, new : mapping
        What bundles record of their training.
    """
    before, after = files_of(old), files_of(new)
    if not before or not after:
        return None
    both = {file["sha256"] for file in before} & {file["sha256"] for file in after} - {None}
    left = dict.fromkeys(file["path"] for file in before if file["sha256"] not in both)
    entered = dict.fromkeys(file["path"] for file in after if file["sha256"] not in both)
    return FileDiff(
        n_same=len(both),
        changed=tuple(path for path in left if path in entered),
        only_old=tuple(path for path in left if path not in entered),
        only_new=tuple(path for path in entered if path not in left),
    )
