"""Where a log comes from, opened in a database that can reach nothing else."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data import compressed, text_faults, text_files
from recsys.data.columns import listed
from recsys.data.database import connect, first_line, literal, lock
from recsys.data.text_files import TextFile
from recsys.errors import InputError, LogError

_JSON = (".json", ".jsonl", ".ndjson")
_REMEDY_JSON = "Expected one JSON object a line."


@dataclass(frozen=True, eq=False)
class Source:
    """An opened log: its columns, and a way to its rows.

    Attributes
    ----------
    name : str
        What messages call it.
    connection : duckdb.DuckDBPyConnection
    names : tuple of str
    unit : {"line", "row"}
        What messages count.
    has_header : bool
    files : tuple of Path
    texts : tuple of TextFile
        The layout of each file, for text files only.
    sql : callable
        Makes the query for all rows; it is told which columns must stay text.
    """

    name: str
    connection: duckdb.DuckDBPyConnection
    names: tuple[str, ...]
    sql: Callable[[Collection[str]], str]
    unit: str = "row"
    has_header: bool = True
    files: tuple[Path, ...] = ()
    texts: tuple[TextFile, ...] = ()

    def relation(self, as_text: Collection[str] = ()) -> duckdb.DuckDBPyRelation:
        """Return all rows in the order of the source; ``as_text`` names columns not to be parsed."""
        try:
            return self.connection.sql(self.sql(as_text))
        except duckdb.Error as error:
            raise self.explained(error) from error

    def place(self, row: int) -> tuple[str, int]:
        """Return the file and the line (or row, from 1) of row ``row`` (from 0) of the source."""
        if self.texts:
            for file in self.texts[:-1]:
                n_rows = text_faults.count_rows(file)
                if row < n_rows:
                    break
                row -= n_rows
            else:
                file = self.texts[-1]
            return str(file.path), text_faults.line_of(file, row) or row + 1 + file.has_header
        if self.unit == "line":
            return _line_of_json(self.files, row)
        for path in self.files[:-1]:
            n_rows = pq.read_metadata(path).num_rows
            if row < n_rows:
                return str(path), row + 1
            row -= n_rows
        return str(self.files[-1]) if self.files else self.name, row + 1

    def explained(self, error: Exception) -> InputError:
        """Turn an error of DuckDB into one that says what is wrong with the source."""
        for file in self.texts:
            fault = text_faults.diagnose(file)
            if fault is not None:
                return fault
        advice = _REMEDY_JSON if self.unit == "line" and not self.texts else ""
        return LogError(f"could not be read: {first_line(error)}.", advice=advice, source=self.name)


class ArrowTable(Protocol):
    """A table of another library, such as polars, that can be read as an Arrow table."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as an Arrow stream; see the Arrow PyCapsule interface."""


def open_table(table: Any, n_threads: int | None = None) -> Source:
    """Open a pandas DataFrame, an Arrow table, or a table that can be read as one."""
    if not isinstance(table, (pd.DataFrame, pa.Table)) and hasattr(table, "__arrow_c_stream__"):
        table = pa.table(table)
    name = "the data frame" if isinstance(table, pd.DataFrame) else "the Arrow table"
    if isinstance(table, pd.DataFrame):
        table = table.set_axis([str(column) for column in table.columns], axis=1)
        text_files.check_unique(list(table.columns), name)
        try:
            # By way of Arrow: DuckDB itself looks at a sample of an object column only.
            table = pa.Table.from_pandas(table, preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            detail = "; ".join(str(part) for part in error.args)
            raise LogError(
                f"a column holds values of more than one kind ({detail}).",
                advice="Make each column all numbers or all text.",
                source=name,
            ) from error
    table = _with_known_types(table)
    text_files.check_unique(table.column_names, name)
    connection = connect(n_threads=n_threads)
    connection.register("log", table)
    lock(connection)
    return Source(name, connection, tuple(table.column_names), lambda _: "SELECT * FROM log")


def _with_known_types(table: pa.Table) -> pa.Table:
    """Return a table whose half-precision columns, which the database does not know, are single."""
    for number, field in enumerate(table.schema):
        if pa.types.is_float16(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.float32()))
    return table


