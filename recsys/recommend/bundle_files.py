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

import json
import platform
import shutil
import tempfile
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from recsys._version import __version__
from recsys.array_files import write_arrays
from recsys.data.ids import Ids
from recsys.errors import BundleError, DependencyError, ParameterError, RecsysError
from recsys.factorization.history import History
from recsys.files import atomic_write_folder, current_folder, previous_folder, sha256
from recsys.models.stored_arrays import CheckedArrays
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_checks import (
    check_belonging,
    check_ids,
    check_sizes,
    check_training,
    counts_in,
    ids_digests,
    last_events_in,
    model_of,
    seen_in,
)
from recsys.recommend.bundle_parts import (
    ARRAYS,
    BELONGING,
    ITEMS,
    PARTS,
    RECORD,
    USERS,
    BundleParts,
    Verify,
    belonging_of,
    digest_of,
    map_parts,
    read_parts,
    read_record,
)
from recsys.recommend.model_pointer import is_store, model_folder
from recsys.recommend.signature import check_signature, key_of
from recsys.recommend.theme_labels import FILE, labels_text, read_labels
from recsys.typing import AnyArray, Float32Array

FORMAT = 1
"""Version of the format that is written. Another one is a format that older versions cannot read."""
_READABLE = range(1, FORMAT + 1)
_ATTEMPTS = 20
_LEARNED = "model."


def check_place(folder: Path) -> None:
    """Raise BundleError if ``folder`` is something else than a bundle or an empty folder."""
    if not folder.exists() or (folder / RECORD).exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if is_store(folder):
        raise BundleError(
            f"{folder} holds versions of a model; add one by recsys.ModelStore({str(folder)!r})."
        )
    raise BundleError(f"{folder} exists and is no model bundle; give another place.")


