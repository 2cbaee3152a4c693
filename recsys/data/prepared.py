"""A log prepared once: its events as arrays on disk, which are mapped and not read.

::

    log.json         columns, ledger, remarks, the flags by which it was read, a hash of each part
    users.npy ...    users, items, values, times: one entry an event, in the order of the source
    user_*, item_*   the entries from both sides, repeats joined; see `recsys.data.views`
    user_ids.npy     ids that are integers; text stands in user_ids.arrow
    item_names.arrow names of items, if there are any
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from recsys.data.array_files import GrowingArray, blocks, mapped
from recsys.data.columns import Columns
from recsys.data.duplicates import DEFAULT_DUPLICATES
from recsys.data.ids import Id, Ids
from recsys.data.ledger import Dropped
from recsys.data.loaded_log import LoadedLog
from recsys.data.log import Feedback, Log
from recsys.data.log_format import LogFormat
from recsys.data.views import MappedViews, write_views
from recsys.errors import InputError, LogError, ParameterError
from recsys.files import atomic_write_folder, current_folder, sha256
from recsys.remarks import Remark, RemarkCode
from recsys.typing import AnyArray

FORMAT = "recsys log 2"
RECORD = "log.json"

_EVENTS = {"users": np.int32, "items": np.int32, "values": np.float64, "times": np.int64}
_PURPOSE = "kept_for"
_LATER = ("min_value", "core", "clip", "transform", "half_life", "feedback")
"""Options that can still be applied to a prepared log; all others were when it was prepared."""


def is_prepared(source: object) -> bool:
    """Return whether a source is the folder of a prepared log."""
    return isinstance(source, (str, Path)) and (_place(source) / RECORD).is_file()


def _place(source: str | Path) -> Path:
    return current_folder(Path(source).expanduser().absolute())


def check_place(folder: Path) -> None:
    """Raise InputError if a folder is something else than a prepared log or an empty folder."""
    if folder.exists() and not is_prepared(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} is no prepared log, and is not overwritten; name another folder.")


def save_log(loaded: LoadedLog, folder: str | Path, *, memory: int | None = None) -> None:
    """Write a log as a folder that `recsys.load_log` maps.

    An older prepared log at that place is replaced as a whole.

    Parameters
    ----------
    loaded : LoadedLog
    folder : str or Path
    memory : int, optional
        Bytes that joining and sorting the entries may take. Default: all at once.

    Raises
    ------
    InputError
        If ``folder`` is something else than a prepared log or an empty folder.
    """
    folder = Path(folder).expanduser()
    check_place(folder)
    with atomic_write_folder(folder) as place:
        _write_events(loaded, place)
        duplicates = DEFAULT_DUPLICATES[loaded.log.feedback]
        n_entries = write_views(loaded.log, place, duplicates, memory)
        _write_record(loaded, place, {"n_entries": n_entries, "duplicates": duplicates})


def save_events(loaded: LoadedLog, folder: Path, purpose: Mapping[str, Any]) -> None:
    """Write a log that was read as `save_log` does, but for the two sides, whose sorting is left to do.

    Parameters
    ----------
    loaded : LoadedLog
    folder : Path
    purpose : mapping
        What it was read from and for, ready for JSON; see `open_events`.
    """
    with atomic_write_folder(folder) as place:
        _write_events(loaded, place)
        _write_record(loaded, place, {_PURPOSE: dict(purpose)})


def open_events(folder: Path, purpose: Mapping[str, Any]) -> LoadedLog:
    """Map what `save_events` wrote, as the log that it was read to.

    Raises
    ------
    InputError
        If it was kept for another purpose, is no such log, or a part is not what was written.
    """
    advice = "to begin anew, delete it or do not resume"
    record = _record(folder)
    if record.get(_PURPOSE) != json.loads(json.dumps(purpose)):
        raise InputError(f"{folder} is of a log that was read otherwise, or has changed since; {advice}.")
    for part, digest in record["parts"].items():
        if not (folder / part).is_file() or sha256(folder / part) != digest:
            raise InputError(f"{folder} is damaged: {part} is not what was written; {advice}.")
    return replace(open_log(folder, LogFormat()), source=record["source"], files=())


def remove_events(folder: Path) -> None:
    """Remove what `save_events` wrote, if that is there; from its first moment on it is none any more."""
    if is_prepared(folder) and _PURPOSE in _record(folder):
        (folder / RECORD).unlink()
        shutil.rmtree(folder, ignore_errors=True)


def _write_events(loaded: LoadedLog, folder: Path) -> None:
    log = loaded.log
    for name in _EVENTS:
        array = getattr(log, name)
        if array is not None:
            _save_array(array, folder / f"{name}.npy")
    for name in ("user_ids", "item_ids"):
        _save_ids(getattr(log, name), folder / name)
    if loaded.item_names:
        rows = {"id": [str(item) for item in loaded.item_names], "name": list(loaded.item_names.values())}
        _save_table(pa.table(rows), folder / "item_names.arrow")


def _write_record(loaded: LoadedLog, folder: Path, more: Mapping[str, Any]) -> None:
    log = loaded.log
    parts = sorted(path.name for path in folder.iterdir())
    record = {
        "format": FORMAT,
        "source": loaded.source,
        "columns": {role: getattr(loaded.columns, role) for role in ("user", "item", "value", "time")},
        "feedback": log.feedback,
        "time_kind": log.time_kind,
        "n_events": len(log),
        **more,
        "n_users": len(log.user_ids),
        "n_items": len(log.item_ids),
        "n_read": loaded.n_read,
        "dropped": [[drop.reason, drop.n_rows] for drop in loaded.dropped],
        "remarks": [[remark.code, remark.text] for remark in loaded.remarks],
        "read_as": loaded.read_as.given,
        "licence": loaded.licence,
        "parts": {part: sha256(folder / part) for part in parts},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def open_log(source: str | Path, log_format: LogFormat) -> LoadedLog:
    """Map a prepared log; what it was prepared with cannot be changed.

    Raises
    ------
    ParameterError
        If an option is given that had to be when it was prepared.
    LogError
        If a part is missing or is not of the length and the range that it must be.
    """
    folder = _place(source)
    record = _record(folder)
    read_as = LogFormat.of(**record["read_as"])
    columns = Columns(**record["columns"])
    kept = read_as.given | {role: name or "-" for role, name in record["columns"].items()}
    for name, value in log_format.given.items():
        if name not in _LATER and kept.get(name) != value:
            raise ParameterError(
                f"{name} is {value!r}, but the log is prepared: what was given then holds. Prepare it anew "
                f"with this, or leave it out."
            )
    arrays = {name: _mapped(folder, record, f"{name}.npy") for name in _EVENTS}
    user_ids, item_ids = (_ids(folder, record, name) for name in ("user_ids", "item_ids"))
    users, items, values, times = (cast(Any, arrays[name]) for name in _EVENTS)
    n_events = record["n_events"]
    for name, array, n in (("users", users, len(user_ids)), ("items", items, len(item_ids))):
        # Read as unsigned a number below 0 is beyond all others: one pass finds both.
        if array is None or len(array) != n_events or not n_events or array.view(np.uint32).max() >= n:
            raise _damaged(folder, f"{name}.npy")
    if users is None or items is None or values is None:
        raise _damaged(folder, "values.npy")
    log = Log(
        users=users,
        items=items,
        values=values,
        user_ids=user_ids,
        item_ids=item_ids,
        feedback=cast(Feedback, log_format.feedback or record["feedback"]),
        times=times,
        time_kind=record["time_kind"],
    )
    if log.feedback == record["feedback"] and "n_entries" in record:  # by which repeats were joined
        shape = (len(user_ids), len(item_ids))
        log = log.with_views(
            MappedViews.of(
                folder, record["duplicates"], shape, record["n_entries"], has_times=times is not None
            )
        )
    return LoadedLog(
        log=log,
        source=f"{record['source']} (prepared in {folder})",
        columns=columns,
        n_read=record["n_read"],
        dropped=tuple(Dropped(reason, n_rows) for reason, n_rows in record["dropped"]),
        item_names=_Names(folder, record, item_ids),
        licence=record["licence"],
        read_as=read_as,
        remarks=tuple(Remark(RemarkCode(code), text) for code, text in record["remarks"]),
        files=(folder / RECORD,),
    )


class _Names(Mapping[Id, str]):
    """Names of items, read when the first is asked for."""

    def __init__(self, folder: Path, record: Mapping[str, Any], item_ids: Ids) -> None:
        self._folder, self._record, self._item_ids = folder, record, item_ids

    @cached_property
    def _names(self) -> dict[Id, str]:
        if "item_names.arrow" not in self._record["parts"]:
            return {}
        table = _read_table(self._folder, "item_names.arrow")
        ids = table.column("id").to_pylist()
        return dict(zip(map(self._item_ids.spelled, ids), table.column("name").to_pylist(), strict=True))

    def __getitem__(self, item: Id) -> str:
        return self._names[item]

    def __iter__(self) -> Iterator[Id]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _record(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["format"] == FORMAT:
            return dict(record)
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, RECORD) from error
    raise LogError(
        f"a log of the format {record['format']!r}; expected {FORMAT!r}.",
        advice="Prepare it anew.",
        source=folder,
    )


def _damaged(folder: Path, part: str) -> LogError:
    return LogError("missing, or not what was written.", advice="Prepare the log anew.", source=folder / part)


def _mapped(folder: Path, record: Mapping[str, Any], part: str) -> AnyArray | None:
    if part not in record["parts"]:
        return None
    try:
        array: AnyArray = mapped(folder / part)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(folder, part) from error
    kind = _EVENTS.get(part.removesuffix(".npy"), np.int64)
    n = record["n_events"] if part.removesuffix(".npy") in _EVENTS else len(array)
    if array.dtype != kind or array.shape != (n,):
        raise _damaged(folder, part)
    return array


def _save_array(array: AnyArray, path: Path) -> None:
    """Write an array, which may itself be mapped, without holding more than a block of it."""
    with closing(GrowingArray(path, array.dtype)) as file:
        for block in blocks(len(array)):
            file.append(array[block])


def _save_ids(ids: Ids, path: Path) -> None:
    if ids.is_integer:
        np.save(path.with_suffix(".npy"), ids.values)
    else:
        _save_table(pa.table({"id": pa.array(ids.values, pa.large_string())}), path.with_suffix(".arrow"))


def _ids(folder: Path, record: Mapping[str, Any], name: str) -> Ids:
    values = _mapped(folder, record, f"{name}.npy")
    if values is None:
        values = _read_table(folder, f"{name}.arrow").column("id").to_numpy()
    ids = Ids.trusted(values)
    if len(ids) != record["n_users" if name == "user_ids" else "n_items"]:
        raise _damaged(folder, name)
    return ids


def _save_table(table: pa.Table, path: Path) -> None:
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def _read_table(folder: Path, part: str) -> pa.Table:
    try:
        return pa.ipc.open_file(pa.memory_map(str(folder / part))).read_all()
    except (OSError, pa.ArrowException) as error:
        raise _damaged(folder, part) from error
