"""Whether the parts of a bundle belong together: each is checked against the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from recsys._version import __version__
from recsys.data.ids import Ids
from recsys.data.log import TimeKind
from recsys.data.rows import CompressedRows
from recsys.errors import BundleError
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.registry import MODELS, make
from recsys.models.stored_arrays import numbers_were_checked, require
from recsys.recommend.bundle_parts import belonging_of
from recsys.recommend.last_events import LastEvents
from recsys.typing import AnyArray, Float32Array, Int32Array, Int64Array

MAY_BE_UNSET = frozenset({"time_limit", "liked_from"})
"""Parameters of the models here that a fit leaves at none; it fills in all others."""


def model_of(record: Mapping[str, Any]) -> Model:
    """Return the model that a record names, with its parameters, not yet fitted.

    Raises
    ------
    BundleError
        If there is no such model, or a parameter is missing or was not filled in.
    ParameterError
        If a parameter is not known or out of range.
    """
    # By name alone: a bundle that names a module must not have it imported.
    name = record["model"]
    if not isinstance(name, str) or name not in MODELS:
        raise BundleError(
            f"it is of a model {name!r}; there are {', '.join(MODELS)}. If that is your own, "
            f"import the module that registers it first (recsys --import MODULE ...)."
        )
    kind = MODELS[name]
    config = kind.current_config(record["config"])
    if kind.__module__.startswith("recsys."):
        _check_complete(kind, config, is_of_this_version=record["versions"]["recsys"] == __version__)
    return make(name, config)


def _check_complete(kind: type[Model], config: Mapping[str, Any], *, is_of_this_version: bool) -> None:
    """Raise BundleError if a parameter that answers depend on has no value."""
    for parameter in parameters.describe(kind):
        name, default = parameter["name"], parameter["default"]
        # A parameter that came later has its default, unless that is to be filled in by a fit.
        is_known = name in config or not (is_of_this_version or default is None)
        is_set = config.get(name, default) is not None or name in MAY_BE_UNSET
        if not is_known or not is_set:
            raise BundleError(f"the parameter {name!r} has no value; train the model again.")


def check_sizes(model: Model, user_ids: Ids, item_ids: Ids) -> None:
    """Raise BundleError unless a model has as many users and items as are listed."""
    if (len(user_ids), len(item_ids)) != (model.n_users_, model.n_items_):
        raise BundleError(
            f"{len(user_ids)} users and {len(item_ids)} items are listed, "
            f"but the model has {model.n_users_} and {model.n_items_}."
        )


def seen_in(arrays: Mapping[str, AnyArray], n_users: int, n_items: int) -> tuple[CompressedRows, bool]:
    """Return the entries of training, and whether their values are known.

    Raises
    ------
    BundleError
        If they are no rows of so many users and items: ascending columns, each once, with a value.
    ModelError
        If an array is missing or of another kind.
    """
    indptr = require(arrays, "seen.indptr", np.int64, 1)
    columns: Int32Array = require(arrays, "seen.items", np.int32, 1)
    if (
        len(indptr) != n_users + 1
        or indptr[0] != 0
        or indptr[-1] != len(columns)
        or not (numbers_were_checked(arrays) or _fits(indptr, columns, n_items))
    ):
        raise BundleError("the pattern of seen items does not fit the lists of users and items.")
    has_values = "seen.values" in arrays
    values: Float32Array = (
        require(arrays, "seen.values", np.float32, 1) if has_values else np.ones(1, dtype=np.float32)
    )
    if len(values) not in (1, len(columns)):
        raise BundleError(f"{len(values)} values of {len(columns)} seen items; expected as many.")
    return CompressedRows(indptr, columns, np.broadcast_to(values, len(columns)), n_items), has_values


def _fits(indptr: Int64Array, columns: Int32Array, n_columns: int) -> bool:
    """Return whether columns are among n, and ascend inside each row, none of them twice."""
    if np.any(indptr[1:] < indptr[:-1]):  # a difference may leave int64
        return False
    if len(columns) and (columns.min() < 0 or columns.max() >= n_columns):
        return False
    falls = np.flatnonzero(columns[1:] <= columns[:-1]) + 1
    return bool(np.isin(falls, indptr).all())


def counts_in(arrays: Mapping[str, AnyArray], seen: CompressedRows) -> Int64Array:
    """Return how many users have each item, or raise BundleError if that is not what the entries say."""
    counts: Int64Array = require(arrays, "item_counts", np.int64, 1)
    if numbers_were_checked(arrays) and len(counts) == seen.n_columns:
        return counts
    # Of amounts those of 0 do not count, of ratings they do.
    counting = (seen.columns, seen.columns[seen.values != 0])
    if not any(np.array_equal(counts, np.bincount(items, minlength=seen.n_columns)) for items in counting):
        raise BundleError("the counts of items do not fit the list of items, or what was seen of them.")
    return counts


def last_events_in(arrays: Mapping[str, AnyArray], n_items: int) -> LastEvents | None:
    """Return when items were last sold; None of a log without times, and of bundles of older versions.

    Raises
    ------
    BundleError
        If there are not as many times as items.
    """
    for kind in get_args(TimeKind):
        name = f"last_events.{kind}"
        if name in arrays:
            times = require(arrays, name, np.int64, 1)
            if len(times) != n_items:
                raise BundleError(f"{len(times)} times of last events of {n_items} items; expected as many.")
            return LastEvents(times, kind)
    return None


def check_training(training: Any, user_ids: Ids, item_ids: Ids, seen: CompressedRows) -> None:
    """Raise BundleError unless the record of the training has the counts that the files have."""
    if not isinstance(training, Mapping):
        raise BundleError("the record tells nothing of the training.")
    actual = {"n_users": len(user_ids), "n_items": len(item_ids), "n_entries": seen.nnz}
    for name, number in actual.items():
        if name in training and training[name] != number:
            raise BundleError(f"{name} of the training is {training[name]!r}; the files hold {number}.")
    if training.get("feedback") not in ("explicit", "implicit"):
        raise BundleError(f"the feedback is {training.get('feedback')!r}; expected explicit or implicit.")


def check_ids(record: Mapping[str, Any], user_ids: Ids, item_ids: Ids) -> None:
    """Raise BundleError if ids are not those, in that order, whose digest the record holds.

    A model knows rows, and the ids say whose they are: ids in another order, or another model's, give
    wrong answers that look right. Bundles of older versions hold no digest.
    """
    if "ids" in record and record["ids"] != ids_digests(user_ids, item_ids):
        raise BundleError("the ids are not those of this model, or not in its order; train the model again.")


def check_belonging(record: Mapping[str, Any], belonging: str | None) -> None:
    """Raise BundleError unless arrays are those of the ids and parameters that the record holds."""
    if ("ids" in record or belonging is not None) and (
        "ids" not in record or belonging != belonging_of(record)
    ):
        raise BundleError("the arrays are those of other ids or parameters; train the model again.")


def ids_digests(user_ids: Ids, item_ids: Ids) -> dict[str, str]:
    """Return the SHA-256 of the ids of each side, in their order."""
    digests = {}
    for side, ids in (("users", user_ids), ("items", item_ids)):
        column = pa.array(ids.values, pa.int64() if ids.is_integer else pa.large_string())
        state = hashlib.sha256(str(column.type).encode())
        for buffer in column.buffers()[1:]:  # lengths and texts, or numbers; the first says what is missing
            state.update(b"" if buffer is None else buffer)
        digests[side] = state.hexdigest()
    return digests
