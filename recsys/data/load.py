"""Logs from files, tables and the catalogue: the one door through which events come in."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa

from recsys.data import (
    catalog,
    databases,
    formats,
    item_names,
    joins,
    layouts,
    prepared,
    servers,
    sources,
    spreadsheets,
)
from recsys.data.bad_rows import ledger_of, write_bad_rows
from recsys.data.columns import IGNORE, Columns, are_ratings, existing, resolve
from recsys.data.conditions import Drop
from recsys.data.events import read_events
from recsys.data.item_names import ItemNames
from recsys.data.item_suspects import remarks_on_items
from recsys.data.ledger import Dropped
from recsys.data.loaded_log import LoadedLog
from recsys.data.locations import STANDARD_INPUT
from recsys.data.log import Feedback, Log
from recsys.data.log_format import LISTS, MATRIX, LogFormat
from recsys.data.preparation import prepare
from recsys.data.recognised import on_times, on_values, read_as
from recsys.data.source import Source
from recsys.data.suspects import remarks_on_suspects, without_services
from recsys.data.tables import ArrowTable, open_table
from recsys.errors import InputError, ParameterError


def load_log(
    source: str | Path | Sequence[str | Path] | pd.DataFrame | pa.Table | ArrowTable,
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
    format: str | LogFormat | None = None,  # noqa: A002 - as the flag is called
    n_threads: int | None = None,
    **written: Any,
) -> LoadedLog:
    """Load a log of events, checked, in the order of its source.

    Parameters
    ----------
    source : str, Path or several of them, or table of pandas, polars or Arrow
        A file (text of columns, JSON lines or a JSON array, each also compressed by gzip or zstd;
        Parquet), a pattern such as ``logs/*.csv``, a zip archive or a path into one, a folder of
        folders such as ``year=2024``, "-" for standard input, a database of SQLite or DuckDB, the
        address of one of PostgreSQL or MySQL (``postgresql://user@host/shop``), a prepared log, a
        table, or the name of a catalogued data set; an existing file of that name wins.
    user, item, value, time : str, optional
        Names of the columns; the usual ones are recognised. In a text file without a header they
        are positions: "1", "2" ... The name "-" for value or time leaves such a column unused.
        Without values each event counts 1. Times are timestamps, dates or whole numbers; whole
        numbers that look like seconds (or parts of them) since 1970 are times.
    where : str, optional
        An SQL expression on the columns: rows for which it is not true are left out. Ids of text
        files are text in it. It sees no other file.
    feedback : {"explicit", "implicit"}, optional
        Default: explicit if the value column is called rating, score or the like.
    items : str or Path, optional
        A file with ids and names of items.
    item_id, item_name : str, optional
        Its columns; the usual names are recognised.
    format : str or LogFormat, optional
        A format of the catalogue by its name, or all of these options in one.
    n_threads : int, optional
        Default: all cores. The result does not depend on it.
    **written
        The other fields of `LogFormat`: delimiter, encoding, header, time_format ...

    Returns
    -------
    LoadedLog

    Raises
    ------
    LogError
        If the source cannot be read, or at the first row that cannot be used, with its line.
    InputError
        If there is no such file and no such data set.
    ParameterError
        If an option does not exist or holds what it cannot.
    DependencyError
        If the package of a catalogued data set is not installed.
    """
    log_format = LogFormat.of(
        user=user,
        item=item,
        value=value,
        time=time,
        where=where,
        feedback=feedback,
        item_id=item_id,
        item_name=item_name,
        **(written if not isinstance(format, str) else written | {"format": format}),
    )
    if items is None and (item_id is not None or item_name is not None):
        raise ParameterError("item_id and item_name name columns of the items file; give items too.")
    if isinstance(format, LogFormat):
        log_format = log_format.over(format)
    return read_log(source, formats.filled(log_format), items=items, n_threads=n_threads)


def read_log(
    source: Any,
    log_format: LogFormat,
    *,
    items: str | Path | None = None,
    n_threads: int | None = None,
    looks: bool = False,
    scratch: Path | None = None,
) -> LoadedLog:
    """Load a log that is written as a `LogFormat` says; see `load_log`.

    ``looks`` is for looking at a log: amounts below 0 are then remarked on, not refused, and so are items
    that are suspect by their prices and descriptions. With ``scratch``, a folder, the events are kept
    there and mapped, so that they need not fit into memory.
    """
    if prepared.is_prepared(source):
        return _prepared_further(prepared.open_log(source, log_format), log_format)
    asked = log_format
    entry = _catalogued(source)
    opened, drops = _opened(source, entry, log_format, n_threads)
    opened, log_format = _in_layout(opened, log_format)
    opened, of_join = joins.joined(opened, log_format, n_threads)
    drops += of_join
    if entry is not None:
        columns = _overridden(entry.columns, opened, log_format)
        log_format = log_format.over(LogFormat(feedback=entry.feedback))
    else:
        columns = resolve(
            opened.names,
            source=opened.name,
            has_header=opened.has_header,
            user=log_format.user,
            item=log_format.item,
            value=log_format.value,
            time=log_format.time,
        )
    opened = layouts.unnested(opened, columns.item, log_format)
    if log_format.where is not None:
        drops.append(Drop(f"where {log_format.where}", log_format.where, keeps=True))
    events = read_events(opened, columns, drops, log_format, keeps_returns=looks, scratch=scratch)
    if log_format.bad_rows is not None:
        write_bad_rows(events.bad_rows, Path(log_format.bad_rows).expanduser())
    feedback: Feedback = "explicit" if are_ratings(columns, log_format.feedback) else "implicit"
    kept = events.kept
    log = Log(
        users=kept.users,
        items=kept.items,
        values=kept.values,
        user_ids=kept.user_ids,
        item_ids=kept.item_ids,
        feedback=feedback,
        times=kept.times,
        time_kind=kept.time_kind,
    )
    if log_format.transform == "binary" and log_format.feedback is None:
        log = replace(log, feedback="implicit")
    log, services = _without_services(log, log_format, items, n_threads)
    log, taken = prepare(log, log_format)
    remarks = [
        *opened.remarks,
        *on_times(kept.time_written, log, log_format),
        *kept.remarks,
        *on_values(log, columns),
    ]
    names: ItemNames = MappingProxyType({})
    if items is not None:
        names, coverage = item_names.from_file(items, log.item_ids, log_format, n_threads=n_threads)
        remarks.append(coverage)
    elif entry is not None and columns.item == entry.columns.item:
        names = item_names.from_catalog(entry, opened, log.item_ids)
    remarks.extend(remarks_on_suspects(log, columns, names))
    if looks and feedback == "implicit":
        remarks.extend(remarks_on_items(opened, columns, drops))
    return LoadedLog(
        log=log,
        source=opened.name,
        columns=columns,
        n_read=events.n_read + len(opened.bad_rows),
        dropped=(
            *ledger_of(events.bad_rows, log_format.bad_rows),
            *(Dropped(drop.reason, n) for drop, n in zip(drops, events.n_dropped, strict=True)),
            *services,
            *taken,
        ),
        item_names=names,
        licence=None if entry is None else entry.licence,
        read_as=read_as(asked, opened, columns, kept.time_written, log.feedback),
        remarks=tuple(remarks),
        files=opened.origins,
    )


def _without_services(
    log: Log, log_format: LogFormat, items: str | Path | None, n_threads: int | None
) -> tuple[Log, tuple[Dropped, ...]]:
    if log_format.services != "drop":
        return log, ()
    names: ItemNames = {}
    if items is not None:
        names, _ = item_names.from_file(items, log.item_ids, log_format, n_threads=n_threads)
    return without_services(log, names)


def _prepared_further(loaded: LoadedLog, log_format: LogFormat) -> LoadedLog:
    """Return a prepared log after the steps that are asked for beside."""
    feedback: Feedback = (
        "implicit"
        if log_format.transform == "binary" and log_format.feedback is None
        else loaded.log.feedback
    )
    log = loaded.log if feedback == loaded.log.feedback else replace(loaded.log, feedback=feedback)
    log, taken = prepare(log, log_format)
    return loaded if log is loaded.log else replace(loaded, log=log, dropped=(*loaded.dropped, *taken))


def _opened(
    source: Any, entry: catalog.Entry | None, log_format: LogFormat, n_threads: int | None
) -> tuple[Source, list[Drop]]:
    if entry is not None:
        return entry.open(n_threads), list(entry.drops)
    server = servers.server_of(source)
    if server is not None:
        return servers.open_server(server, log_format, n_threads), []
    database = databases.engine_of(source)
    if database is not None:
        return databases.open_database(*database, log_format, n_threads), []
    if spreadsheets.is_spreadsheet(source):
        return spreadsheets.open_spreadsheet(Path(source).expanduser(), log_format, n_threads), []
    for option in ("table", "query"):
        if getattr(log_format, option) is not None:
            raise ParameterError(f"{option} is of use for a database or workbook, and the log is none.")
    is_several = isinstance(source, (list, tuple)) and all(isinstance(part, (str, Path)) for part in source)
    if is_several or isinstance(source, (str, Path)):
        named = (log_format.user, log_format.item, log_format.value, log_format.time)
        wanted = [name for name in named if name is not None and name != IGNORE]
        return sources.open_files(source, n_threads, wanted, log_format), []
    if isinstance(source, (pd.DataFrame, pa.Table)) or hasattr(source, "__arrow_c_stream__"):
        return open_table(source, n_threads), []
    raise InputError(
        f"a log of type {type(source).__name__}; expected a path, or a table of pandas, polars or Arrow."
    )


def _in_layout(opened: Source, log_format: LogFormat) -> tuple[Source, LogFormat]:
    """Return a source with a column for each role, and its format without the columns that made it so."""
    if log_format.layout in (LISTS, MATRIX):
        for role in ("item", "value", "time") + (("user",) if log_format.layout == LISTS else ()):
            if getattr(log_format, role) not in (None, IGNORE):
                raise ParameterError(
                    f"{role} names a column, but in the layout {log_format.layout!r} there is none."
                )
    if log_format.layout == MATRIX:
        opened = layouts.matrix(opened, log_format.user)
        return opened, replace(log_format, user=None)
    return layouts.flattened(opened), log_format


def _catalogued(source: object) -> catalog.Entry | None:
    """Return the catalogue's entry if a source names one, None if it is a file or a table."""
    if not isinstance(source, str) or source == STANDARD_INPUT:
        return None
    if databases.engine_of(source) is not None or servers.server_of(source) is not None:
        return None
    path = Path(source).expanduser()
    if path.is_file() or any(parent.is_file() for parent in path.parents):
        return None
    is_pattern = glob.has_magic(source) or path.exists()
    return None if is_pattern and source not in catalog.names() else catalog.entry(source)


def _overridden(columns: Columns, source: Source, log_format: LogFormat) -> Columns:
    """Return the columns of the catalogue's entry, or those named."""
    for role in ("user", "item", "value", "time"):
        name = getattr(log_format, role)
        if name is not None and name != IGNORE:
            existing(source.names, name, source=source.name, option=role)
    return resolve(
        source.names,
        source=source.name,
        user=log_format.user or columns.user,
        item=log_format.item or columns.item,
        value=log_format.value or columns.value or IGNORE,
        time=log_format.time or columns.time or IGNORE,
    )
