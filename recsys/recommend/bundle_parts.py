"""The files of a bundle, each read once: what was hashed is what is used, whatever happens to the folder.

Where arrays are mapped, that holds as long as nobody changes their file in place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.array_files import Content, arrays_in, map_content, read_content
from recsys.data.ids import Ids
from recsys.errors import BundleError
from recsys.typing import AnyArray

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
    item_names : list of str or None, (n_items,)
    """

    record: dict[str, Any]
    arrays: Mapping[str, AnyArray]
    belonging: str | None
    user_ids: Ids
    item_ids: Ids
    item_names: list[str | None]


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


def read_parts(folder: Path, record: dict[str, Any], *, mapped: bool = False) -> BundleParts:
    """Read the other files, or map the arrays; each must have the hash that the record gives.

    Raises
    ------
    BundleError
        If one is missing or is not the file that was written.
    """
    contents: dict[str, Content] = {}
    for part in PARTS:
        path = folder / part
        if not path.is_file():
            raise BundleError(f"{part} is missing; train the model again.")
        contents[part] = content = map_content(path) if mapped and part == ARRAYS else read_content(path)
        if hashlib.sha256(content).hexdigest() != record["parts"][part]:
            raise BundleError(f"{part} is not the file that was written; train the model again.")
    arrays, metadata = arrays_in(contents[ARRAYS], ARRAYS)
    n_users, n_items = len(arrays.get("seen.indptr", ())) - 1, len(arrays.get("item_counts", ()))
    users = _table(contents[USERS], USERS, n_users)
    items = _table(contents[ITEMS], ITEMS, n_items)
    return BundleParts(record, arrays, metadata.get(BELONGING), _ids(users), _ids(items), _names(items))


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


def _names(table: pa.Table) -> list[str | None]:
    column = table.column("name")
    if not pa.types.is_string(column.type) and not pa.types.is_null(column.type):
        raise BundleError(f"the names of items are {column.type}; expected text.")
    names: list[str | None] = column.to_pylist()
    return names
