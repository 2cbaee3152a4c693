"""Lists and other tables as files or tables of a database, a part at a time."""

from __future__ import annotations

import csv
import gzip
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.errors import ParameterError
from recsys.experiment.list_sheets import SheetWriter
from recsys.experiment.list_tables import DatabaseTable, table_writer
from recsys.experiment.table_writer import TableWriter
from recsys.files import atomic_write
from recsys.recommend.recommendations import Recommendations

LIST_FORMATS = (".parquet", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".xlsx")
STDOUT = Path("-")
"""Stands for standard output, which gets CSV."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _ending(path: Path) -> str:
    return "".join(path.suffixes[-2:]) if path.suffix == ".gz" else path.suffix


def target_of(text: str, table: str | None = None) -> Path | DatabaseTable:
    """Return the file, or the table of a database, that a text names.

    Parameters
    ----------
    text : str
        A path, ``-``, or a URI such as ``sqlite:shop.db``, ``duckdb:shop.duckdb`` and ``postgresql://...``.
    table : str, optional
        Name of the table; only for a database.

    Raises
    ------
    ParameterError
        If a table is named and the target is a file.
    """
    target = DatabaseTable.read(text, table)
    if target is not None:
        return target
    if table is not None:
        raise ParameterError(f"--table names a table of a database, and {text} is a file; give a URI.")
    return Path(text).expanduser()


def check_list_path(path: Path | DatabaseTable, *, safe_csv: bool = False) -> None:
    """Raise ParameterError unless a file can have the form that is asked for.

    Parameters
    ----------
    path : Path or DatabaseTable
        The ending of a file names the format; ``-`` is standard output, as CSV.
    safe_csv : bool
        Whether the file has to be CSV.
    """
    if isinstance(path, DatabaseTable):
        if safe_csv:
            raise ParameterError(f"{path}: spreadsheets are a matter of CSV files; give one with --safe-csv.")
        return
    ending = ".csv" if path == STDOUT else _ending(path)
    if ending not in LIST_FORMATS:
        raise ParameterError(f"{path}: the ending is {ending!r}; expected {', '.join(LIST_FORMATS)}, or '-'.")
    if safe_csv and not ending.startswith(".csv"):
        raise ParameterError(f"{path}: spreadsheets are a matter of CSV files; give one with --safe-csv.")


def write_lists(recommended: Recommendations, path: Path) -> None:
    """Write lists as Parquet, CSV or JSON lines, by the ending of the file.

    Raises
    ------
    ParameterError
        If the ending is none of these.
    """
    write_table(recommended.to_frame(), path)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as Parquet, CSV or JSON lines, by the ending of the file; see `write_lists`."""
    write_parts([frame], path)


def write_parts(frames: Iterable[pd.DataFrame], path: Path | DatabaseTable, *, safe_csv: bool = False) -> int:
    """Write a table that comes in parts, and return its number of rows.

    A file is there as a whole or not at all, and so is a table of a database, which replaces an older one in
    one transaction. The bytes of text do not depend on the parts.

    Parameters
    ----------
    frames : iterable of DataFrame
        With the same columns; there is at least one, which may be empty.
    path : Path or DatabaseTable
    safe_csv : bool
        Whether text that a spreadsheet would take for a formula gets an apostrophe before it.

    Raises
    ------
    ParameterError
        If the ending is none of the known ones, or ``safe_csv`` is asked for with another than CSV.
    InputError
        If a database cannot be written, or a spreadsheet does not hold as many rows.
    """
    check_list_path(path, safe_csv=safe_csv)
    n_rows = 0
    with _writer(path) as writer:
        for frame in frames:
            writer.write(_safe(frame) if safe_csv else frame)
            n_rows += len(frame)
    return n_rows


def _safe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text begins as a formula does."""

    def guarded(value: object) -> object:
        return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

    return frame.assign(
        **{
            name: frame[name].map(guarded).to_numpy(dtype=object)
            for name in frame
            if not pd.api.types.is_numeric_dtype(frame[name])
        }
    )


@contextmanager
def _writer(path: Path | DatabaseTable) -> Iterator[TableWriter]:
    if isinstance(path, DatabaseTable):
        with table_writer(path) as writer:
            yield writer
        return
    if path == STDOUT:
        yield _TextWriter(sys.stdout, is_csv=True)
        return
    ending = _ending(path)
    with atomic_write(path) as partial:
        if ending == ".parquet":
            with _ParquetWriter(partial) as parquet:
                yield parquet
            return
        if ending == ".xlsx":
            sheet = SheetWriter(partial)
            yield sheet
            sheet.close()
            return
        with partial.open("wb") as raw:
            if not ending.endswith(".gz"):
                yield _TextWriter(raw, is_csv=ending.startswith(".csv"))
                return
            # Without name and time, so that equal tables are equal files.
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed:
                yield _TextWriter(cast("IO[bytes]", packed), is_csv=ending.startswith(".csv"))


class _TextWriter:
    """Writes CSV, the columns' names once, or JSON lines."""

    def __init__(self, file: IO[str] | IO[bytes], *, is_csv: bool) -> None:
        self._file, self._is_csv, self._is_first = file, is_csv, True

    def write(self, frame: pd.DataFrame) -> None:
        if self._is_csv:
            text = frame.to_csv(
                index=False, header=self._is_first, quoting=csv.QUOTE_MINIMAL, lineterminator="\n"
            )
        else:
            text = frame.to_json(orient="records", lines=True, force_ascii=False) if len(frame) else ""
        self._is_first = False
        if self._file is sys.stdout:
            sys.stdout.write(text)
        else:
            cast("IO[bytes]", self._file).write(text.encode())


class _ParquetWriter:
    """Writes Parquet, whose schema is that of the first part."""

    def __init__(self, path: Path) -> None:
        self._path, self._writer = path, cast("pq.ParquetWriter | None", None)

    def __enter__(self) -> _ParquetWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.close()

    def write(self, frame: pd.DataFrame) -> None:
        schema = None if self._writer is None else self._writer.schema
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)
