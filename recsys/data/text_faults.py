"""On the way to an error: where in a text file a row stands, and why the file cannot be read.

DuckDB knows neither for certain, so the file is read again with Python's csv module, which splits
it the same way.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from recsys.data.compressed import opened
from recsys.data.text_files import DELIMITERS, TextFile, fields_of_any_length, first_undecodable
from recsys.errors import LogError

_ENDING = re.compile(rb"\r\n|\r|\n")


def line_of(file: TextFile, row: int) -> int | None:
    """Return the line on which data row ``row`` (from 0) begins, None past the end."""
    with _text(file) as lines:
        reader = csv.reader(lines, delimiter=file.delimiter)
        n_rows = -1 - file.has_header
        before = 0
        for record in reader:
            n_rows += bool(record)  # an empty line is no row
            if record and n_rows == row:
                return before + 1
            before = reader.line_num
    return None


def count_rows(file: TextFile) -> int:
    """Return the number of data rows."""
    with _text(file) as lines:
        n_records = sum(1 for record in csv.reader(lines, delimiter=file.delimiter) if record)
    return n_records - file.has_header


def diagnose(file: TextFile) -> LogError | None:
    """Return why DuckDB could not read a file, with the line; None if nothing is found."""
    bad = first_undecodable(file.path, file.compression)
    if bad is not None:
        return bad
    width = len(file.names)
    with _text(file) as lines:
        reader = csv.reader(lines, delimiter=file.delimiter, strict=True)
        before = 0
        try:
            for record in reader:
                if record and len(record) != width and record[width:] != [""]:
                    return LogError(
                        f"{len(record)} fields where the {'header' if file.has_header else 'first line'} "
                        f"has {width}.",
                        advice=f"Fields are split at each {DELIMITERS[file.delimiter]}; "
                        "one that holds it, or a line break, must be quoted.",
                        source=file.path,
                        line=before + 1,
                    )
                before = reader.line_num
        except csv.Error as error:
            return LogError(
                f"the quotes do not match ({error}).",
                advice='A quoted field ends with " before the delimiter, and a " inside it is doubled.',
                source=file.path,
                line=before + 1,
            )
    return _mixed_endings(file)


@contextmanager
def _text(file: TextFile) -> Iterator[IO[str]]:
    with opened(file.path, file.compression) as plain, fields_of_any_length():
        yield io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")


def _mixed_endings(file: TextFile) -> LogError | None:
    first: bytes | None = None
    number = 0
    with opened(file.path, file.compression) as plain:
        for line in plain:
            for ending in _ENDING.findall(line):
                number += 1
                if first is None:
                    first = ending
                elif ending != first:
                    return LogError(
                        f"the line ends in {ending.decode()!r}, those before in {first.decode()!r}.",
                        advice="Write all line ends alike, e.g. with dos2unix.",
                        source=file.path,
                        line=number,
                    )
    return None
