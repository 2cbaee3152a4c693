"""An opened log: its columns, and a way to its rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow.parquet as pq

from recsys.data import json_lines, text_faults
from recsys.data.bad_rows import BadRow
from recsys.data.database import first_line
from recsys.data.file import File
from recsys.data.log_format import LogFormat
from recsys.data.queries import Connection, Relation
from recsys.data.text_files import TextFile
from recsys.errors import InputError, LogError
from recsys.remarks import Remark


class Query(Protocol):
    """Makes the query for all rows of a source."""

    def __call__(self, as_text: Collection[str] = (), *, is_raw: bool = False) -> str:
        """Return SQL; ``as_text`` names columns not to be parsed, ``is_raw`` leaves null markers as text."""


@dataclass(frozen=True, eq=False)
class Source:
    """An opened log: its columns, and a way to its rows.

    Attributes
    ----------
    name : str
        What messages call it.
    connection : Connection
    names : tuple of str
    query : callable
        Makes the query for all rows.
    unit : {"line", "row"}
        What messages count.
    has_header : bool
    files : tuple of File
    origins : tuple of Path
        The files that the rows come from, as the user has them; none for tables, databases, standard input.
    texts : tuple of TextFile
        The layout of each file, for text files only.
    read_as : LogFormat
        What was given or recognised of how the files are written.
    remarks : tuple of Remark
        What was guessed in opening it.
    copies : object, optional
        Holds the folder of copies, which goes with it.
    locate : callable, optional
        Gives the place of a row, where rows are not those of the file.
    is_json : bool
        Whether the files are JSON, by lines or an array.
    whole : Source, optional
        The source that this one was made of, where rows are not those of the file.
    bad_rows : tuple of BadRow
        Rows that could not be split, which are no rows of this source.
    """

    name: str
    connection: Connection
    names: tuple[str, ...]
    query: Query
    unit: str = "row"
    has_header: bool = True
    files: tuple[File, ...] = ()
    origins: tuple[Path, ...] = ()
    texts: tuple[TextFile, ...] = ()
    read_as: LogFormat = field(default_factory=LogFormat)
    remarks: tuple[Remark, ...] = ()
    copies: object = None
    locate: Callable[[int], tuple[str, int]] | None = None
    is_json: bool = False
    whole: Source | None = None
    bad_rows: tuple[BadRow, ...] = ()

    def relation(self, as_text: Collection[str] = (), *, is_raw: bool = False) -> Relation:
        """Return all rows in the order of the source; see `Query`."""
        try:
            return self.connection.sql(self.query(as_text, is_raw=is_raw))
        except duckdb.Error as error:
            raise self.explained(error) from error

    def first_cells(self, name: str) -> list[str]:
        """Return the first cells of a column of a text, as they stand in its first file that has it."""
        for text in self.texts:
            if name in text.names:
                return text_faults.first_cells(text, text.names.index(name))
        return []

    def markers_left(self, markers: Sequence[str]) -> tuple[str, ...]:
        """Return those of some markers of missing cells that may be left as text in the rows.

        The database makes the others NULL as it reads a file; in rows that were made of those of a
        file, such as from lists, all are left.
        """
        if not self.texts or self.whole is not None:
            return tuple(markers)
        left = {marker for text in self.texts for marker in markers if not text.dialect.holds(marker)}
        return tuple(marker for marker in markers if marker in left)

    def place(self, row: int) -> tuple[str, int]:
        """Return the file and the line (or row, from 1) of row ``row`` (from 0) of the source."""
        if self.locate is not None:
            return self.locate(row)
        if self.texts:
            for text in self.texts[:-1]:
                n_rows = text_faults.count_rows(text)
                if row < n_rows:
                    break
                row -= n_rows
            else:
                text = self.texts[-1]
            return text.path, text_faults.line_of(text, row) or row + 1 + text.has_header
        if self.unit == "line":
            return json_lines.line_of(self.files, row)
        for file in () if self.is_json else self.files[:-1]:
            n_rows = pq.read_metadata(file.path).num_rows
            if row < n_rows:
                return file.name, row + 1
            row -= n_rows
        return self.files[-1].name if self.files else self.name, row + 1

    def places(self, rows: Sequence[int]) -> Iterator[tuple[str, int, str | None]]:
        """Yield the file, the line (or row) and, of a text, what stands there, for ascending row numbers."""
        if self.locate is None and self.texts:
            wanted = iter(rows)
            row, number = next(wanted, None), 0
            for text in self.texts:
                for line, raw in text_faults.rows_with_lines(text):
                    if number == row:
                        yield text.path, line, raw
                        row = next(wanted, None)
                    number += 1
            return
        for row in rows:
            yield (*self.place(row), None)

    def explained(self, error: Exception) -> InputError:
        """Turn an error of DuckDB into one that says what is wrong with the source."""
        for file in self.texts:
            fault = text_faults.diagnose(file)
            if fault is not None:
                return fault
        if self.is_json:
            fault = None if self.unit == "row" else json_lines.diagnose(self.files)
            return fault or LogError(
                f"could not be read: {first_line(error)}.", advice=json_lines.REMEDY, source=self.name
            )
        return LogError(f"could not be read: {first_line(error)}.", source=self.name)

    def check_whole(self, n_rows: int) -> None:
        """Raise LogError if rows of a text were swallowed by a quote that was never meant as one."""
        for file in self.texts:
            # Only the rows of one file are known; those of several are counted.
            own = n_rows if len(self.texts) == 1 and self.whole is None else text_faults.count_rows(file)
            fault = text_faults.swallowed_lines(file, own)
            if fault is not None:
                raise fault