def open_files(source: str | Path, n_threads: int | None = None, wanted: Sequence[str] = ()) -> Source:
    """Open a file, or all files that a pattern matches, in the order of their names.

    Parameters
    ----------
    source : str or Path
        Text of columns, JSON lines (either may be compressed by gzip or zstd) or Parquet.
    n_threads : int, optional
    wanted : sequence of str
        See `text_files.examine`.
    """
    files = _matching(source)
    heads = [_head(path) for path in files]
    formats = {_format(path, head) for path, head in zip(files, heads, strict=True)}
    if len(formats) > 1:
        raise LogError(
            f"the files are of different formats ({', '.join(sorted(formats))}).", source=str(source)
        )
    kind = formats.pop()
    connection = connect(files, n_threads)
    lock(connection)
    name = str(source)
    paths = f"[{', '.join(literal(glob.escape(str(path.absolute()))) for path in files)}]"
    if kind == "Parquet":
        names = _parquet_names(files)
        # By name, types are widened to fit all files; else 1.5 becomes 2 if the first file has integers.
        options = "union_by_name = true, hive_partitioning = false"
        sql = f"SELECT * FROM read_parquet({paths}, {options})"  # noqa: S608 - quoted by `literal`
        return Source(name, connection, names, lambda _: sql, files=tuple(files))
    packed = [compressed.compression_of(path, head) for path, head in zip(files, heads, strict=True)]
    for path, compression in zip(files, packed, strict=True):
        compressed.verify(path, compression)
    if len(set(packed)) > 1:
        raise LogError("some of the files are compressed and some are not.", source=name)
    if kind == "JSON":
        packing = "uncompressed" if packed[0] == "none" else packed[0]
        sql = (
            f"SELECT * FROM read_json({paths}, format = 'newline_delimited', sample_size = -1, "  # noqa: S608
            f"maximum_sample_files = {len(files)}, hive_partitioning = false, "
            f"compression = {literal(packing)})"
        )
        json = Source(name, connection, (), lambda _: sql, unit="line", files=tuple(files))
        names = tuple(json.relation().columns)
        if names == ("json",):  # DuckDB's name for lines that are no objects
            raise LogError("its lines are no JSON objects.", advice=_REMEDY_JSON, source=name)
        return Source(name, connection, names, lambda _: sql, unit="line", files=tuple(files))
    texts = [text_files.examine(*pair, wanted) for pair in zip(files, packed, strict=True)]
    _check_alike(texts)
    return Source(
        name,
        connection,
        texts[0].names,
        lambda as_text: _read_csv(texts[0], paths, as_text),
        unit="line",
        has_header=texts[0].has_header,
        files=tuple(files),
        texts=tuple(texts),
    )


def _read_csv(layout: TextFile, paths: str, as_text: Collection[str]) -> str:
    names = ", ".join(literal(name) for name in layout.names)
    types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in as_text)
    # The date format is set so that 1/12/2010 stays text: whether that is December is not DuckDB's to guess.
    return (
        f"SELECT * FROM read_csv({paths}, auto_detect = true, sample_size = -1, "  # noqa: S608
        f"files_to_sniff = -1, hive_partitioning = false, "
        f"delim = {literal(layout.delimiter)}, quote = '\"', escape = '\"', comment = '', "
        f"header = {str(layout.has_header).lower()}, skip = {layout.skip}, "
        f"compression = {literal(layout.compression)}, dateformat = '%Y-%m-%d', "
        f"names = [{names}], types = {{{types}}})"
    )


def _matching(source: str | Path) -> list[Path]:
    path = Path(source).expanduser()
    if path.is_dir():
        raise LogError(
            "a folder; expected a file.", advice=f"For all files in it: '{path / '*.csv'}'.", source=path
        )
    if not os.path.lexists(path) and glob.has_magic(str(path)):
        matches = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207
        files = [file for file in matches if file.is_file()]
        if not files:
            raise LogError("no file matches this pattern.", source=str(source))
        return files
    if not path.is_file():
        raise LogError("no such file." if not path.exists() else "no regular file.", source=path)
    return [path]


def _head(path: Path) -> bytes:
    with compressed.opened(path, "none") as file:
        head = file.read(4)
    if not head:
        raise LogError("the file is empty (0 bytes).", source=path)
    return head


def _format(path: Path, head: bytes) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst")]
    if head == b"PAR1":
        return "Parquet"
    if suffixes[-1:] in ([".parquet"], [".pq"]):
        raise LogError(
            "not a Parquet file, though named so.",
            advice="Rename it if it is text; download or write it again if not.",
            source=path,
        )
    return "JSON" if suffixes and suffixes[-1] in _JSON else "text"


def _parquet_names(files: Sequence[Path]) -> tuple[str, ...]:
    first: list[str] = []
    for path in files:
        try:
            names = list(pq.read_schema(path).names)
        except (pa.ArrowException, OSError) as error:
            raise LogError(
                f"a damaged Parquet file ({str(error).splitlines()[0]}).",
                advice="Download or write it again.",
                source=path,
            ) from error
        text_files.check_unique(names, path)
        first = first or names
        if names != first:
            raise LogError(
                f"its columns are {listed(names)}; those of {files[0].name} are {listed(first)}.", source=path
            )
    return tuple(first)


def _check_alike(texts: Sequence[TextFile]) -> None:
    first = texts[0]
    for text in texts[1:]:
        if (text.names, text.delimiter, text.has_header, text.skip) != (
            first.names,
            first.delimiter,
            first.has_header,
            first.skip,
        ):
            raise LogError(
                f"its columns are {listed(text.names)}, split by {text.delimiter!r}; "
                f"those of {first.path.name} are {listed(first.names)}, split by {first.delimiter!r}.",
                source=text.path,
            )


def _line_of_json(files: Sequence[Path], row: int) -> tuple[str, int]:
    path, number = files[0], 0
    for path in files:
        with compressed.opened(path, compressed.compression_of(path, _head(path))) as plain:
            for number, line in enumerate(plain, start=1):
                row -= bool(line.strip())
                if row < 0:
                    return str(path), number
    return str(path), number
