"""How the cells of a log are read by Spark, as `recsys.data.cells` and `recsys.data.times` read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recsys.data import times
from recsys.data.columns import Columns
from recsys.data.log import TimeKind
from recsys.data.log_format import LogFormat
from recsys.data.option_checks import NONE
from recsys.errors import LogError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_NUMBER = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$"
_WHOLE = r"^\s*-?[0-9]+(\.0+)?\s*$"
_ISO = r"^\s*[0-9]{4}-[0-9]"
_EXACT = 2**53  # the largest number up to which a double tells all integers apart
_PER_SECOND = {"s": 1_000_000, "ms": 1_000, "us": 1}


@dataclass(frozen=True, eq=False)
class Reading:
    """How the cells of each role are read; NULL where one cannot be used."""

    cells: dict[str, Column]
    is_text: tuple[bool, bool]
    time_kind: TimeKind | None

    @classmethod
    def of(
        cls, raw: DataFrame, columns: Columns, types: dict[str, str], log_format: LogFormat, source: str
    ) -> Reading:
        """Return how the columns of a log are read.

        Raises
        ------
        LogError
            If a column holds what cannot be read for its role.
        """
        from pyspark.sql import functions as fn

        markers = list(log_format.null_markers)

        def cell(name: str) -> Column:
            column = fn.col(f"`{name}`")
            return fn.when(~column.isin(markers), column) if types[name] == "string" else column

        cells = {role: _id(cell(name), types[name], source, name) for role, name in
                 (("user", columns.user), ("item", columns.item))}  # fmt: skip
        is_text = types[columns.user] == "string", types[columns.item] == "string"
        if columns.value is not None:
            kind = types[columns.value]
            value = cell(columns.value)
            if kind == "string":
                value = fn.when(value.rlike(_NUMBER), fn.trim(value))
            elif kind.split("(")[0] not in (
                "tinyint",
                "smallint",
                "int",
                "bigint",
                "float",
                "double",
                "decimal",
            ):
                raise LogError(
                    f"the column holds {kind}; expected numbers.",
                    advice="Name another value column, or ignore this one with --value -.",
                    source=source, column=columns.value,
                )  # fmt: skip
            cells["value"] = value.cast("double")
        time_kind: TimeKind | None = None
        if columns.time is not None:
            cells["time"], time_kind = _time(
                raw, cell(columns.time), types[columns.time], log_format, source, columns.time
            )
        return cls(cells, is_text, time_kind)


def _id(cell: Column, kind: str, source: str, name: str) -> Column:
    from pyspark.sql import functions as fn

    if kind == "string":
        return fn.when(cell != "", cell)
    if kind in ("tinyint", "smallint", "int", "bigint"):
        return cell.cast("bigint")
    if kind in ("float", "double"):
        return fn.when((cell == fn.floor(cell)) & (fn.abs(cell) <= _EXACT), cell.cast("bigint"))
    raise LogError(
        f"the column holds {kind}; expected ids that are integers or text.",
        advice="Name another column, or cast this one in the log.",
        source=source,
        column=name,
    )


def _time(
    raw: DataFrame, cell: Column, kind: str, log_format: LogFormat, source: str, name: str
) -> tuple[Column, TimeKind]:
    """Return a column of times as whole numbers, and what these are."""
    from pyspark.sql import functions as fn

    if kind.startswith("timestamp") or kind == "date":
        return fn.unix_micros(cell.cast("timestamp")), "timestamp"
    if kind == "string":
        whole = fn.when(cell.rlike(_WHOLE), fn.regexp_replace(fn.trim(cell), r"\.0+$", "")).try_cast("bigint")
        iso = fn.unix_micros(fn.when(cell.rlike(_ISO), fn.trim(cell)).try_cast("timestamp"))
        counts = raw.agg(
            fn.count(cell).alias("n"), fn.count(whole).alias("whole"), fn.count(iso).alias("iso")
        ).collect()[0]
        if counts["iso"] > counts["whole"]:
            return iso, "timestamp"
        if counts["whole"] == 0 and counts["n"]:
            raise LogError(
                "the times are neither whole numbers nor written as 2024-01-31 or 2024-01-31 12:00:00.",
                advice="Ignore the column with --time -, or let 'recsys data prepare' read it.",
                source=source,
                column=name,
            )
        cell, kind = whole, "bigint"
    elif kind not in ("tinyint", "smallint", "int", "bigint"):
        raise LogError(
            f"the column holds {kind}; expected dates, timestamps or whole numbers.",
            advice="Name another time column, or ignore this one with --time -.",
            source=source,
            column=name,
        )
    number = cell.cast("bigint")
    if log_format.time_unit in (None, NONE):
        return number, "number"
    if log_format.time_unit == "ns":
        return fn.floor(number / 1000).cast("bigint"), "timestamp"
    return number * _PER_SECOND[log_format.time_unit], "timestamp"


def recognised_ends(ends: Any, unit: str | None, source: str, name: str | None) -> tuple[Any, TimeKind, str]:
    """Return the first and the last time as `recsys.data.times.recognised` reads them."""
    recognised, kind, written = times.recognised(ends, unit)
    if written == "%Y%m%d":
        raise LogError(
            f"the times, {ends[0]} to {ends[1]}, look like dates written as 20240131.",
            advice="Give --time-unit none to take them as numbers, which order events as well.",
            source=source,
            column=name,
        )
    return recognised, kind, written


def any_of(conditions: Sequence[Column]) -> Column:
    """Return whether one of some conditions holds."""
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole | condition
    return whole


def bad_cells(reading: Reading, *, allows_negative: bool) -> dict[str, Column]:
    """Return for each role what makes a cell of no use; of the columns that were read."""
    from pyspark.sql import functions as fn

    bad = {role: fn.col(role).isNull() for role in reading.cells}
    if "value" in bad:
        value = fn.col("value")
        infinite = fn.isnan(value) | (fn.abs(value) == float("inf"))
        bad["value"] = bad["value"] | infinite
        if not allows_negative:
            bad["value"] = bad["value"] | (value < 0)
    return {role: fn.coalesce(condition, fn.lit(True)) for role, condition in bad.items()}
