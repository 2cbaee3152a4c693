"""A log of files as a data frame of events, checked where it lies: `recsys.load_log`, distributed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from recsys.data.bad_rows import check_share
from recsys.data.columns import Columns, are_ratings, resolve
from recsys.data.ledger import Dropped
from recsys.data.log import Feedback, TimeKind
from recsys.data.log_format import SKIP, LogFormat
from recsys.errors import LogError, ParameterError
from recsys.spark.cells import Reading, any_of, bad_cells, recognised_ends
from recsys.spark.sources import open_source

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

HONOURED = (
    *("user", "item", "value", "time", "feedback", "delimiter", "encoding", "quote", "escape", "header"),
    *("null", "time_unit", "id_rule", "on_bad_row", "item_id", "item_name", "table", "query"),
)
"""Options of a log that this reading takes; what else is given is refused."""

_PATH = "recsys_path"
_ORDER = ("file", "block", "line")  # by which events stand in the order of the source


@dataclass(frozen=True, eq=False)
class EventFrame:
    """Checked events of a log.

    Attributes
    ----------
    frame : DataFrame
        Columns user and item (text or integers), value (double), time (long; not there without times) and
        those of the order of the source.
    columns : Columns
    feedback : {"explicit", "implicit"}
    time_kind : {"timestamp", "number"} or None
    time_written : str
        The unit of numbers that were recognised as times; see `recsys.data.times.recognised`.
    span : (int, int) or None
        First and last time.
    n_read : int
    dropped : tuple of Dropped
    source : str
    files : tuple of Path
        Those of this machine that are files, not folders.
    is_text : (bool, bool)
        Whether ids of users and of items are text.
    """

    frame: DataFrame
    columns: Columns
    feedback: Feedback
    time_kind: TimeKind | None
    time_written: str
    span: tuple[int, int] | None
    n_read: int
    dropped: tuple[Dropped, ...]
    source: str
    files: tuple[Path, ...]
    is_text: tuple[bool, bool]


def read_events(spark: SparkSession, source: Any, log_format: LogFormat) -> EventFrame:
    """Read a log by Spark's readers, and check every row.

    Parameters
    ----------
    spark : SparkSession
    source : str, Path, several of them or DataFrame
        See `recsys.spark.sources.open_source`.
    log_format : LogFormat

    Raises
    ------
    ParameterError
        If an option is given that is not in `HONOURED`.
    LogError
        If rows cannot be used, or the log is empty.
    InputError
        If there is no such file.
    """
    from pyspark.sql import functions as fn

    check_options(log_format)
    opened = open_source(spark, source, log_format)
    raw, name, has_header = opened.frame, opened.name, opened.has_header
    columns = resolve(
        raw.columns, source=name, has_header=has_header,
        user=log_format.user, item=log_format.item, value=log_format.value, time=log_format.time,
    )  # fmt: skip
    types = {field.name: field.dataType.simpleString() for field in raw.schema.fields}
    feedback: Feedback = "explicit" if are_ratings(columns, log_format.feedback) else "implicit"
    raw = _in_order(raw, opened.paths) if opened.paths else _as_it_comes(raw)
    reading = Reading.of(raw, columns, types, log_format, name)
    frame = raw.select(*_ORDER, *(cell.alias(role) for role, cell in reading.cells.items()))
    bad = bad_cells(reading, allows_negative=feedback == "explicit")
    counted = frame.agg(
        fn.count(fn.lit(1)).alias("n_read"),
        *(fn.count_if(is_bad).alias(role) for role, is_bad in bad.items()),
        fn.count_if(any_of(list(bad.values()))).alias("n_bad"),
        *([fn.min("time").alias("first"), fn.max("time").alias("last")] if "time" in reading.cells else []),
    ).collect()[0]
    if counted["n_read"] == 0:
        raise LogError("the log has no rows.", source=name)
    dropped: tuple[Dropped, ...] = ()
    if counted["n_bad"]:
        role = next(role for role in bad if counted[role])
        problem = _problem(frame, raw, columns, role, bad[role], counted, name, log_format)
        if log_format.on_bad_row != SKIP:
            raise problem
        check_share(counted["n_bad"], counted["n_read"], problem)
        if counted["n_bad"] == counted["n_read"]:
            raise problem
        frame = frame.filter(~any_of(list(bad.values())))
        dropped = (Dropped(f"cannot be used; the first: {problem.problem}", counted["n_bad"]),)
    kind, written, span = reading.time_kind, "", None
    if "time" in reading.cells:
        # Over all rows: of those that are skipped the time may be good, and only widens what is looked at.
        ends = np.array([counted["first"], counted["last"]], dtype=np.int64)
        if kind == "number":
            ends, kind, written = recognised_ends(ends, log_format.time_unit, name, columns.time)
        span = int(ends[0]), int(ends[1])
    return EventFrame(
        frame,
        columns,
        feedback,
        kind,
        written,
        span,
        counted["n_read"],
        dropped,
        name,
        tuple(Path(path) for path in opened.paths if Path(path).is_file()),
        reading.is_text,
    )


def check_options(log_format: LogFormat) -> None:
    """Raise ParameterError if an option of a log is given that the engine does not honour."""
    refused = [
        each.name
        for each in fields(log_format)
        if each.name in log_format.given and each.name not in HONOURED
    ]
    if refused:
        raise ParameterError(
            f"--{refused[0].replace('_', '-')} is not for --engine spark, which reads a log with "
            f"{', '.join('--' + name.replace('_', '-') for name in HONOURED)}; write the log to Parquet "
            f"first, or leave --engine out."
        )


def _as_it_comes(raw: DataFrame) -> DataFrame:
    """Return rows with their order in what is no file: that of Spark's partitions."""
    from pyspark.sql import functions as fn

    return raw.withColumns(
        {"file": fn.lit(0), "block": fn.lit(0).cast("long"), "line": fn.monotonically_increasing_id()}
    )


