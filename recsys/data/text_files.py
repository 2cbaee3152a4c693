"""Text files of columns: how they are laid out.

DuckDB reads the rows. What it would guess (delimiter, header) is decided here, because a wrong
guess drops lines silently.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recsys.data.columns import listed
from recsys.data.compressed import Compression, opened
from recsys.errors import LogError

DELIMITERS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}

_SAMPLE = 1 << 18
_NUMBER = re.compile(r"\s*[-+]?(\d+[.,]?\d*|[.,]\d+)([eE][-+]?\d+)?\s*")


@dataclass(frozen=True)
class TextFile:
    """A text file and its layout.

    Attributes
    ----------
    path : Path
    compression : {"none", "gzip", "zstd"}
    delimiter : str
    names : tuple of str
        Names of the header, or positions "1", "2" ... where there is none.
    has_header : bool
    skip : int
        Empty lines before the first that is not.
    """

    path: Path
    compression: Compression
    delimiter: str
    names: tuple[str, ...]
    has_header: bool
    skip: int


def examine(path: Path, compression: Compression, wanted: Sequence[str] = ()) -> TextFile:
    """Find the layout of a text file.

    Parameters
    ----------
    path : Path
    compression : {"none", "gzip", "zstd"}
    wanted : sequence of str
        Column names given by the caller: if they are all positions and the first line does not
        hold them, the file is taken to have no header.

    Raises
    ------
    LogError
        If the file is empty, binary, not UTF-8, has one column only, or names a column twice.
    """
    with opened(path, compression) as file:
        sample = file.read(_SAMPLE)
        is_whole = not file.read(1)
    text = _decoded(path, compression, sample, is_whole)
    if not text.strip():
        raise LogError("the file is empty.", source=path)
    delimiter = max(DELIMITERS, key=lambda candidate: _fit(text, candidate, is_whole))
    rows = _rows(text, delimiter, is_whole)
    first = rows[0] if rows else []
    if len(first) < 2:
        tried = ", ".join(DELIMITERS.values())
        line = text.lstrip("\r\n").splitlines()[0]
        raise LogError(
            f"one column only: none of the delimiters tried ({tried}) stands in the first line, "
            f"{_short(line)!r}.",
            advice="A log needs at least a user and an item column.",
            source=path,
            line=_leading_blank(text) + 1,
        )
    positions = tuple(str(position) for position in range(1, len(first) + 1))
    by_position = bool(wanted) and set(wanted) <= set(positions) and not set(wanted) <= set(first)
    has_header = not by_position and not any(_NUMBER.fullmatch(field) for field in first)
    names = (
        tuple(name or position for name, position in zip(first, positions, strict=True))
        if has_header
        else positions
    )
    check_unique(names, path, line=_leading_blank(text) + 1)
    return TextFile(path, compression, delimiter, names, has_header, _leading_blank(text))


def check_unique(names: Sequence[str], source: str | Path, line: int | None = None) -> None:
    """Raise unless column names differ (in more than case: SQL does not tell those apart)."""
    folded = [name.lower() for name in names]
    twice = [name for name in names if folded.count(name.lower()) > 1]
    if twice:
        raise LogError(
            f"column name {twice[0]!r} stands more than once among {listed(names)}.",
            advice="Rename one; upper and lower case count as the same.",
            source=source,
            line=line,
        )


@contextmanager
def fields_of_any_length() -> Iterator[None]:
    """Lift the limit of Python's csv module on the length of a field."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _decoded(path: Path, compression: Compression, sample: bytes, is_whole: bool) -> str:
    for bom, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if sample.startswith(bom):
            raise LogError(
                f"the text is {encoding}; expected UTF-8.",
                advice=f"Convert it, e.g. with: iconv -f {encoding} -t utf-8",
                source=path,
            )
    if b"\0" in sample:
        raise LogError(
            "the file is binary; expected text of columns, Parquet or JSON lines.",
            advice="A zip archive or a spreadsheet must be unpacked or exported first.",
            source=path,
        )
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(sample, final=is_whole)
    except UnicodeDecodeError:
        error = first_undecodable(path, compression)
        assert error is not None
        raise error from None


def first_undecodable(path: Path, compression: Compression) -> LogError | None:
    """Return an error for the first line that is not UTF-8, None if all are."""
    with opened(path, compression) as plain:
        for number, line in enumerate(plain, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return LogError(
                    f"not UTF-8: byte 0x{line[error.start]:02x} in "
                    f"{_short(line.decode('latin1').strip())!r}.",
                    advice="Convert the file, e.g. with: iconv -f latin1 -t utf-8",
                    source=path,
                    line=number,
                )
    return None


def _rows(text: str, delimiter: str, is_whole: bool) -> list[list[str]]:
    """Split a sample; its last record may be cut off and is left out."""
    with fields_of_any_length():
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    return [row for row in (rows if is_whole or len(rows) < 2 else rows[:-1]) if row]


def _fit(text: str, delimiter: str, is_whole: bool) -> tuple[bool, float, int]:
    """How well a delimiter explains a sample: the share of rows as wide as the first, and the width."""
    rows = _rows(text, delimiter, is_whole)
    if not rows or len(rows[0]) < 2:
        return False, 0.0, 0
    width = len(rows[0])
    return True, round(sum(len(row) == width for row in rows) / len(rows), 1), width


def _leading_blank(text: str) -> int:
    blank = text[: len(text) - len(text.lstrip("\r\n"))]
    return len(re.findall(r"\r\n|\r|\n", blank))


def _short(line: str, most: int = 80) -> str:
    return line if len(line) <= most else f"{line[:most]}..."
