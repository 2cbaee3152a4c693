"""How a cell of a log is read, by the type of its column, and what is said of a bad one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import duckdb
import numpy as np
import pyarrow as pa

from recsys.data.columns import Columns, Role
from recsys.data.database import as_written, quoted
from recsys.data.log import TimeKind
from recsys.data.sources import Source
from recsys.errors import LogError
from recsys.typing import BoolArray, Float64Array, Int64Array

IdKind = Literal["integer", "float", "text"]

_INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
_FLOATS = ("FLOAT", "DOUBLE")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?[0-9.]*,[0-9]+\s*")
_EXACT = 2**53  # the largest number up to which a float64 tells all integers apart

# What the clock and the calendar look like where they are not written the ISO way.
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_DATES = {
    "day first": [f"%d{mark}%m{mark}%Y{clock}" for mark in "/.-" for clock in _CLOCKS],
    "month first": [f"%m{mark}%d{mark}%Y{clock}" for mark in "/.-" for clock in _CLOCKS],
}


def id_sql(source: Source, name: str, kind: str) -> tuple[IdKind, str]:
    """Return how an id column is read: exact text or integers, nothing else."""
    column = quoted(name)
    if kind in _INTEGERS:
        return "integer", f"TRY_CAST({column} AS BIGINT)"
    if kind in _FLOATS:
        return "float", (
            f"CASE WHEN {column} = floor({column}) AND abs({column}) <= {_EXACT} "
            f"THEN CAST({column} AS BIGINT) END"
        )
    if kind == "VARCHAR" or kind.startswith("ENUM") or kind == "UUID":
        return "text", f"nullif(CAST({column} AS VARCHAR), '')"
    raise LogError(
        f"the column holds {kind}; expected ids that are integers or text.",
        advice="Name another column, or cast this one in the log.",
        source=source.name,
        column=name,
    )


def value_sql(source: Source, name: str, kind: str) -> str:
    """Return how a value column is read: as DOUBLE, NULL where it is missing or no number."""
    column = quoted(name)
    if kind in (*_INTEGERS, *_FLOATS) or kind.startswith("DECIMAL"):
        return f"CAST({column} AS DOUBLE)"
    if kind == "VARCHAR" or kind.startswith("ENUM"):
        return f"TRY_CAST(CAST({column} AS VARCHAR) AS DOUBLE)"
    raise LogError(
        f"the column holds {kind}; expected numbers.",
        advice="Name another value column, or ignore this one with --value -.",
        source=source.name,
        column=name,
    )


def time_sql(source: Source, kept: duckdb.DuckDBPyRelation, name: str, kind: str) -> tuple[str, TimeKind]:
    """Return how a time column is read: as BIGINT, NULL where it is missing or no time.

    Dates and timestamps become microseconds since 1970, those without a zone being taken as UTC.
    Whole numbers stay as they are, written as floats or not; a number with a fraction is refused,
    for to cut it would change the order of events.
    """
    column = quoted(name)
    if kind in _INTEGERS:
        return f"TRY_CAST({column} AS BIGINT)", "number"
    if kind in _FLOATS:
        return id_sql(source, name, kind)[1], "number"
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return _microseconds(column if "ZONE" in kind else f"CAST({column} AS TIMESTAMP)"), "timestamp"
    if kind == "VARCHAR":
        return _text_time(source, kept, name)
    raise LogError(
        f"the column holds {kind}; expected dates, timestamps or whole numbers.",
        advice="Name another time column, or ignore this one with --time -.",
        source=source.name,
        column=name,
    )


def _microseconds(time: str) -> str:
    return f"CASE WHEN isfinite({time}) THEN epoch_us({time}) END"


def _text_time(source: Source, kept: duckdb.DuckDBPyRelation, name: str) -> tuple[str, TimeKind]:
    """Find the one way of writing times that fits a whole text column."""
    column = quoted(name)
    # strptime reads "infinity" as 1900, so that what does not begin with a digit is kept from it.
    dated = f"CASE WHEN regexp_matches({column}, '^[0-9]') THEN {column} END"
    ways: dict[str, str] = {"ISO": _microseconds(f"TRY_CAST({dated} AS TIMESTAMPTZ)")}
    for way, formats in _DATES.items():
        listed = ", ".join(f"'{form}'" for form in formats)
        ways[way] = f"epoch_us(try_strptime({dated}, [{listed}]))"
    counts = [f"count(*) FILTER ({sql} IS NULL)" for sql in ways.values()]
    counts.append(f"count(*) FILTER ({ways['day first']} <> {ways['month first']})")
    counts.append(f"count(*) FILTER (TRY_CAST({column} AS BIGINT) IS NULL)")
    try:
        row = kept.aggregate(", ".join(counts)).fetchall()[0]
    except duckdb.Error as error:
        raise source.explained(error) from error
    *n_bad, n_differ, n_not_whole = row
    if n_not_whole == 0:
        return f"TRY_CAST({column} AS BIGINT)", "number"
    if n_bad[1] == n_bad[2] == 0 and n_differ:
        raise LogError(
            "the dates can be read with the day or with the month first.",
            advice="Write them as year-month-day, or ignore the column with --time -.",
            source=source.name,
            column=name,
        )
    best = min(zip(n_bad, range(len(ways)), ways.values(), strict=True))
    return best[2], "timestamp"


@dataclass(frozen=True)
class _BadCell:
    """The row of a cell that cannot be used, and what was read of it."""

    row: int
    read: float | int | str | None


class Checker:
    """Looks at kept rows in batches for what cannot be used.

    All rows are looked at before an error is made: a missing id is then named before a negative
    value of an earlier row, and how many rows are concerned can be said.

    Parameters
    ----------
    source : Source
    columns : Columns
    as_text : sequence of str
        The columns read as text.
    conditions : sequence of str
        The user's own, so that advice adds to them.
    """

    def __init__(
        self, source: Source, columns: Columns, as_text: Sequence[str], conditions: Sequence[str]
    ) -> None:
        self.source = source
        self.columns = columns
        self.as_text = as_text
        self.conditions = conditions
        self._first: dict[str, _BadCell] = {}
        self._n_bad: Counter[str] = Counter()

    @property
    def is_clean(self) -> bool:
        """Whether nothing bad was seen so far."""
        return not self._first

    def look(self, batch: pa.RecordBatch) -> None:
        """Look at a batch, whose column ``row`` numbers its rows in the source."""
        rows: Int64Array = batch.column("row").to_numpy()
        for role in get_args(Role):
            if role in batch.schema.names:
                bad = np.flatnonzero(_is_bad(role, batch.column(role)))
                self._n_bad[role] += len(bad)
                if len(bad):
                    first = int(bad[np.argmin(rows[bad])])
                    if role not in self._first or rows[first] < self._first[role].row:
                        self._first[role] = _BadCell(int(rows[first]), batch.column(role)[first].as_py())

    def error(self) -> LogError:
        """Return what is to be said; the cell is looked up in the source, which must be at rest."""
        role = next(role for role in get_args(Role) if role in self._first)
        row, read = self._first[role].row, self._first[role].read
        name = getattr(self.columns, role)
        cell = self._cell(name, row)
        column = as_written(name)
        ignore = f", or ignore the column with --{role} -" if role in ("value", "time") else ""
        if cell is None or (cell == "" and role in ("user", "item")):
            what = f"{role} id" if role in ("user", "item") else role
            is_there = f"{column} IS NOT NULL" if cell is None else f"{column} <> ''"
            problem, advice = f"the {what} is missing", self._filter(is_there, ignore)
        elif role in ("user", "item"):
            problem, advice = f"found {cell!r}; expected an id that is an integer (of 64 bits) or text", ""
        elif role == "time":
            problem = f"found {cell!r}; expected a date, a timestamp or a whole number"
            advice = "Write times as 2024-12-31 23:59:59" + ignore + "."
        elif read is None and _DECIMAL_COMMA.fullmatch(cell):
            problem = f"found {cell!r}; expected a number"
            advice = "Write decimals with a point, not a comma."
        elif read is None:
            problem, advice = (
                f"found {cell!r}; expected a number",
                self._filter(f"TRY_CAST({column} AS DOUBLE) IS NOT NULL", ignore),
            )
        elif not np.isfinite(float(read)):
            problem, advice = (
                f"found {cell!r}; expected a finite number",
                self._filter(f"isfinite({column}::DOUBLE)", ignore),
            )
        else:
            problem = f"found {cell!r}; expected 0 or more, a non-negative model has no place for less"
            advice = self._filter(f"{column} > 0", "", "If these are returns, leave them out with")
        if self._n_bad[role] > 1:
            problem += f" (1 of {self._n_bad[role]:,} rows whose {role} cannot be used)"
        source, line = self.source.place(row)
        return LogError(
            f"{problem}.", advice=advice, source=source, line=line, column=name, unit=self.source.unit
        )

    def _filter(self, condition: str, other: str, lead: str = "Leave such rows out with") -> str:
        whole = " AND ".join([*(f"({own})" for own in self.conditions), condition])
        mark = "'" if '"' in whole else '"'
        return f"{lead} --where {mark}{whole}{mark}{other}."

    def _cell(self, name: str, row: int) -> str | None:
        # Read as text to show it as it stands in the file: 1e999 is not "inf" there.
        as_text = {*self.as_text, name} if self.source.texts else set()
        relation = self.source.relation(as_text).select(
            duckdb.SQLExpression(f"CAST({quoted(name)} AS VARCHAR)")
        )
        text = relation.limit(1, row).fetchall()[0][0]
        return None if text is None else str(text)


def _is_bad(role: str, column: pa.Array) -> BoolArray:
    if role != "value":
        return np.asarray(column.is_null().to_numpy(zero_copy_only=False))
    values: Float64Array = column.to_numpy(zero_copy_only=False)  # a NULL becomes NaN
    return ~(np.isfinite(values) & (values >= 0))
