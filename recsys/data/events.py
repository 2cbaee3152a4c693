"""Rows of a source -> checked columns of a log.

The rows stream through in batches. Where conditions are given, each carries the number of the
one that drops it (0: kept), so that one pass reads, filters, counts and checks. Each then also
carries its number in the source, for the order is not DuckDB's to keep: a list of some length or a
query inside a condition becomes a join, and a join in several threads mixes the rows. Nor are sums
taken in DuckDB: in parallel they are not reproducible.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from recsys.data import times
from recsys.data.bad_cells import Checker
from recsys.data.bad_rows import BadRow, check_share
from recsys.data.cells import IdKind, cleaned_sql, id_sql, is_text, number_sql, value_sql
from recsys.data.columns import Columns
from recsys.data.conditions import Drop, as_expression, condition_error
from recsys.data.database import quoted
from recsys.data.id_column import IdColumn
from recsys.data.ids import Ids
from recsys.data.log import TimeKind
from recsys.data.log_format import SKIP, LogFormat
from recsys.data.source import Source
from recsys.data.times import TimeReading
from recsys.errors import LogError
from recsys.remarks import Remark
from recsys.typing import Float64Array, Int64Array

_BATCH = 1 << 17
_ROW = quoted("row of the source")


@dataclass(frozen=True, eq=False)
class Events:
    """Checked columns, in the order of the source."""

    users: Int64Array
    items: Int64Array
    values: Float64Array
    times: Int64Array | None
    time_kind: TimeKind | None
    user_ids: Ids
    item_ids: Ids
    n_read: int
    n_dropped: tuple[int, ...]
    time_written: str = ""
    remarks: tuple[Remark, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()


def read_events(
    source: Source,
    columns: Columns,
    drops: Sequence[Drop] = (),
    log_format: LogFormat | None = None,
    *,
    keeps_returns: bool = False,
) -> Events:
    """Read, filter and check all rows of a source.

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
    gathered = _Gathered(reading, len(drops), log_format, source.read_as.delimiter)
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
    bad_rows = list(source.bad_rows)
    if not checker.is_clean:
        first = checker.error()
        if not skips:
            raise first
        check_share(checker.n_skipped, gathered.n_read, first)
        bad_rows += checker.skipped()
    if bad_rows:
        bad_rows.sort(key=lambda row: (row.source, row.line))
        check_share(len(bad_rows), gathered.n_read + len(source.bad_rows), bad_rows[0])
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
    return gathered.finish(tuple(bad_rows))


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


def _cleaned(
    source: Source, relation: duckdb.DuckDBPyRelation, columns: Columns, log_format: LogFormat
) -> duckdb.DuckDBPyRelation:
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
        relation: duckdb.DuckDBPyRelation,
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
        selected = [duckdb.SQLExpression(sql).alias(role) for role, sql in wanted.items()]
        if dropped:
            selected += [_numbered(dropped).alias("drop"), duckdb.SQLExpression(_ROW).alias("row")]
        return cls(tuple(selected), user_kind, item_kind, time)


class _Gathered:
    """The kept rows of all batches so far, and counts of the others."""

    def __init__(self, reading: _Reading, n_drops: int, log_format: LogFormat, delimiter: str | None) -> None:
        self.n_read = 0
        self.n_kept = 0
        self._is_filtered = n_drops > 0
        self._n_dropped = np.zeros(n_drops + 1, dtype=np.int64)
        self._time = reading.time
        self._time_unit = log_format.time_unit
        self._rows: list[Int64Array] = []
        self._users = IdColumn("user", reading.user_kind, log_format.id_rules, delimiter)
        self._items = IdColumn("item", reading.item_kind, log_format.id_rules, delimiter)
        self._values: list[Float64Array] = []
        self._times: list[Int64Array] = []

    @property
    def n_dropped(self) -> tuple[int, ...]:
        return tuple(self._n_dropped[1:].tolist())

    def filtered(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Int64Array]:
        """Count a batch; return what is kept of it, and the number of each row in the source."""
        before, self.n_read = self.n_read, self.n_read + batch.num_rows
        if not self._is_filtered:
            return batch, np.arange(before, self.n_read)
        number = batch.column("drop").to_numpy()
        self._n_dropped += np.bincount(number, minlength=len(self._n_dropped))
        kept = batch.filter(pa.array(number == 0))
        return kept, kept.column("row").to_numpy()

    def add(self, kept: pa.RecordBatch, rows: Int64Array) -> None:
        self.n_kept += kept.num_rows
        if self._is_filtered:  # else rows come in their order
            self._rows.append(rows)
        self._users.add(kept.column("user"))
        self._items.add(kept.column("item"))
        if "value" in kept.schema.names:
            self._values.append(kept.column("value").to_numpy())
        if "time" in kept.schema.names:
            self._times.append(kept.column("time").to_numpy())

    def finish(self, bad_rows: tuple[BadRow, ...]) -> Events:
        users, user_ids, of_users = self._users.finish()
        items, item_ids, of_items = self._items.finish()
        values = np.concatenate(self._values) if self._values else np.ones(self.n_kept)
        moments = np.concatenate(self._times) if self._times else None
        kind: TimeKind | None = None
        written = ""
        if moments is not None and self._time is not None:
            kind, written = self._time.kind, self._time.written
            if kind == "number":
                moments, kind, written = times.recognised(moments, self._time_unit)
        rows = np.concatenate(self._rows) if self._is_filtered else np.empty(0, dtype=np.int64)
        if np.any(rows[1:] < rows[:-1]):
            order = np.argsort(rows)
            users, items, values = users[order], items[order], values[order]
            moments = None if moments is None else moments[order]
        return Events(
            users=users,
            items=items,
            values=values,
            times=moments,
            time_kind=kind,
            user_ids=user_ids,
            item_ids=item_ids,
            n_read=self.n_read,
            bad_rows=bad_rows,
            n_dropped=self.n_dropped,
            time_written=written,
            remarks=(*of_users, *of_items),
        )


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
    relation: duckdb.DuckDBPyRelation,
    selected: duckdb.DuckDBPyRelation,
    drops: Sequence[Drop],
) -> Generator[pa.RecordBatch]:
    # DuckDB before 1.5 knows the method by its older name only.
    stream = getattr(selected, "to_arrow_reader", None) or selected.fetch_record_batch
    try:
        # Left early, the reader must be closed: a connection with an open result takes no other query.
        with stream(_BATCH) as reader:
            yield from reader
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        text = str(error)
        own = [drop.where for drop in drops if drop.keeps]
        of_file = "CSV Error" in text or any(str(file.path.absolute()) in text for file in source.files)
        if own and not of_file:
            raise condition_error(source, relation, own[0], error) from error
        raise source.explained(error) from error