def save_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write a bundle; an older bundle at that place is replaced as a whole.

    Raises
    ------
    BundleError
        If ``folder`` is something else than a bundle or an empty folder.
    OutputError
        If it cannot be written, or another process is writing there; an older bundle is then as it was.
    """
    folder = Path(folder).expanduser()
    check_place(folder)
    history = bundle.model.history
    with atomic_write_folder(folder) as place:
        arrays = {_LEARNED + name: array for name, array in bundle.model.to_arrays().items()}
        arrays["seen.indptr"], arrays["seen.items"] = bundle.seen.indptr, bundle.seen.columns
        if bundle.has_values:
            arrays["seen.values"] = _stored_values(bundle.seen.values)
        arrays["item_counts"] = bundle.item_counts
        if bundle.last_events is not None:
            arrays[f"last_events.{bundle.last_events.kind}"] = bundle.last_events.times
        record = {
            "format": FORMAT,
            "model": bundle.model.name,
            "config": bundle.model.config(),
            "ids": ids_digests(bundle.user_ids, bundle.item_ids),
            "training": dict(bundle.training),
            "history": None if history is None else history.to_json(),
            "versions": {"recsys": __version__, "numpy": np.__version__, "python": platform.python_version()},
        }
        write_arrays(arrays, place / ARRAYS, {BELONGING: belonging_of(record)})
        pq.write_table(pa.table({"id": _id_column(bundle.user_ids)}), place / USERS)
        names = [bundle.item_names.get(item) for item in bundle.item_ids]
        pq.write_table(
            pa.table({"id": _id_column(bundle.item_ids), "name": pa.array(names, pa.string())}),
            place / ITEMS,
        )
        record["parts"] = {part: sha256(place / part) for part in PARTS}
        record["digest"] = digest_of(record)
        if bundle.theme_labels:
            (place / FILE).write_text(labels_text(bundle.theme_labels), encoding="utf-8")
        (place / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


def rescued(bundle: Bundle, folder: Path) -> Path | None:
    """Write a bundle that could not be written to ``folder`` wherever there is room.

    Returns
    -------
    Path or None
        Where it is now: below the folder for temporary files, the user's own or the current one. None if
        there is no room in any of them.
    """
    for root in (Path(tempfile.gettempdir()), Path("~").expanduser(), Path.cwd()):
        try:
            place = Path(tempfile.mkdtemp(prefix="recsys-rescued-", dir=root))
        except OSError:
            continue
        try:
            save_bundle(bundle, place / folder.name)
        except OSError:
            shutil.rmtree(place, ignore_errors=True)
        else:
            return place / folder.name
    return None


def _stored_values(values: Float32Array) -> Float32Array:
    """Return the values of entries, or one for all of them where they are equal, as in a log of clicks."""
    is_constant = len(values) > 0 and bool(np.all(values == values[0]))
    return values[:1] if is_constant else values


def _id_column(ids: Ids) -> pa.Array:
    return pa.array(ids.values, pa.int64() if ids.is_integer else pa.string())


def load_bundle(
    folder: str | Path,
    *,
    key: str | Path | None = None,
    mapped: bool = False,
    verify: Verify = "once",
) -> Bundle:
    """Read a bundle; hashes, shapes, ids and numbers are checked before anything is used.

    Of a folder of versions (see `ModelStore`) the one in use is read.

    Parameters
    ----------
    folder : str or Path
    key : str or Path, optional
        A key's file: the bundle must be signed by it, see `recsys.sign_bundle`. By default the one that the
        environment variable ``RECSYS_MODEL_KEY`` names, if it is set.
    mapped : bool
        Whether the files are mapped instead of read: processes then share the arrays, and what nobody asks
        for leaves the memory again. They must not be changed in place while the bundle is used; a new
        bundle in their place, as all writes of ours are, does no harm.
    verify : {"once", "always"}
        When each byte of a mapped bundle is checked. ``"once"``: unless this user loaded these very files
        or verified them before, and nobody has written to them since (device, inode, size and times of
        change are the same). Such a bundle opens in milliseconds: its record, the layout and the lengths
        of its arrays are checked at once, ids and names when they are first asked for. Not seen is damage
        that a disk does below its file system. ``"always"``: at each load, as where a bundle is read.

    Raises
    ------
    BundleError
        If a part is missing, changed, of a newer format or inconsistent, or the signature is not right.
    ParameterError
        If the key cannot be used, or there is one and arrays are to be mapped, or ``verify`` is none of
        these.
    """
    if verify not in get_args(Verify):
        raise ParameterError(f"verify is {verify!r:.80}; expected 'once' or 'always'.")
    secret = key_of(key)
    if mapped and secret is not None:
        raise ParameterError(
            "a bundle that must be signed is read, not mapped: a mapped file could be changed after its "
            "signature was checked; leave mapped or the key out."
        )
    if not isinstance(folder, (str, Path)):
        raise BundleError(f"a bundle is read from a folder, not from {folder!r:.80}; give its path.")
    folder = Path(folder).expanduser().resolve()
    for attempt in range(_ATTEMPTS):
        place = current_folder(model_folder(folder))
        before = _stamp(place)
        try:
            return _load(place, secret, verify if mapped else None)
        except Exception as error:  # files of others may raise anything
            if attempt + 1 < _ATTEMPTS:
                time.sleep(0.002 * attempt)
                if _stamp(current_folder(model_folder(folder))) != before or previous_folder(folder).exists():
                    continue  # another process was putting a new bundle in its place
            if isinstance(error, (BundleError, DependencyError, ParameterError)):
                raise
            why = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise BundleError(f"{folder}: the bundle cannot be read: {why}") from error
    raise AssertionError("unreachable")


def _stamp(folder: Path) -> tuple[int, int] | None:
    """Return what tells one bundle at a place from the next."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _load(folder: Path, key: bytes | None, verify_mapped: Verify | None) -> Bundle:
    if not folder.exists():
        gone = "was deleted or moved" if previous_folder(folder).exists() else "does not exist"
        raise BundleError(f"{folder} is no model bundle: it {gone}; make one with 'recsys train'.")
    if not (folder / RECORD).is_file():
        raise BundleError(f"{folder} is no model bundle: it holds no {RECORD}; make one with 'recsys train'.")
    record = read_record(folder, _READABLE)
    if key is not None:
        check_signature(folder, record["digest"], key)
    try:
        if verify_mapped is None:
            return _joined(folder, read_parts(folder, record))
        parts = map_parts(folder, record, verify=verify_mapped)
        bundle = _joined(folder, parts)
    except RecsysError as error:
        raise BundleError(f"{folder}: {error}") from error
    if parts.files is not None and not parts.checked_before:
        parts.files.note()
    return bundle


def _joined(folder: Path, parts: BundleParts) -> Bundle:
    """Return the bundle of parts that were found to fit together."""
    record, user_ids, item_ids = parts.record, parts.user_ids, parts.item_ids
    kind: type[dict[str, AnyArray]] = CheckedArrays if parts.checked_before else dict
    arrays = kind(parts.arrays)
    model = model_of(record)
    history = None if record["history"] is None else History.from_json(record["history"])
    learned = {name.removeprefix(_LEARNED): a for name, a in arrays.items() if name.startswith(_LEARNED)}
    model.load(kind(learned), history=history, ids=(user_ids, item_ids))
    check_sizes(model, user_ids, item_ids)
    seen, has_values = seen_in(arrays, len(user_ids), len(item_ids))
    counts = counts_in(arrays, seen)
    check_training(record["training"], user_ids, item_ids, seen)
    check_belonging(record, parts.belonging)
    if not parts.checked_before:
        check_ids(record, user_ids, item_ids)
    components = model.component_model
    labels = {} if components is None else read_labels(folder, len(components.shares_))
    last_events = last_events_in(arrays, len(item_ids))
    return Bundle(
        model,
        user_ids,
        item_ids,
        seen,
        counts,
        parts.item_names,
        record["training"],
        has_values,
        labels,
        last_events,
    )
