"""A bundle on disk: JSON, safetensors and Parquet, nothing that runs code.

::

    model.json           format, model name and config, versions, training data, hashes of the rest
    arrays.safetensors   what the model learned, the entries seen in training, item counts
    users.parquet        id
    items.parquet        id, name
    themes.toml          what people call the themes, where somebody wrote it; the one file to be edited

Written to a sibling, synced and renamed: a reader finds the old bundle or the new one.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from recsys._version import __version__
from recsys.data.ids import Ids
from recsys.data.log import TimeKind
from recsys.data.rows import CompressedRows
from recsys.errors import BundleError, RecsysError
from recsys.factorization.history import History
from recsys.files import atomic_write_folder, current_folder, previous_folder, sha256
from recsys.models.registry import MODELS, make
from recsys.models.stored_arrays import require
from recsys.recommend.bundle import Bundle
from recsys.recommend.last_events import LastEvents
from recsys.recommend.theme_labels import FILE, labels_text, read_labels
from recsys.typing import AnyArray, Float32Array

FORMAT = 1
_ATTEMPTS = 20
_PARTS = ("arrays.safetensors", "users.parquet", "items.parquet")


def check_place(folder: Path) -> None:
    """Raise BundleError if ``folder`` is something else than a bundle or an empty folder."""
    if (
        not folder.exists()
        or (folder / "model.json").exists()
        or (folder.is_dir() and not any(folder.iterdir()))
    ):
        return
    raise BundleError(f"{folder} exists and is no model bundle; give another place.")


def save_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write a bundle; an older bundle at that place is replaced as a whole.

    Raises
    ------
    BundleError
        If ``folder`` is something else than a bundle or an empty folder.
    """
    folder = Path(folder).expanduser()
    check_place(folder)
    history = bundle.model.history
    with atomic_write_folder(folder) as place:
        arrays = {f"model.{name}": array for name, array in bundle.model.to_arrays().items()}
        arrays["seen.indptr"], arrays["seen.items"] = bundle.seen.indptr, bundle.seen.columns
        if bundle.has_values:
            arrays["seen.values"] = _stored_values(bundle.seen.values)
        arrays["item_counts"] = bundle.item_counts
        if bundle.last_events is not None:
            arrays[f"last_events.{bundle.last_events.kind}"] = bundle.last_events.times
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, place / _PARTS[0])
        pq.write_table(pa.table({"id": _id_column(bundle.user_ids)}), place / _PARTS[1])
        names = [bundle.item_names.get(item) for item in bundle.item_ids]
        pq.write_table(
            pa.table({"id": _id_column(bundle.item_ids), "name": pa.array(names, pa.string())}),
            place / _PARTS[2],
        )
        record = {
            "format": FORMAT,
            "model": bundle.model.name,
            "config": bundle.model.config(),
            "training": dict(bundle.training),
            "history": None if history is None else history.to_json(),
            "versions": {"recsys": __version__, "numpy": np.__version__, "python": platform.python_version()},
            "parts": {part: sha256(place / part) for part in _PARTS},
        }
        record["digest"] = _digest(record)
        if bundle.theme_labels:
            (place / FILE).write_text(labels_text(bundle.theme_labels), encoding="utf-8")
        (place / "model.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def _stored_values(values: Float32Array) -> Float32Array:
    """Return the values of entries, or one for all of them where they are equal, as in a log of clicks."""
    is_constant = len(values) > 0 and bool(np.all(values == values[0]))
    return values[:1] if is_constant else values


def _digest(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record: it guards against damage and slips, not against forgers."""
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _id_column(ids: Ids) -> pa.Array:
    return pa.array(ids.values, pa.int64() if ids.is_integer else pa.string())


def load_bundle(folder: str | Path) -> Bundle:
    """Read a bundle; hashes, shapes, ids and numbers are checked before anything is used.

    Raises
    ------
    BundleError
        If a part is missing, changed, of a newer format or inconsistent.
    """
    if not isinstance(folder, (str, Path)):
        raise BundleError(f"a bundle is read from a folder, not from {folder!r:.80}; give its path.")
    folder = Path(folder).expanduser().resolve()
    for attempt in range(_ATTEMPTS):
        place = current_folder(folder)
        before = _stamp(place)
        try:
            return _load(place)
        except (
            RecsysError,
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RecursionError,
            pa.ArrowException,
            SafetensorError,
        ) as error:
            if attempt + 1 < _ATTEMPTS:
                time.sleep(0.002 * attempt)
                if _stamp(current_folder(folder)) != before or previous_folder(folder).exists():
                    continue  # another process was putting a new bundle in its place
            if isinstance(error, BundleError):
                raise
            raise BundleError(f"{folder}: the bundle cannot be read: {error}") from error
    raise AssertionError("unreachable")


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Return what tells one bundle at a place from the next."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _load(folder: Path) -> Bundle:
    if not (folder / "model.json").is_file():
        raise BundleError(
            f"{folder} is no model bundle: it holds no model.json; make one with 'recsys train'."
        )
    record = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else None
        raise BundleError(f"{folder}: the bundle has format {found}; this version reads {FORMAT}.")
    if record.get("digest") != _digest({key: value for key, value in record.items() if key != "digest"}):
        raise BundleError(f"{folder}: model.json is not what was written; train the model again.")
    for part in _PARTS:
        if not (folder / part).is_file():
            raise BundleError(f"{folder}: {part} is missing; train the model again.")
        if sha256(folder / part) != record["parts"][part]:
            raise BundleError(f"{folder}: {part} is not the file that was written; train the model again.")

    arrays: dict[str, AnyArray] = load_file(folder / _PARTS[0])
    # By name alone: a bundle that names a module must not have it imported.
    name = record["model"]
    if not isinstance(name, str) or name not in MODELS:
        raise BundleError(
            f"{folder}: it is of a model {name!r}; there are {', '.join(MODELS)}. If that is your own, "
            f"import the module that registers it first (recsys --import MODULE ...)."
        )
    model = make(name, MODELS[name].current_config(record["config"]))
    prefix = "model."
    learned = {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}
    history = None if record["history"] is None else History.from_json(record["history"])
    users, items = pq.read_table(folder / _PARTS[1]), pq.read_table(folder / _PARTS[2])
    user_ids, item_ids = _ids(users), _ids(items)
    model.load(learned, history=history, ids=(user_ids, item_ids))
    if (len(user_ids), len(item_ids)) != (model.n_users_, model.n_items_):
        raise BundleError(
            f"{folder}: {len(user_ids)} users and {len(item_ids)} items are listed, "
            f"but the model has {model.n_users_} and {model.n_items_}."
        )
    indptr = require(arrays, "seen.indptr", np.int64, 1)
    columns = require(arrays, "seen.items", np.int32, 1)
    if (
        len(indptr) != len(user_ids) + 1
        or indptr[0] != 0
        or indptr[-1] != len(columns)
        or np.any(indptr[1:] < indptr[:-1])  # a difference may leave int64
        or (len(columns) and (columns.min() < 0 or columns.max() >= len(item_ids)))
    ):
        raise BundleError(f"{folder}: the pattern of seen items does not fit the lists of users and items.")
    has_values = "seen.values" in arrays
    values = require(arrays, "seen.values", np.float32, 1) if has_values else np.ones(1, dtype=np.float32)
    if len(values) not in (1, len(columns)):
        raise BundleError(f"{folder}: {len(values)} values of {len(columns)} seen items; expected as many.")
    seen = CompressedRows(indptr, columns, np.broadcast_to(values, len(columns)), len(item_ids))
    names = {
        item: name for item, name in zip(item_ids, items.column("name").to_pylist(), strict=True) if name
    }
    counts = require(arrays, "item_counts", np.int64, 1)
    if len(counts) != len(item_ids) or (len(counts) and counts.min() < 0):
        raise BundleError(f"{folder}: the counts of items do not fit the list of items.")
    components = model.component_model
    labels = {} if components is None else read_labels(folder, len(components.shares_))
    last_events = _last_events(arrays, len(item_ids))
    return Bundle(
        model, user_ids, item_ids, seen, counts, names, record["training"], has_values, labels, last_events
    )


def _last_events(arrays: Mapping[str, AnyArray], n_items: int) -> LastEvents | None:
    """Return when items were last sold; None of a log without times, and of bundles of older versions."""
    for kind in get_args(TimeKind):
        name = f"last_events.{kind}"
        if name in arrays:
            times = require(arrays, name, np.int64, 1)
            if len(times) != n_items:
                raise BundleError(f"{len(times)} times of last events of {n_items} items; expected as many.")
            return LastEvents(times, kind)
    return None


def _ids(table: pa.Table) -> Ids:
    column = table.column("id")
    if column.null_count:
        raise BundleError("an id is missing in a list of ids.")
    if pa.types.is_integer(column.type):
        return Ids(column.to_numpy())
    return Ids(column.to_pylist())
