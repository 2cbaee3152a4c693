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
from itertools import islice

import numpy as np

from recsys.data.compressed import opened
from recsys.data.text_files import TextFile, first_undecodable
from recsys.data.text_layout import DELIMITERS
from recsys.data.text_records import KeptLines, records
from recsys.errors import LogError

_ENDING = re.compile(rb"\r\n|\r|\n")
_LINE_END = ord("\n")
_MANY_LINES = 3
_CHUNK = 1 << 22


def line_of(file: TextFile, row: int) -> int | None:
    """Return the line on which data row ``row`` (from 0) begins, None past the end."""
    if file.lines is not None:
        return int(file.lines[row]) if row < len(file.lines) else None
    with _records(file) as found:
        for number, (line, _, _) in enumerate(found):
            if number - file.has_header == row:
                return line
    return None


def rows_with_lines(file: TextFile) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of each data row."""
    with opened(file.content, file.compression) as plain:
        whole = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
        for _ in range(file.skip):
            whole.readline()
        lines = KeptLines(whole)
        for number, (line, _, _) in enumerate(records(lines, file.dialect)):
            raw = lines.take().strip("\r\n")
            row = number - file.has_header
            if row >= 0:
                yield (line + file.skip if file.lines is None else int(file.lines[row])), raw


def first_cells(file: TextFile, column: int, most: int = 1_000) -> list[str]:
    """Return the cells of a column in the first rows."""
    with _records(file) as found:
        rows = [record for _, _, record in islice(found, most + file.has_header)]
    return [record[column] for record in rows[file.has_header :] if len(record) > column]


def count_rows(file: TextFile) -> int:
    """Return the number of data rows."""
    if file.lines is not None:
        return len(file.lines)
    with _records(file) as found:
        return sum(1 for _ in found) - file.has_header


def diagnose(file: TextFile) -> LogError | None:
    """Return why DuckDB could not read a file, with the line; None if nothing is found."""
    bad = first_undecodable(file.content, file.path, file.compression)
    if bad is not None:
        return bad
    width = len(file.names)
    last = 0
    with _records(file, strict=True) as found:
        try:
            for line, last, record in found:  # noqa: B007 - the error needs the last line
                if not is_whole(record, width):
                    return ragged(file, len(record), line)
        except csv.Error as error:
            return LogError(
                f"the quotes do not match ({error}).",
                advice='A quoted field ends with " before the delimiter, and a " inside it is doubled. '
                "Where quotes are part of the text, add --quote none.",
                source=file.path,
                line=last + 1,
            )
    return _mixed_endings(file)


def swallowed_lines(file: TextFile, n_rows: int) -> LogError | None:
    """Return an error if a quoted field has swallowed lines that look like rows, as an open quote does.

    Parameters
    ----------
    file : TextFile
    n_rows : int
        Rows that were read; if the file has no more lines than that, no field holds a line end.
    """
    if not file.dialect.has_quotes or _count_line_ends(file) <= n_rows + file.has_header + file.skip:
        return None
    width = len(file.names)
    with _records(file) as found:
        for line, last, record in found:
            if last - line + 1 < _MANY_LINES:
                continue
            inside = (part for cell in record if "\n" in cell for part in cell.splitlines()[1:])
            rows = sum(part.count(file.dialect.delimiter) == width - 1 for part in inside)
            if rows >= _MANY_LINES - 1:
                return LogError(
                    f"a quoted field goes on for {last - line + 1:,} lines, {rows:,} of them like rows.",
                    advice="Where quotes are part of the text, add --quote none; else close the quote.",
                    source=file.path,
                    line=line,
                )
    return None


def is_whole(record: list[str], width: int) -> bool:
    """Return whether a record has as many fields as there are columns; an empty one at the end is none."""
    return len(record) == width or record[width:] == [""]


def ragged(file: TextFile, n_fields: int, line: int) -> LogError:
    """Return what is to be said of a record with more or fewer fields than there are columns."""
    if file.is_spaced:
        advice = "Fields are split at blanks. If lines are a user and all items of the user: --layout lists."
    else:
        name = DELIMITERS.get(file.dialect.delimiter, repr(file.dialect.delimiter))
        quoting = "; one that holds it, or a line break, must be quoted" if file.dialect.has_quotes else ""
        advice = f"Fields are split at each {name}{quoting}."
    return LogError(
        f"{n_fields} fields where the {'header' if file.has_header else 'first line'} has {len(file.names)}.",
        advice=advice,
        source=file.path,
        line=line,
    )


@contextmanager
def _records(file: TextFile, *, strict: bool = False) -> Iterator[Iterator[tuple[int, int, list[str]]]]:
    with opened(file.content, file.compression) as plain:
        text = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="replace", newline="")
        yield records(text, file.dialect, strict=strict, skip=file.skip)


def _count_line_ends(file: TextFile) -> int:
    count = 0
    with opened(file.content, file.compression) as plain:
        while chunk := plain.read(_CHUNK):
            count += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LINE_END))
    return count


def _mixed_endings(file: TextFile) -> LogError | None:
    first: bytes | None = None
    number = 0
    with opened(file.content, file.compression) as plain:
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
