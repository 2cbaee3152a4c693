"""Texts in sections: headings such as ``17:``, each over the rows that belong to it."""

from __future__ import annotations

import re

from recsys.data.file import File
from recsys.data.log_format import BLANKS, LogFormat
from recsys.data.text_layout import dialect_of, found_delimiter, lines_of, rows_of, tabbed
from recsys.errors import LogError

SECTION = "section"
"""The column of headings."""

HEADING = r"^\s*([^,;\t|]*\S)\s*:\s*$"
"""A line that is one field and ends in a colon; its group is the heading."""


def layout_of(file: File, text: str, line: int, log_format: LogFormat, *, is_whole: bool) -> tuple[str, int]:
    """Return what stands between the fields of rows in sections, and their number.

    Parameters
    ----------
    file : File
    text : str
        A sample, from the first line that is not blank.
    line : int
        The number of that line.
    log_format : LogFormat
    is_whole : bool
        Whether the sample is all of the text.

    Raises
    ------
    LogError
        If the text does not begin with a heading, or there is no row below one.
    """
    first = text.partition("\n")[0].rstrip("\r")
    if not re.match(HEADING, first):
        raise LogError(
            f"found {first[:80]!r}; expected a heading that ends in a colon, such as '17:', over the rows of "
            f"its section.",
            advice="Leave --layout sections out, or the lines above the first heading with --skip.",
            source=file.name,
            line=line,
        )
    below = "".join(row for row in lines_of(text) if row.strip() and not re.match(HEADING, row))
    if not below:
        raise LogError("headings, and no row below them.", source=file.name)
    delimiter = log_format.delimiter or found_delimiter(below, log_format, is_whole)
    if delimiter == BLANKS:
        below = tabbed(below)
    return delimiter, len(rows_of(below, dialect_of(log_format, delimiter), is_whole)[0])
