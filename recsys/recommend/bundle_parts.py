"""The files of a bundle, each read once: what was hashed is what is used, whatever happens to the folder.

Where arrays are mapped, that holds as long as nobody changes their file in place.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.array_files import Content, arrays_in, mapped_content, read_content
from recsys.data.ids import Id, Ids
from recsys.errors import BundleError
from recsys.recommend.checked_before import CheckedFiles
from recsys.typing import AnyArray

Verify: TypeAlias = Literal["always", "once"]
RECORD = "model.json"
ARRAYS, USERS, ITEMS = PARTS = ("arrays.safetensors", "users.parquet", "items.parquet")
BELONGING = "belongs_to"


@dataclass(frozen=True, eq=False)
class BundleParts:
    """What stands in the files of a bundle whose hashes are right.

    Attributes
    ----------
    record : dict
    arrays : mapping of str to array
        Writable, and nobody else's.
    belonging : str or None
        What the file of the arrays says that they belong to; see `belonging_of`.
    user_ids, item_ids : Ids
    item_names : mapping of id to str
        Of the items that have one.
    checked_before : bool
        Whether the content of the files was checked by an earlier load, and not by this one.
    files : CheckedFiles or None
        What notes them as checked, where arrays are mapped.
    """

    record: dict[str, Any]
    arrays: Mapping[str, AnyArray]
    belonging: str | None
    user_ids: Ids
    item_ids: Ids
    item_names: Mapping[Id, str]
    checked_before: bool = False
    files: CheckedFiles | None = None


def read_record(folder: Path, versions: range) -> dict[str, Any]:
    """Return what model.json says, its digest checked.

    Parameters
    ----------
    folder : Path
    versions : range
        Versions of the format that are read.

    Raises
    ------
    BundleError
        If it is of another version, or not what was written.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    version = record.get("format") if isinstance(record, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version not in versions:
        advice = (
            "take a newer version of recsys for it"
            if isinstance(version, int) and version >= versions.stop
            else "train the model again"
        )
        raise BundleError(
            f"{folder}: the bundle has format {version}; this version reads {versions.stop - 1}; {advice}."
        )
    if record.get("digest") != digest_of(record):
        raise BundleError(f"{folder}: {RECORD} is not what was written; train the model again.")
    assert isinstance(record, dict)
    return record


def digest_of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record, its digest left out: against damage and slips, not against forgers."""
    content = {key: value for key, value in record.items() if key != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def belonging_of(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what gives arrays their meaning: the model, its parameters, the ids of rows."""
    content = {key: record[key] for key in ("model", "config", "ids")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_parts(folder: Path, record: dict[str, Any]) -> BundleParts:
    """Read the other files; each must have the hash that the record gives.

    Raises
    ------
    BundleError
        If one is missing or is not the file that was written.
    """
    contents = {part: read_content(_path(folder, part)) for part in PARTS}
    return _parts(record, contents)


def map_parts(folder: Path, record: dict[str, Any], *, verify: Verify) -> BundleParts:
    """Map the other files.

    Their content is checked as by `read_parts`, but that of files which were checked before only as far
    as it is looked at: the layout of the arrays now, ids and names when they are asked for.

    Raises
    ------
    BundleError
        If one is missing or is not the file that was written.
    """
    contents: dict[str, Content] = {}
    statuses = {}
    for part in PARTS:
        with _path(folder, part).open("rb") as file:
            statuses[part] = os.fstat(file.fileno())
            contents[part] = mapped_content(file)
    files = CheckedFiles(statuses, record["digest"])
    checked_before = verify == "once" and files.were_checked()
    return _parts(record, contents, checked_before=checked_before, files=files)


def _path(folder: Path, part: str) -> Path:
    path = folder / part
    if not path.is_file():
        raise BundleError(f"{part} is missing; train the model again.")
    return path


def _parts(
    record: dict[str, Any],
    contents: Mapping[str, Content],
    *,
    checked_before: bool = False,
    files: CheckedFiles | None = None,
) -> BundleParts:
    if not checked_before:
        for part, content in contents.items():
            _check_hash(content, part, record)
    arrays, metadata = arrays_in(contents[ARRAYS], ARRAYS)
    n_users, n_items = len(arrays.get("seen.indptr", ())) - 1, len(arrays.get("item_counts", ()))
    users, items = contents[USERS], contents[ITEMS]
    user_ids, item_ids, names = (
        _tables_later(users, items, n_users, n_items, record)
        if checked_before
        else _tables_now(users, items, n_users, n_items)
    )
    return BundleParts(
        record, arrays, metadata.get(BELONGING), user_ids, item_ids, names, checked_before, files
    )


def _check_hash(content: Content, part: str, record: Mapping[str, Any]) -> None:
    if hashlib.sha256(content).hexdigest() != record["parts"][part]:
        raise BundleError(f"{part} is not the file that was written; train the model again.")


def _tables_now(
    users: Content, items: Content, n_users: int, n_items: int
) -> tuple[Ids, Ids, Mapping[Id, str]]:
    table = _table(items, ITEMS, n_items)
    item_ids = _ids(table)
    return _ids(_table(users, USERS, n_users)), item_ids, _names(item_ids, table)


def _tables_later(
    users: Content, items: Content, n_users: int, n_items: int, record: Mapping[str, Any]
) -> tuple[Ids, Ids, Mapping[Id, str]]:
    """Return ids and names that are read from mapped files when they are asked for, and checked then."""

    def table(content: Content, part: str, n_rows: int) -> pa.Table:
        _check_hash(content, part, record)
        return _table(content, part, n_rows)

    user_ids = Ids.deferred(n_users, lambda: _ids(table(users, USERS, n_users)))
    item_ids = Ids.deferred(n_items, lambda: _ids(table(items, ITEMS, n_items)))
    return user_ids, item_ids, DeferredNames(lambda: _names(item_ids, table(items, ITEMS, n_items)))


class DeferredNames(Mapping[Id, str]):
    """Names that are read when the first of them is asked for.

    Parameters
    ----------
    read : callable
        Returns the names by id.
    """

    def __init__(self, read: Callable[[], Mapping[Id, str]]) -> None:
        self._read = read

    @cached_property
    def _names(self) -> Mapping[Id, str]:
        return self._read()

    def __getitem__(self, item_id: Id) -> str:
        return self._names[item_id]

    def __iter__(self) -> Iterator[Id]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[type[dict[Id, str]], tuple[dict[Id, str]]]:
        return dict, (dict(self._names),)


def _table(content: Content, part: str, n_rows: int) -> pa.Table:
    """Read a table that must have so many rows: few bytes can stand for more rows than fit into memory."""
    file = pq.ParquetFile(pa.BufferReader(content))
    if file.metadata.num_rows != n_rows:
        raise BundleError(f"{part} lists {file.metadata.num_rows:,} ids; the arrays are of {n_rows:,}.")
    return file.read()


def _ids(table: pa.Table) -> Ids:
    column = table.column("id")
    if column.null_count:
        raise BundleError("an id is missing in a list of ids.")
    if pa.types.is_integer(column.type):
        return Ids(column.to_numpy())
    return Ids(column.to_pylist())


def _names(item_ids: Ids, table: pa.Table) -> dict[Id, str]:
    column = table.column("name")
    if not pa.types.is_string(column.type) and not pa.types.is_null(column.type):
        raise BundleError(f"the names of items are {column.type}; expected text.")
    if column.null_count == len(column):
        return {}
    return {item: name for item, name in zip(item_ids, column.to_pylist(), strict=True) if name}
