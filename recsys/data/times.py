"""How a column of times is read: by its type, by what is said of it, or by the one way that fits.

A guess must not be wrong without a word. Years of two digits are not years 1 to 99, a date that
can be read in two ways is refused, and a year outside of 1900 to 2199 is no time of an event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np

from recsys.data.database import literal, quoted
from recsys.data.log import TimeKind
from recsys.data.log_format import NONE, LogFormat
from recsys.data.queries import Relation
from recsys.data.source import Source
from recsys.errors import LogError
from recsys.typing import Int64Array

INTEGERS = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)
FLOATS = ("FLOAT", "DOUBLE")
FIRST_YEAR, LAST_YEAR = 1900, 2199

_SAMPLE = 2_000
_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
# 1980 to 2100, in seconds: whole numbers in this range, or a thousand, a million ... times as high.
_EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH_RANGE = (315_532_800, 4_102_444_800)
_LOWEST = int(np.datetime64(f"{FIRST_YEAR}-01-01", "us").astype(np.int64))
_HIGHEST = int(np.datetime64(f"{LAST_YEAR + 1}-01-01", "us").astype(np.int64)) - 1

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_DIGITS = r"^\s*[0-9]{1,2}[/.-][0-9]{1,2}[/.-]"


@dataclass(frozen=True)
class _Way:
    """A way of writing times: what such a cell looks like, and the formats it may have."""

    looks: str
    formats: tuple[str, ...]

    def sql(self, column: str) -> str:
        """Return the cell in microseconds since 1970, NULL where it is not written so."""
        listed = ", ".join(literal(form) for form in self.formats)
        # strptime reads a year of two digits by %Y, and "infinity" by anything: the look is checked first.
        fits = f"CASE WHEN regexp_matches({column}, {literal(self.looks)}) THEN {column} END"
        return _plausible(f"epoch_us(try_strptime({fits}, [{listed}]))")


def _dated(order: str, marks: str = "/.-") -> tuple[str, ...]:
    return tuple(mark.join(order.split()) + clock for mark in marks for clock in _CLOCKS)


_LONG, _SHORT = _DIGITS + r"[0-9]{4}\b", _DIGITS + r"[0-9]{2}\b"
_SHORT_YEAR = re.compile(_SHORT)
_WAYS: Mapping[str, _Way] = {
    "%d/%m/%Y": _Way(_LONG, _dated("%d %m %Y")),
    "%m/%d/%Y": _Way(_LONG, _dated("%m %d %Y")),
    "%d/%m/%y": _Way(_SHORT, _dated("%d %m %y")),
    "%m/%d/%y": _Way(_SHORT, _dated("%m %d %y")),
    # With slashes and points the year is hardly ever first; with hyphens it may be.
    "%y-%m-%d": _Way(r"^\s*[0-9]{2}-[0-9]{1,2}-[0-9]{1,2}\b", _dated("%y %m %d", "-")),
    "%Y/%m/%d": _Way(r"^\s*[0-9]{4}[/.]", _dated("%Y %m %d", "/.")),
    "%d %b %Y": _Way(
        r"[0-9]{4}",
        tuple(
            form + clock
            for form in ("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d, %Y", "%B %d, %Y")
            for clock in _CLOCKS
        ),
    ),
    "%a %b %d %H:%M:%S %z %Y": _Way(
        r"[0-9]{4}",
        (
            *("%a %b %d %H:%M:%S %z %Y", "%a %b %d %H:%M:%S %Y"),
            *("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %Z"),
            "%d/%b/%Y:%H:%M:%S %z",
        ),
    ),
}


@dataclass(frozen=True)
class TimeReading:
    """How a column of times is read.

    Attributes
    ----------
    sql : str
        Gives BIGINT, NULL where the cell is missing or no time.
    kind : {"timestamp", "number"}
        Microseconds since 1970, or the numbers of the log, of which `recognised` may make times.
    written : str
        The format that was recognised, as of ``strftime``; empty where none had to be, or there are several.
    """

    sql: str
    kind: TimeKind
    written: str = ""


def reading_of(source: Source, kept: Relation, name: str, kind: str, log_format: LogFormat) -> TimeReading:
    """Return how a time column is read.

    Dates and timestamps become microseconds since 1970, those without a zone being taken as UTC.
    A number with a fraction is refused unless its unit is given: to cut it would change the order.
    """
    column = quoted(name)
    unit = log_format.time_unit or NONE
    if kind == "VARCHAR" or kind.startswith("ENUM"):
        column = f"CAST({column} AS VARCHAR)"
        if log_format.time_format is not None:
            way = _plausible(f"epoch_us(try_strptime({column}, {literal(log_format.time_format)}))")
            _check_format(source, name, log_format.time_format)
            return TimeReading(way, "timestamp")
        if unit != NONE:
            is_whole = f"regexp_matches({column}, '^\\s*-?[0-9]+\\s*$')"
            whole, number = f"TRY_CAST({column} AS BIGINT)", f"TRY_CAST({column} AS DOUBLE)"
            scaled = (
                f"CASE WHEN {is_whole} THEN {_of_integers(whole, unit)} ELSE {_of_floats(number, unit)} END"
            )
            return TimeReading(_plausible(scaled), "timestamp")
        return _text_time(source, kept, name, column)
    if kind in (*INTEGERS, *FLOATS) or kind.startswith("DECIMAL"):
        if unit != NONE:
            scaled = (
                _of_integers(f"TRY_CAST({column} AS BIGINT)", unit)
                if kind in INTEGERS
                else _of_floats(f"CAST({column} AS DOUBLE)", unit)
            )
            return TimeReading(_plausible(scaled), "timestamp")
        if kind in INTEGERS:
            return TimeReading(f"TRY_CAST({column} AS BIGINT)", "number")
        is_whole = f"{column} = floor({column}) AND abs({column}) <= {2**53}"
        return TimeReading(f"CASE WHEN {is_whole} THEN CAST({column} AS BIGINT) END", "number")
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return TimeReading(
            _microseconds(column if "ZONE" in kind else f"CAST({column} AS TIMESTAMP)"), "timestamp"
        )
    raise LogError(
        f"the column holds {kind}; expected dates, timestamps or whole numbers.",
        advice="Name another time column, or ignore this one with --time -.",
        source=source.name,
        column=name,
    )


def has_short_year(cell: str) -> bool:
    """Return whether a cell looks like a date whose year has two digits, which DuckDB takes for 1 to 99."""
    return _SHORT_YEAR.match(cell) is not None


def recognised(times: Int64Array, unit: str | None) -> tuple[Int64Array, TimeKind, str]:
    """Return whole numbers as microseconds since 1970 where all of them look like times.

    Seconds since 1970 (from 1980 to 2100), their thousandths, millionths and billionths are
    recognised, and dates written as 20240131.

    Returns
    -------
    times : int64
    kind : {"timestamp", "number"}
    written : str
        "s", "ms", "us", "ns" or "%Y%m%d"; empty where the numbers are not recognised.
    """
    if unit == NONE or len(times) == 0:
        return times, "number", ""
    low, high = int(times.min()), int(times.max())
    for name, factor in _EPOCHS.items():
        if _EPOCH_RANGE[0] * factor <= low and high <= _EPOCH_RANGE[1] * factor:
            if name == "ns":
                return times // 1_000, "timestamp", name
            return times * _MICROSECONDS[name], "timestamp", name
    if low >= 19_000_101 and high <= 21_991_231:
        months, days = times // 100 % 100, times % 100
        if months.min() >= 1 and months.max() <= 12 and days.min() >= 1 and days.max() <= 31:
            first = (times // 10_000 - 1970).astype("datetime64[Y]").astype("datetime64[M]")
            dates = (first + (months - 1)).astype("datetime64[D]") + (days - 1)
            return dates.astype("datetime64[us]").astype(np.int64), "timestamp", "%Y%m%d"
    return times, "number", ""


def _of_integers(number: str, unit: str) -> str:
    """Return whole numbers of a unit as microseconds; a float of 53 bits would round them."""
    return f"{number} // 1000" if unit == "ns" else f"{number} * {_MICROSECONDS[unit]}"


def _of_floats(number: str, unit: str) -> str:
    scaled = f"{number} / 1000" if unit == "ns" else f"{number} * {_MICROSECONDS[unit]}"
    return f"TRY_CAST(round({scaled}) AS BIGINT)"


def _plausible(microseconds: str) -> str:
    return f"CASE WHEN {microseconds} BETWEEN {_LOWEST} AND {_HIGHEST} THEN {microseconds} END"


def _microseconds(time: str) -> str:
    return _plausible(f"CASE WHEN isfinite({time}) THEN epoch_us({time}) END")


def _iso(column: str) -> str:
    """Return a cell written year-month-day as microseconds; its zone may stand apart, or without a colon."""
    fits = f"CASE WHEN regexp_matches({column}, '^\\s*[0-9]{{4}}-[0-9]') THEN {column} END"
    zoned = f"regexp_replace({fits}, '\\s*([+-][0-9]{{2}}):?([0-9]{{2}})?\\s*$', '\\1:\\2')"
    has_zone = f"regexp_matches({column}, ':[0-9.]+\\s*[+-][0-9]{{2}}(:?[0-9]{{2}})?\\s*$')"
    whole = f"CASE WHEN {has_zone} THEN rtrim({zoned}, ':') ELSE {fits} END"
    return _microseconds(f"TRY_CAST({whole} AS TIMESTAMPTZ)")


def _text_time(source: Source, kept: Relation, name: str, column: str) -> TimeReading:
    """Find the one way of writing times that fits a whole text column."""
    is_whole = f"regexp_matches({column}, '^\\s*-?[0-9]+(\\.0+)?\\s*$')"
    whole = f"CASE WHEN {is_whole} THEN TRY_CAST(split_part(trim({column}), '.', 1) AS BIGINT) END"
    # The plain ways come first: they are quicker, above all to be made ready, and mostly enough.
    plain = {
        "plain ISO": _microseconds(
            f"TRY_CAST(CASE WHEN substr({column}, 5, 1) = '-' THEN {column} END AS TIMESTAMPTZ)"
        ),
        "plain number": f"CASE WHEN NOT contains({column}, '.') THEN TRY_CAST({column} AS BIGINT) END",
    }
    present = kept.select(duckdb.SQLExpression(quoted(name))).filter(
        duckdb.SQLExpression(f"{column} IS NOT NULL")
    )
    of_plain = _n_bad(source, present.limit(_SAMPLE), plain)
    fitting = [way for way, n in of_plain.items() if n == 0]
    if fitting:
        return TimeReading(plain[fitting[0]], "timestamp" if fitting[0] == "plain ISO" else "number")
    others = {"ISO": _iso(column), "number": whole} | {form: way.sql(column) for form, way in _WAYS.items()}
    n_bad = of_plain | _n_bad(source, present.limit(_SAMPLE), others)
    ways = plain | others
    fitting = [way for way, n in n_bad.items() if n == 0]
    if len(fitting) > 1:  # those that the first rows do not tell apart
        n_bad = {**n_bad, **_n_bad(source, present, {way: ways[way] for way in fitting})}
        fitting = [way for way in fitting if n_bad[way] == 0] or fitting
        _check_clear(source, present, name, {way: ways[way] for way in fitting})
    best = fitting[0] if fitting else min(ways, key=lambda way: n_bad[way])
    written = "" if best not in _WAYS else _one_format(source, present, column, _WAYS[best].formats)
    return TimeReading(ways[best], "number" if best.endswith("number") else "timestamp", written)


def _one_format(source: Source, present: Relation, column: str, formats: tuple[str, ...]) -> str:
    """Return the one format of the first rows; empty where they have several."""
    each = {form: f"try_strptime({column}, {literal(form)})" for form in formats}
    n_bad = _n_bad(source, present.limit(_SAMPLE), each)
    return next((form for form, n in n_bad.items() if n == 0), "")


def _n_bad(source: Source, relation: Relation, ways: Mapping[str, str]) -> dict[str, int]:
    counts = ", ".join(f"count(*) FILTER ({sql} IS NULL)" for sql in ways.values())
    try:
        row = relation.aggregate(counts).fetchall()[0]
    except duckdb.Error as error:
        raise source.explained(error) from error
    return dict(zip(ways, row, strict=True))


def _check_clear(source: Source, present: Relation, name: str, ways: Mapping[str, str]) -> None:
    """Raise unless all ways that fit give the same times."""
    column = quoted(name)
    first, *others = ways.values()
    differ = " OR ".join(f"{first} <> {other}" for other in others)
    if not differ:
        return
    cells = present.filter(duckdb.SQLExpression(differ)).limit(1).select(duckdb.SQLExpression(column))
    rows = cells.fetchall()
    if not rows:
        return
    cell = str(rows[0][0])
    if any("y" in way for way in ways):
        problem = f"the dates, such as {cell!r}, can be read in more than one way ({', '.join(ways)})."
    else:
        problem = f"the dates, such as {cell!r}, can be read with the day or with the month first."
    raise LogError(
        problem,
        advice=f"Say which, e.g. --time-format '{_example(cell, next(iter(ways)))}', or ignore the column "
        f"with --time -.",
        source=source.name,
        column=name,
    )


def _example(cell: str, way: str) -> str:
    """Return the format of a cell for ``--time-format``, with its own marks and clock."""
    mark = next((char for char in cell if char in "/.-"), "/")
    _, _, clock = cell.strip().partition(" ")
    form = way.replace("/", mark).replace("-", mark)
    if not clock:
        return form
    half = clock.upper().endswith(("AM", "PM"))
    return form + (" %I" if half else " %H") + ":%M" + ":%S" * (clock.count(":") - 1) + " %p" * half


def _check_format(source: Source, name: str, form: str) -> None:
    """Raise unless a format is one that the database knows."""
    try:
        source.connection.sql(f"SELECT try_strptime('', {literal(form)})").fetchall()
    except duckdb.Error as error:
        detail = str(error).splitlines()[0].partition("Error: ")[2]
        raise LogError(
            f"the time format {form!r} is none: {detail}.",
            advice="Write it as of strftime, e.g. --time-format '%d/%m/%Y %H:%M'.",
            source=source.name,
            column=name,
        ) from None
