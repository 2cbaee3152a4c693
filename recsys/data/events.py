"""Rows of a source -> checked columns of a log.

The rows stream through in batches. Each carries the number of the condition that drops it (0:
kept), so that one pass reads, filters, counts and checks. Each also carries its number in the
source, for the order is not DuckDB's to keep: a list of some length or a query inside a condition
becomes a join, and a join in several threads mixes the rows. Nor are sums taken in DuckDB: in
parallel they are not reproducible.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from recsys.data.cells import Checker, IdKind, id_sql, time_sql, value_sql
from recsys.data.columns import Columns
from recsys.data.database import first_line, quoted
from recsys.data.ids import Ids, encode
from recsys.data.log import TimeKind
from recsys.data.sources import Source
from recsys.errors import LogError
from recsys.typing import AnyArray, Float64Array, Int64Array

_BATCH = 1 << 17
_ROW = quoted("row of the source")
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_WHOLE_FLOAT = re.compile(r"(0|-?[1-9][0-9]{0,17})\.0")


@dataclass(frozen=True)
class Drop:
    """A condition for dropping rows; a kept row is one where none is true.

    Attributes
    ----------
    reason : str
    where : str
        SQL expression.
    keeps : bool
        The expression says which rows stay, so that others go (also those where it is NULL).
    """

    reason: str
    where: str
    keeps: bool = False

    def expression(self) -> duckdb.Expression:
        """Return the condition that is true for a dropped row."""
        test = duckdb.SQLExpression(self.where)
        # Composed, not pasted: a comment or a bracket in the expression stays inside it.
        is_true = duckdb.CaseExpression(test, duckdb.ConstantExpression(True)).otherwise(
            duckdb.ConstantExpression(False)
        )
        return ~is_true if self.keeps else is_true


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


class _Coder:
    """Collects one id column in batches; text is kept once for each id, not for each row."""

    def __init__(self, kind: IdKind) -> None:
        self.kind = kind
        self.parts: list[Any] = []

    def add(self, column: pa.Array) -> None:
        self.parts.append(column.dictionary_encode() if self.kind == "text" else column.to_numpy())

    def finish(self) -> tuple[Int64Array, Ids]:
        if self.kind != "text":
            return encode(np.concatenate(self.parts))
        chunks = pa.chunked_array(self.parts).unify_dictionaries().chunks
        texts = np.asarray(chunks[0].dictionary.to_pylist(), dtype=object)
        rank, ids = encode(as_integers(texts))
        return rank[np.concatenate([chunk.indices.to_numpy() for chunk in chunks])], ids


def as_integers(texts: AnyArray) -> AnyArray:
    """Return the ids of a text column as int64 if every one spells an integer, else unchanged.

    "17850.0", what other tools make of an integer, counts if all ids are written so; "007" and
    numbers beyond 18 digits remain text.
    """
    if all(_INTEGER.fullmatch(text) for text in texts):
        return np.asarray([int(text) for text in texts], dtype=np.int64)
    if all(_WHOLE_FLOAT.fullmatch(text) for text in texts):
        return np.asarray([int(text[:-2]) for text in texts], dtype=np.int64)
    return texts


def read_events(source: Source, columns: Columns, drops: Sequence[Drop] = ()) -> Events:
    """Read, filter and check all rows of a source.

    Raises
    ------
    LogError
        At the first row with a missing id, else a value, else a time that cannot be used; if a condition
        cannot be evaluated; if no row is there, or none is left.
    """
    as_text = [columns.user, columns.item] if source.texts else []
    relation = source.relation(as_text).select(f"*, row_number() OVER () - 1 AS {_ROW}")
    reading = _Reading.of(source, relation, columns, [_tested(source, relation, drop) for drop in drops])
    checker = Checker(source, columns, as_text, [drop.where for drop in drops if drop.keeps])
    gathered = _Gathered(reading, len(drops))
    with closing(_batches(source, relation.select(*reading.selected), drops)) as batches:
        for batch in batches:
            kept = gathered.filtered(batch)
            checker.look(kept)
            if checker.is_clean:
                gathered.add(kept)
    if not checker.is_clean:
        raise checker.error()
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
    return gathered.finish()


@dataclass(frozen=True)
class _Reading:
    """What is selected from a source, and what kinds of ids and times that gives."""

    selected: tuple[duckdb.Expression, ...]
    user_kind: IdKind
    item_kind: IdKind
    time_kind: TimeKind | None

    @classmethod
    def of(
        cls,
        source: Source,
        relation: duckdb.DuckDBPyRelation,
        columns: Columns,
        dropped: Sequence[duckdb.Expression],
    ) -> _Reading:
        types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        user_kind, user = id_sql(source, columns.user, types[columns.user])
        item_kind, item = id_sql(source, columns.item, types[columns.item])
        time_kind: TimeKind | None = None
        wanted = {"user": user, "item": item}
        if columns.value is not None:
            wanted["value"] = value_sql(source, columns.value, types[columns.value])
        if columns.time is not None:
            kept = relation.filter(_numbered(dropped) == duckdb.ConstantExpression(0))
            wanted["time"], time_kind = time_sql(source, kept, columns.time, types[columns.time])
        selected = [duckdb.SQLExpression(sql).alias(role) for role, sql in wanted.items()]
        own = (_numbered(dropped).alias("drop"), duckdb.SQLExpression(_ROW).alias("row"))
        return cls((*own, *selected), user_kind, item_kind, time_kind)


class _Gathered:
    """The kept rows of all batches so far, and counts of the others."""

    def __init__(self, reading: _Reading, n_drops: int) -> None:
        self.n_read = 0
        self.n_kept = 0
        self._n_dropped = np.zeros(n_drops + 1, dtype=np.int64)
        self._time_kind = reading.time_kind
        self._rows: list[Int64Array] = []
        self._users, self._items = _Coder(reading.user_kind), _Coder(reading.item_kind)
        self._values: list[Float64Array] = []
        self._times: list[Int64Array] = []

    @property
    def n_dropped(self) -> tuple[int, ...]:
        return tuple(self._n_dropped[1:].tolist())

    def filtered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Count a batch and return what is kept of it."""
        number = batch.column("drop").to_numpy()
        self._n_dropped += np.bincount(number, minlength=len(self._n_dropped))
        self.n_read += len(number)
        kept = np.flatnonzero(number == 0)
        return batch if len(kept) == len(number) else batch.take(pa.array(kept))

    def add(self, kept: pa.RecordBatch) -> None:
        self.n_kept += kept.num_rows
        self._rows.append(kept.column("row").to_numpy())
        self._users.add(kept.column("user"))
        self._items.add(kept.column("item"))
        if "value" in kept.schema.names:
            self._values.append(kept.column("value").to_numpy())
        if "time" in kept.schema.names:
            self._times.append(kept.column("time").to_numpy())

    def finish(self) -> Events:
        users, user_ids = self._users.finish()
        items, item_ids = self._items.finish()
        values = np.concatenate(self._values) if self._values else np.ones(self.n_kept)
        times = np.concatenate(self._times) if self._times else None
        rows = np.concatenate(self._rows)
        if np.any(rows[1:] < rows[:-1]):
            order = np.argsort(rows)
            users, items, values = users[order], items[order], values[order]
            times = None if times is None else times[order]
        return Events(
            users=users,
            items=items,
            values=values,
            times=times,
            time_kind=self._time_kind,
            user_ids=user_ids,
            item_ids=item_ids,
            n_read=self.n_read,
            n_dropped=self.n_dropped,
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


def _tested(source: Source, relation: duckdb.DuckDBPyRelation, drop: Drop) -> duckdb.Expression:
    """Return the condition as an expression; as a filter first, which refuses what sees other rows."""
    try:
        expression = drop.expression()
        relation.filter(expression)
    except duckdb.Error as error:
        raise _condition_error(source, drop.where, error) from error
    return expression


def _condition_error(source: Source, where: str, error: Exception) -> LogError:
    advice = "Expected one SQL expression on the columns, such as: Quantity > 0."
    if source.texts and "explicit cast" in str(error):
        advice = "Ids of a text file are text here; compare CAST(column AS BIGINT)."
    return LogError(
        f"the condition {where!r} cannot be evaluated: {first_line(error)}.",
        advice=advice,
        source=source.name,
    )


def _batches(
    source: Source, relation: duckdb.DuckDBPyRelation, drops: Sequence[Drop]
) -> Generator[pa.RecordBatch]:
    # DuckDB before 1.5 knows the method by its older name only.
    stream = getattr(relation, "to_arrow_reader", None) or relation.fetch_record_batch
    try:
        # Left early, the reader must be closed: a connection with an open result takes no other query.
        with stream(_BATCH) as reader:
            yield from reader
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        text = str(error)
        own = [drop.where for drop in drops if drop.keeps]
        of_file = "CSV Error" in text or any(str(path.absolute()) in text for path in source.files)
        if own and not of_file:
            raise _condition_error(source, own[0], error) from error
        raise source.explained(error) from error
