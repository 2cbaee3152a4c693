"""Logs from files, tables and the catalogue: the one door through which events come in."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from recsys.data import catalog, item_names, sources
from recsys.data.columns import IGNORE, Columns, existing, is_rating, resolve
from recsys.data.events import Drop, read_events
from recsys.data.item_names import ItemNames
from recsys.data.log import Feedback, Log
from recsys.data.sources import ArrowTable
from recsys.errors import InputError, ParameterError


@dataclass(frozen=True)
class Dropped:
    """Rows left out, and why."""

    reason: str
    n_rows: int


@dataclass(frozen=True, eq=False)
class LoadedLog:
    """A log and where it came from.

    Attributes
    ----------
    log : Log
    source : str
        The path, pattern or catalogue name.
    columns : Columns
        The columns used.
    n_read : int
        Rows of the source.
    dropped : tuple of Dropped
        Rows left out by condition; each counts under the first that drops it.
    item_names : mapping of item id to str
        Names of items of the log, as far as known.
    licence : str or None
    """

    log: Log
    source: str
    columns: Columns
    n_read: int
    dropped: tuple[Dropped, ...]
    item_names: ItemNames
    licence: str | None = None

    def describe(self) -> dict[str, Any]:
        """Return counts and ranges, ready for JSON."""
        log = self.log
        n_users, n_items = len(log.user_ids), len(log.item_ids)
        n_pairs = len(np.unique(log.pairs))
        first, last = log.span() or (None, None)
        return {
            "source": self.source,
            "columns": {role: getattr(self.columns, role) for role in ("user", "item", "value", "time")},
            "feedback": log.feedback,
            "n_read": self.n_read,
            "dropped": [{"reason": drop.reason, "n_rows": drop.n_rows} for drop in self.dropped],
            "n_events": len(log),
            "n_users": n_users,
            "n_items": n_items,
            "n_pairs": n_pairs,
            "density": n_pairs / (n_users * n_items),
            "value_min": float(log.values.min()),
            "value_max": float(log.values.max()),
            "value_mean": float(log.values.mean()),
            "time_kind": log.time_kind,
            "first_time": first,
            "last_time": last,
            "n_named_items": len(self.item_names),
            "licence": self.licence,
        }


def load_log(
    source: str | Path | pd.DataFrame | pa.Table | ArrowTable,
    *,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    where: str | None = None,
    feedback: Feedback | None = None,
    items: str | Path | None = None,
    item_id: str | None = None,
    item_name: str | None = None,
    n_threads: int | None = None,
) -> LoadedLog:
    """Load a log of events, checked, in the order of its source.

    Parameters
    ----------
    source : str, Path, or table of pandas, polars or Arrow
        A file (CSV, TSV or text split by ``;`` or ``|``, and JSON lines, each also compressed by
        gzip or zstd; Parquet), a pattern such as ``logs/*.csv``, a table, or the name of a
        catalogued data set; an existing file of that name wins.
    user, item, value, time : str, optional
        Names of the columns; the usual ones are recognised. In a text file without a header they
        are positions: "1", "2" ... The name "-" for value or time leaves such a column unused.
        Without values each event counts 1. Times are timestamps, dates or whole numbers.
    where : str, optional
        An SQL expression on the columns: rows for which it is not true are left out. Ids of text
        files are text in it. It sees no other file.
    feedback : {"explicit", "implicit"}, optional
        Default: explicit if the value column is called rating, score or the like.
    items : str or Path, optional
        A file with ids and names of items.
    item_id, item_name : str, optional
        Its columns; the usual names are recognised.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.

    Returns
    -------
    LoadedLog

    Raises
    ------
    LogError
        If the source cannot be read, or at the first row that cannot be used, with its line.
    InputError
        If there is no such file and no such data set.
    DependencyError
        If the package of a catalogued data set is not installed.
    """
    if feedback is not None and str(feedback) not in get_args(Feedback):
        raise ParameterError(f"feedback is {feedback!r}; expected explicit or implicit.")
    if items is None and (item_id is not None or item_name is not None):
        raise ParameterError("item_id and item_name name columns of the items file; give items too.")
    if where is not None and not isinstance(where, str):
        raise ParameterError(f"where is {where!r:.80}; expected an SQL condition, e.g. 'Quantity > 0'.")
    user, item, value, time = (
        _column_name(role, name)
        for role, name in (("user", user), ("item", item), ("value", value), ("time", time))
    )
    entry = _catalogued(source)
    wanted = [name for name in (user, item, value, time) if name is not None and name != IGNORE]
    drops: list[Drop] = []
    if entry is not None:
        opened = entry.open(n_threads)
        drops.extend(entry.drops)
    elif isinstance(source, (str, Path)):
        opened = sources.open_files(source, n_threads, wanted)
    elif isinstance(source, (pd.DataFrame, pa.Table)) or hasattr(source, "__arrow_c_stream__"):
        opened = sources.open_table(source, n_threads)
    else:
        raise InputError(
            f"a log of type {type(source).__name__}; expected a path, or a table of pandas, polars or Arrow."
        )
    if entry is not None:
        columns = _overridden(entry.columns, opened, user=user, item=item, value=value, time=time)
    else:
        columns = resolve(
            opened.names,
            source=opened.name,
            has_header=opened.has_header,
            user=user,
            item=item,
            value=value,
            time=time,
        )
    if where is not None:
        drops.append(Drop(f"where {where}", where, keeps=True))
    events = read_events(opened, columns, drops)
    if feedback is None and entry is not None:
        feedback = entry.feedback
    if feedback is None:
        rated = columns.value is not None and is_rating(columns.value)
        feedback = "explicit" if rated else "implicit"
    log = Log(
        users=events.users.astype(np.int32),
        items=events.items.astype(np.int32),
        values=events.values,
        user_ids=events.user_ids,
        item_ids=events.item_ids,
        feedback=feedback,
        times=events.times,
        time_kind=events.time_kind,
    )
    names: ItemNames = MappingProxyType({})
    if items is not None:
        names = item_names.from_file(
            items, log.item_ids, item_id=item_id, item_name=item_name, n_threads=n_threads
        )
    elif entry is not None and columns.item == entry.columns.item:
        names = item_names.from_catalog(entry, opened, log.item_ids)
    return LoadedLog(
        log=log,
        source=opened.name,
        columns=columns,
        n_read=events.n_read,
        dropped=tuple(Dropped(drop.reason, n) for drop, n in zip(drops, events.n_dropped, strict=True)),
        item_names=names,
        licence=None if entry is None else entry.licence,
    )


def _column_name(role: str, name: object) -> str | None:
    """Return a column's name: a table may have numbers for names."""
    if name is None or isinstance(name, str):
        return name
    if isinstance(name, (int, np.integer)) and not isinstance(name, bool):
        return str(name)
    raise ParameterError(f"{role} is {name!r:.80}; expected the name of a column, e.g. {role}='{role}_id'.")


def _catalogued(source: object) -> catalog.Entry | None:
    """Return the catalogue's entry if a source names one, None if it is a file or a table."""
    if not isinstance(source, str) or Path(source).expanduser().is_file():
        return None
    is_pattern = glob.has_magic(source) or Path(source).expanduser().exists()
    return None if is_pattern and source not in catalog.names() else catalog.entry(source)


def _overridden(columns: Columns, source: sources.Source, **given: str | None) -> Columns:
    for role, name in given.items():
        if name is not None and name != IGNORE:
            existing(source.names, name, source=source.name, option=role)
    return resolve(
        source.names,
        source=source.name,
        user=given["user"] or columns.user,
        item=given["item"] or columns.item,
        value=given["value"] or columns.value or IGNORE,
        time=given["time"] or columns.time or IGNORE,
    )