def _in_order(raw: DataFrame, paths: Sequence[str]) -> DataFrame:
    """Return rows with what tells their order in the source: file, part of the file, position as read.

    Spark gives parts of files to partitions by their size, so that the number of a partition tells nothing.
    """
    from pyspark.sql import functions as fn

    files = sorted(raw.inputFiles(), key=lambda file: _rank(file, paths))
    placed = raw.withColumn("block", fn.col("_metadata.file_block_start")).withColumn(
        "line", fn.monotonically_increasing_id()
    )
    if len(files) == 1:
        return placed.withColumn("file", fn.lit(0))
    numbers = raw.sparkSession.createDataFrame(
        [(_bare(file), number) for number, file in enumerate(files)], f"{_PATH} string, file int"
    )
    placed = placed.withColumn(_PATH, fn.regexp_replace(fn.col("_metadata.file_path"), "^file:/+", "/"))
    joined = placed.join(fn.broadcast(numbers), _PATH, "left")
    unknown = fn.raise_error(fn.concat(fn.lit("no such file in the log: "), fn.col(_PATH)))
    return joined.withColumn("file", fn.coalesce(fn.col("file"), unknown.cast("int")))


def _bare(file: str) -> str:
    """Return the address of a file, of one on this machine its path: Spark writes both in several ways."""
    return re.sub("^file:/+", "/", file)


def _rank(file: str, paths: Sequence[str]) -> tuple[int, str]:
    name = unquote(_bare(file))
    first = [
        number for number, path in enumerate(paths) if name == path or name.startswith(path.rstrip("/") + "/")
    ]
    return (first[0] if first else len(paths)), name


def _problem(
    frame: DataFrame, raw: DataFrame, columns: Columns, role: str, is_bad: Column, counted: Any, source: str,
    log_format: LogFormat,
) -> LogError:  # fmt: skip
    """Return what is wrong with the first row that cannot be used."""
    row = frame.filter(is_bad).orderBy(*_ORDER).limit(1).collect()[0]
    name = getattr(columns, role)
    file, block, line = (row[part] for part in _ORDER)
    shown = [f"`{column}`" for column in raw.columns if column not in (*_ORDER, _PATH)]
    cells = raw.filter((raw["line"] == line) & (raw["block"] == block) & (raw["file"] == file)).select(*shown)
    text = ", ".join(f"{key}={value!r}" for key, value in cells.collect()[0].asDict().items())
    read = row[role]
    what = {
        "user": "a user is missing", "item": "an item is missing", "time": "a time is missing, or none",
        "value": "a value is missing, or no number" if read is None else
        f"a value is {read:g}; amounts are 0 or more, and finite",
    }[role]  # fmt: skip
    n = counted[role]
    many = "" if n == 1 else f" (and {n - 1:,} rows more)"
    advice = "Mend the row" + ("s" if n > 1 else "")
    advice += "." if log_format.on_bad_row == SKIP else ", or leave such rows out with --on-bad-row skip."
    if role == "value" and read is not None and read < 0:
        advice += " If these are ratings, add --feedback explicit."
    return LogError(f"{what}: {text}{many}.", advice=advice, source=source, column=name)
