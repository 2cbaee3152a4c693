"""Which files the name of a log stands for, and of what kind they are."""

from __future__ import annotations

import glob
import os
import shutil
import sys
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.data import compressed, json_lines
from recsys.data.file import Copies, File, room_for_copy
from recsys.errors import LogError, OutputError

FileKind = Literal["Parquet", "JSON", "text"]
STANDARD_INPUT = "-"

_ZIP = b"PK\x03\x04"
_DATA_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".data", ".parquet", ".pq", *json_lines.ENDINGS)


@dataclass(frozen=True)
class Located:
    """The files of a log, in order.

    Attributes
    ----------
    name : str
    files : tuple of File
    is_partitioned : bool
        Whether folders on the way, such as ``year=2024``, are columns.
    """

    name: str
    files: tuple[File, ...]
    is_partitioned: bool = False


def locate(source: str | Path | Sequence[str | Path], copies: Copies) -> Located:
    """Return the files that one or several names stand for.

    A name is a file, a pattern, a folder with folders such as ``year=2024``, a zip archive with one
    file of data (or a path into an archive), or "-" for standard input.

    Parameters
    ----------
    source : str, Path or sequence of them
    copies : Copies
        Where what has to be unpacked, or comes from standard input, is kept.

    Raises
    ------
    LogError
        If there is none.
    """
    if isinstance(source, (str, Path)):
        return _located(source, copies)
    if not source:
        raise LogError("no file is named.")
    parts = [_located(name, copies) for name in source]
    if any(part.is_partitioned for part in parts) and len(parts) > 1:
        raise LogError("a partitioned folder beside other files.", advice="Read each by itself.")
    files = tuple(file for part in parts for file in part.files)
    return Located(" ".join(part.name for part in parts), files, parts[0].is_partitioned)


def head_of(file: File) -> bytes:
    """Return the first bytes of a file; raise LogError if it has none."""
    head = compressed.head_of(file.path)
    if not head:
        raise LogError("the file is empty (0 bytes).", source=file.name)
    return head


def kind_of(file: File, head: bytes) -> FileKind:
    """Return the kind of a file, by its first bytes and its ending."""
    if head.startswith(b"PAR1"):
        return "Parquet"
    if file.ending in (".parquet", ".pq"):
        raise LogError(
            "not a Parquet file, though named so.",
            advice="Rename it if it is text; download or write it again if not.",
            source=file.name,
        )
    if file.ending in json_lines.ENDINGS:
        return "JSON"
    if file.name == "standard input" and head.lstrip()[:1] in (b"{", b"["):
        return "JSON"
    return "text"


def _located(source: str | Path, copies: Copies) -> Located:
    if str(source) == STANDARD_INPUT:
        return Located("standard input", (_from_standard_input(copies),))
    path, name = Path(source).expanduser(), str(source)
    if path.is_dir():
        return _partitions(path)
    if not os.path.lexists(path) and glob.has_magic(str(path)):
        matches = sorted(Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207
        files = [File(file, str(file), file) for file in matches if file.is_file()]
        if not files:
            raise LogError("no file matches this pattern.", source=name)
        return Located(name, tuple(files))
    archive = next((parent for parent in path.parents if parent.is_file()), None)
    if archive is not None and zipfile.is_zipfile(archive):
        return Located(name, (_member(archive, path.relative_to(archive).as_posix(), copies),))
    if not path.is_file():
        raise LogError("no such file." if not path.exists() else "no regular file.", source=path)
    if compressed.head_of(path).startswith(_ZIP) and path.suffix.lower() != ".xlsx":
        return Located(name, (_member(path, None, copies),))
    return Located(name, (File(path, str(path), path),))


def _partitions(folder: Path) -> Located:
    """Return the files of a folder whose own folders are named by the values of a column."""
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith((".", "_"))
    ]
    if not files or not all("=" in path.relative_to(folder).parts[0] for path in files):
        raise LogError(
            "a folder; expected a file.", advice=f"For all files in it: '{folder / '*.csv'}'.", source=folder
        )
    return Located(str(folder), tuple(File(path, str(path), path) for path in files), is_partitioned=True)


def _from_standard_input(copies: Copies) -> File:
    path = copies.new_path()
    with room_for_copy(), path.open("wb") as target:
        shutil.copyfileobj(sys.stdin.buffer, target)
    return File(path, "standard input")


def _member(archive: Path, member: str | None, copies: Copies) -> File:
    """Unpack one file of a zip archive under a name of our own."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = [info.filename for info in packed.infolist() if not info.is_dir()]
            if member is None:
                data = [name for name in names if name.lower().endswith(_DATA_ENDINGS)]
                member = names[0] if len(names) == 1 else data[0] if len(data) == 1 else None
            if member is None or member not in names:
                raise LogError(
                    f"an archive of {_listed(names)}; expected one file of data.",
                    advice=f"Name one of them, e.g. '{archive}/{names[0] if names else 'log.csv'}'.",
                    source=archive,
                )
            path = copies.new_path()
            with room_for_copy(), packed.open(member) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
    except OutputError:
        raise
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise LogError(
            f"could not be unpacked ({error}).", advice="Download it again, or unpack it.", source=archive
        ) from error
    return File(path, f"{archive}/{member}", archive)


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(names[:5])
    return f"{len(names)} files ({shown}{', ...' if len(names) > 5 else ''})"
