"""What the first lines of a text say of its layout: the delimiter, and whether they begin with a header."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence

from recsys.data.columns import is_usual
from recsys.data.log_format import BLANKS, MATRIX, NONE, LogFormat
from recsys.data.text_records import Dialect, records
from recsys.errors import ParameterError

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe", "::": "double colon"}
"""Those that are tried; where none fits, runs of blanks."""

_ROWS_COMPARED = 20
_NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*")


def dialect_of(log_format: LogFormat, delimiter: str) -> Dialect:
    """Return how a text with such a delimiter is split.

    Raises
    ------
    ParameterError
        If a quote is given beside a delimiter of several characters.
    """
    if delimiter == BLANKS or len(delimiter) > 1:
        if log_format.quote not in (None, NONE):
            raise ParameterError(
                f"quote is {log_format.quote!r}; where fields are split by {delimiter!r} quotes are text: "
                f"leave it out."
            )
        return Dialect("\t" if delimiter == BLANKS else delimiter, "", "")
    quote = "" if log_format.quote == NONE else log_format.quote or '"'
    return Dialect(delimiter, quote, (log_format.escape or quote) if quote else "")


def found_delimiter(text: str, log_format: LogFormat, is_whole: bool) -> str:
    """Return the delimiter that explains a sample best: rows as wide as the first, then wide rows."""
    fits = {name: _fit(text, dialect_of(log_format, name), is_whole) for name in DELIMITERS if len(name) == 1}
    best = max(fits, key=lambda name: fits[name])
    doubled = _fit(text, Dialect("::", ""), is_whole)
    # A title may hold any of the others; "::" hardly stands in one.
    if doubled[0] and doubled[1] >= fits[best][1]:
        return "::"
    if fits[best][0]:
        return best
    return BLANKS if _fit(tabbed(text), Dialect("\t", ""), is_whole)[1] == 1 else best


def named(
    rows: Sequence[Sequence[str]], log_format: LogFormat, wanted: Sequence[str]
) -> tuple[tuple[str, ...], bool, tuple[str, ...]]:
    """Return the names of columns, whether the first line is a header, and that line if it goes unused."""
    first = rows[0]
    positions = tuple(str(position) for position in range(1, len(first) + 1))
    by_position = bool(wanted) and set(wanted) <= set(positions) and not set(wanted) <= set(first)
    has_numbers = any(_NUMBER.fullmatch(name) for name in first)
    if log_format.header is not None:
        has_header = log_format.header == "row"
    elif log_format.layout == MATRIX:
        has_header = True
    elif by_position:
        has_header = _is_header(first, rows[1:_ROWS_COMPARED])
    else:
        has_header = not has_numbers
    if by_position:
        return positions, has_header, tuple(first) if has_header else ()
    if not has_header:
        return positions, False, ()
    names = tuple(name.strip() or position for name, position in zip(first, positions, strict=True))
    return names, True, ()


def _is_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a first line names columns: words over numbers, or usual names of users and items."""
    if any(_NUMBER.fullmatch(name) for name in first):
        return False
    if sum(is_usual(name) for name in first) >= 2:
        return True
    columns = zip(*(row for row in rows if len(row) == len(first)), strict=True)
    return any(all(_NUMBER.fullmatch(cell) for cell in column) for column in columns)


def rows_of(text: str, dialect: Dialect, is_whole: bool) -> list[list[str]]:
    """Split a sample; its last record may be cut off and is left out."""
    rows = [fields for _, _, fields in records(io.StringIO(text, newline=""), dialect)]
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _fit(text: str, dialect: Dialect, is_whole: bool) -> tuple[bool, float, int]:
    """How well a delimiter explains a sample: the share of rows as wide as the first, and the width."""
    rows = rows_of(text, dialect, is_whole)
    if not rows or len(rows[0]) < 2:
        return False, 0.0, 0
    width = len(rows[0])
    return True, round(sum(len(row) == width for row in rows) / len(rows), 1), width


def lines_of(text: str) -> list[str]:
    """Return the lines of a text with their ends."""
    return list(io.StringIO(text, newline=""))


def tabbed(text: str) -> str:
    """Return a text of fields split by blanks as one of fields split by tabs."""
    return "\n".join(re.sub(r"[ \t]+", "\t", line.strip()) for line in lines_of(text))
