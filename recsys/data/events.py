"""Rows of a source -> checked columns of a log.

The rows stream through in batches. Where conditions are given, each carries the number of the
one that drops it (0: kept), so that one pass reads, filters, counts and checks. Each then also
carries its number in the source, for the order is not DuckDB's to keep: a list of some length or a
query inside a condition becomes a join, and a join in several threads mixes the rows. Nor are sums
taken in DuckDB: in parallel they are not reproducible.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from recsys.data import times
from recsys.data.bad_cells import Checker
from recsys.data.bad_rows import BadRow, check_share
from recsys.data.cells import IdKind, cleaned_sql, id_sql, is_text, number_sql, value_sql
from recsys.data.columns import Columns
from recsys.data.conditions import Drop, as_expression, condition_error
from recsys.data.database import quoted
from recsys.data.gathering import HASH, Gathered, Gathering
from recsys.data.log_format import SKIP, LogFormat
from recsys.data.queries import Relation
from recsys.data.source import Source
from recsys.data.times import TimeReading
from recsys.errors import LogError

_ROW = quoted(f"row of the source {secrets.token_hex(8)}")  # a name that no log has


@dataclass(frozen=True, eq=False)
class Events:
    """The rows of a source that are kept, and counts of the others.

    Attributes
    ----------
    kept : Gathered
    n_read : int
    n_dropped : tuple of int
        By condition.
    bad_rows : tuple of BadRow
        Rows that were skipped since they cannot be used.
    """

    kept: Gathered
    n_read: int
    n_dropped: tuple[int, ...]
    bad_rows: tuple[BadRow, ...]


def read_events(
    source: Source,
    columns: Columns,
    drops: Sequence[Drop] = (),
    log_format: LogFormat | None = None,
    *,
    keeps_returns: bool = False,
    scratch: Path | None = None,
) -> Events:
    """Read, filter and check all rows of a source.

    With ``scratch``, a folder, the columns are kept there rather than in memory, and mapped.

    Raises
    ------
    LogError
        At the first row with a missing id, else a value, else a time that cannot be used; if a condition
        cannot be evaluated; if no row is there, or none is left; if an open quote swallowed rows.
    """
    log_format = log_format or LogFormat()
    as_text = _columns_as_text(source, columns, drops, log_format)
    relation = source.relation(as_text)
    if drops:
        relation = relation.select(f"*, row_number() OVER () - 1 AS {_ROW}")
    relation = _cleaned(source, relation, columns, log_format)
    expressions = [as_expression(source, relation, drop) for drop in drops]
    reading = _Reading.of(source, relation, columns, expressions, log_format)
    skips = log_format.on_bad_row == SKIP
    conditions = [drop.where for drop in drops if drop.keeps]
    checker = Checker(source, columns, as_text, conditions, log_format, keeps_returns=keeps_returns)
    kinds, delimiter = (reading.user_kind, reading.item_kind), source.read_as.delimiter
    n_threads = source.connection.sql("SELECT current_setting('threads')").fetchall()[0][0]
    with closing(
        Gathering(kinds, reading.time, len(drops), log_format, delimiter, scratch, n_threads)
    ) as gathered:
        with closing(_batches(source, relation, relation.select(*reading.selected), drops)) as batches:
            for batch in batches:
                kept, rows = gathered.filtered(batch)
                if skips:
                    gathered.add(*checker.usable(kept, rows))
                    continue
                checker.look(kept, rows)
                if checker.is_clean:
                    gathered.add(kept, rows)
        source.check_whole(gathered.n_read)
        bad_rows = _bad_rows(source, checker, gathered.n_read, skips=skips)
        _check_some_left(source, drops, gathered)
        return Events(gathered.finish(), gathered.n_read, gathered.n_dropped, bad_rows)


def _bad_rows(source: Source, checker: Checker, n_read: int, *, skips: bool) -> tuple[BadRow, ...]:
    """Return the rows that were skipped; raise LogError where none may be, or too many were."""
    bad_rows = list(source.bad_rows)
    if not checker.is_clean:
        first = checker.error()
        if not skips:
            raise first
        check_share(checker.n_skipped, n_read, first)
        bad_rows += checker.skipped()
    if bad_rows:
        bad_rows.sort(key=lambda row: (row.source, row.line))
        check_share(len(bad_rows), n_read + len(source.bad_rows), bad_rows[0])
    return tuple(bad_rows)


def _check_some_left(source: Source, drops: Sequence[Drop], gathered: Gathering) -> None:
    """Raise LogError if there is no row, or none is left."""
    if gathered.n_read == 0:
        raise LogError(
            "a header and no rows." if source.texts and source.has_header else "the log has no rows.",
            source=source.name,
        )
    if gathered.n_kept == 0:
        counts = ", ".join(
            f"{drop.reason}: {n}" for drop, n in zip(drops, gathered.n_dropped, strict=True) if n
        )
        raise LogError(
            f"all {gathered.n_read} rows are dropped ({counts}).",
            advice="Check the condition.",
            source=source.name,
        )


def _columns_as_text(
    source: Source, columns: Columns, drops: Sequence[Drop], log_format: LogFormat
) -> list[str]:
    """Return the columns of a text file whose cells the database must not parse."""
    if not source.texts:
        return []
    if not drops:  # types are for conditions; to find them the database reads the whole file
        return list(source.names)
    as_text = [columns.user, columns.item]
    if columns.value is not None and (log_format.decimal or log_format.thousands):
        as_text.append(columns.value)
    if columns.time is not None and (
        log_format.time_format is not None or any(map(times.has_short_year, source.first_cells(columns.time)))
    ):
        as_text.append(columns.time)
    return list(dict.fromkeys(as_text))


def _cleaned(source: Source, relation: Relation, columns: Columns, log_format: LogFormat) -> Relation:
    """Return rows in which markers of missing cells are NULL, and values are written as numbers are."""
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    markers = source.markers_left(log_format.null_markers)
    texts = [
        name
        for name in (columns.user, columns.item, columns.value, columns.time)
        if name is not None and is_text(types[name])
    ]
    replaced = {name: cleaned_sql(name, markers) for name in texts} if markers else {}
    if columns.value in texts and (log_format.decimal or log_format.thousands):
        replaced[columns.value] = number_sql(columns.value, log_format)
    if not replaced:
        return relation
    listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in replaced.items())
    return relation.select(f"* REPLACE ({listed})")


@dataclass(frozen=True)
class _Reading:
    """What is selected from a source, and what kinds of ids and times that gives."""

    selected: tuple[duckdb.Expression, ...]
    user_kind: IdKind
    item_kind: IdKind
    time: TimeReading | None

    @classmethod
    def of(
        cls,
        source: Source,
        relation: Relation,
        columns: Columns,
        dropped: Sequence[duckdb.Expression],
        log_format: LogFormat,
    ) -> _Reading:
        types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        user_kind, user = id_sql(source, columns.user, types[columns.user])
        item_kind, item = id_sql(source, columns.item, types[columns.item])
        time: TimeReading | None = None
        wanted = {"user": user, "item": item}
        if columns.value is not None:
            wanted["value"] = value_sql(source, columns.value, types[columns.value])
        if columns.time is not None:
            kept = relation.filter(_numbered(dropped) == duckdb.ConstantExpression(0))
            time = times.reading_of(source, kept, columns.time, types[columns.time], log_format)
            wanted["time"] = time.sql
        for role, kind in (("user", user_kind), ("item", item_kind)):
            if kind == "text":
                wanted[HASH[role]] = f"hash({wanted[role]})"
        selected = [duckdb.SQLExpression(sql).alias(name) for name, sql in wanted.items()]
        if dropped:
            selected += [_numbered(dropped).alias("drop"), duckdb.SQLExpression(_ROW).alias("row")]
        return cls(tuple(selected), user_kind, item_kind, time)


def _numbered(dropped: Sequence[duckdb.Expression]) -> duckdb.Expression:
    """Return the number of the first condition that is true for a row, from 1; 0 if none is."""
    zero = duckdb.ConstantExpression(0)
    if not dropped:
        return zero
    case = duckdb.CaseExpression(dropped[0], duckdb.ConstantExpression(1))
    for number, expression in enumerate(dropped[1:], start=2):
        case = case.when(expression, duckdb.ConstantExpression(number))
    return case.otherwise(zero)


def _batches(
    source: Source,
    relation: Relation,
    selected: Relation,
    drops: Sequence[Drop],
) -> Generator[pa.RecordBatch]:
    try:
        # Left early, it must be closed: a connection with an open result takes no other query.
        with closing(selected.batches()) as batches:
            yield from batches
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        text = str(error)
        own = [drop.where for drop in drops if drop.keeps]
        of_file = "CSV Error" in text or any(str(file.path.absolute()) in text for file in source.files)
        if own and not of_file:
            raise condition_error(source, relation, own[0], error) from error
        raise source.explained(error) from error
