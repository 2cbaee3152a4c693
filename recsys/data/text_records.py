"""Records of a text of columns, as Python's csv module splits them.

DuckDB reads the rows; this is for looking at the head of a file, and for saying where one is wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Dialect:
    """How a text is split into fields.

    Attributes
    ----------
    delimiter : str
        One character or more; of several characters it goes without quotes.
    quote : str
        Empty: quotes are text.
    escape : str
        What stands before a quote inside of quotes; the quote itself: it is doubled.
    """

    delimiter: str
    quote: str = '"'
    escape: str = '"'

    @property
    def has_quotes(self) -> bool:
        """Whether a quote begins a field that may hold delimiters."""
        return bool(self.quote) and len(self.delimiter) == 1

    def holds(self, cell: str) -> bool:
        """Return whether a cell may stand in such a text as it is, without quotes."""
        return not any(mark in cell for mark in (self.delimiter, self.quote, self.escape) if mark)


def records(
    lines: Iterable[str], dialect: Dialect, *, strict: bool = False, skip: int = 0
) -> Iterator[tuple[int, int, list[str]]]:
    """Yield the first line, the last line (from 1) and the fields of each record; an empty line is none.

    Raises
    ------
    csv.Error
        If strict and the quotes of a record do not match.
    """
    lines = iter(lines)
    for _ in range(skip):
        next(lines, None)
    if not dialect.has_quotes:
        for number, line in enumerate(lines, start=skip + 1):
            if text := line.rstrip("\r\n"):
                yield number, number, text.split(dialect.delimiter)
        return
    is_doubled = dialect.escape in ("", dialect.quote)
    with _fields_of_any_length():
        reader = csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote,
            doublequote=is_doubled,
            escapechar=None if is_doubled else dialect.escape,
            strict=strict,
        )
        before = skip
        for record in reader:
            if record:
                yield before + 1, skip + reader.line_num, record
            before = skip + reader.line_num


class KeptLines:
    """The lines of a text, of which those of the record that is being read are kept."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self._taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self._taken.append(line)
            yield line

    def take(self) -> str:
        """Return the lines since the last call."""
        whole, self._taken = "".join(self._taken), []
        return whole


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    limit = csv.field_size_limit(_NO_LIMIT)
    try:
        yield
    finally:
        csv.field_size_limit(limit)
