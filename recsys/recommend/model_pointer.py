"""Which version of a model is in use: a text file in a folder of versions names it."""

from __future__ import annotations

from pathlib import Path

from recsys.errors import BundleError

POINTER = "current"
"""A file that holds the name of a folder beside it, and nothing else."""


def is_store(folder: Path) -> bool:
    """Return whether a folder holds versions of a model, one of them in use, and is no model itself."""
    return (folder / POINTER).is_file() and not (folder / "model.json").exists()


def model_folder(folder: Path) -> Path:
    """Return the folder of a model: the one given, or of a folder of versions the one in use.

    Raises
    ------
    BundleError
        If the pointer names no version that is there.
    """
    if not is_store(folder):
        return folder
    name = (folder / POINTER).read_text(encoding="utf-8").strip()
    # A name alone: a pointer cannot lead out of its folder.
    if not name or name in (".", "..") or Path(name).name != name or not (folder / name).is_dir():
        raise BundleError(
            f"{folder / POINTER} names {name!r:.80}, which is no version in {folder}; choose one by "
            f"'recsys model promote {folder}/VERSION {folder}'."
        )
    return folder / name
