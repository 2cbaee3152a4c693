"""Text files of columns: how they are laid out.

DuckDB reads the rows. What it would guess (delimiter, header) is decided here, because a wrong
guess drops lines silently.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recsys.data import sections, text_copies
from recsys.data.columns import listed
from recsys.data.compressed import Compression, opened
from recsys.data.file import Copies, File
from recsys.data.log_format import BLANKS, LISTS, SECTIONS, SKIP, LogFormat
from recsys.data.text_layout import DELIMITERS, dialect_of, found_delimiter, lines_of, named, rows_of, tabbed
from recsys.data.text_records import Dialect
from recsys.errors import LogError
from recsys.typing import Int64Array

LINE = "line"
"""The one column of a file of lists or of sections."""

_SEPARATOR = re.compile(r"sep=([,;|\t])(\r\n|\r|\n)(?=.)")  # spreadsheets write it above the header
_NOWHERE = "\x01"
_SAMPLE = 1 << 18
_CONTROLS = bytes([*range(1, 8), *range(14, 32)])
_FEW_NULS = 20  # of as many bytes: fewer are damage in a text, not another kind of file


@dataclass(frozen=True)
class TextFile:
    """A text file and its layout.

    Attributes
    ----------
    path : str
        The file as it was named, for messages.
    content : Path
        Where its text stands in UTF-8: itself, or a copy.
    compression : {"none", "gzip", "zstd"}
        Of the content.
    encoding : str
        Of the file.
    is_spaced : bool
        Whether runs of blanks stand between its fields; they are tabs in the content.
    dialect : Dialect
        Of the content.
    names : tuple of str
        Names of the header, or positions "1", "2" ... where there is none, or positions were asked for.
    has_header : bool
    skip : int
        Lines before the header or the first row.
    header : tuple of str
        The fields of the first line, if it is a header that goes unused because positions were asked for.
    line_delimiter : str
        What stands between the parts of a line, if lines are split later: those of lists and of sections.
    n_fields : int
        Of a row in a section; 0 in other layouts.
    lines : int64, shape (n_rows,), optional
        The line of each row in the file, if the content is a copy without some rows.
    """

    path: str
    content: Path
    compression: Compression
    encoding: str
    is_spaced: bool
    dialect: Dialect
    names: tuple[str, ...]
    has_header: bool
    skip: int
    header: tuple[str, ...] = ()
    line_delimiter: str = ""
    n_fields: int = 0
    lines: Int64Array | None = None

    @property
    def delimiter(self) -> str:
        """What stands between fields, as people say it."""
        if self.line_delimiter:
            return self.line_delimiter
        return BLANKS if self.is_spaced else self.dialect.delimiter


def examine(
    file: File,
    compression: Compression,
    log_format: LogFormat,
    copies: Copies,
    wanted: Sequence[str] = (),
) -> TextFile:
    """Find the layout of a text file.

    Parameters
    ----------
    file : File
    compression : {"none", "gzip", "zstd"}
    log_format : LogFormat
        What is given of it.
    copies : Copies
        Where a copy in UTF-8 is written, if the file is none.
    wanted : sequence of str
        Column names given by the caller: if they are all positions and the first line does not
        hold them, columns go by position.

    Raises
    ------
    LogError
        If the file is empty, binary, not in its encoding, has one column only, or names a column twice.
    """
    path = file.path
    with opened(path, compression) as plain:
        sample = plain.read(_SAMPLE)
        is_whole = not plain.read(1)
    encoding = text_copies.encoding_of(sample, log_format.encoding)
    text = _decoded(file, compression, sample, is_whole, encoding, skips=log_format.on_bad_row == SKIP)
    skip = log_format.skip or 0
    rest = "".join(lines_of(text)[skip:])
    if not rest.strip():
        raise LogError(
            "the file is empty." if not text.strip() else f"it has no more than {skip} lines to skip.",
            source=file.name,
        )
    skip += _leading_blank(rest)
    rest = rest.lstrip("\r\n")
    named_by_spreadsheet = _SEPARATOR.match(rest)
    if named_by_spreadsheet and log_format.delimiter in (None, named_by_spreadsheet[1]):
        log_format = replace(log_format, delimiter=named_by_spreadsheet[1])
        skip, rest = skip + 1, rest[named_by_spreadsheet.end() :]
    if log_format.layout in (LISTS, SECTIONS):
        if log_format.layout == LISTS:
            delimiter, n_fields = log_format.delimiter or _list_delimiter(rest), 0
        else:
            delimiter, n_fields = sections.layout_of(file, rest, skip + 1, log_format, is_whole=is_whole)
        return _of_lines(file, compression, log_format, copies, encoding, skip, delimiter, n_fields)
    delimiter = log_format.delimiter or found_delimiter(rest, log_format, is_whole)
    dialect = dialect_of(log_format, delimiter)
    if delimiter == BLANKS:
        rest = tabbed(rest)
    rows = rows_of(rest, dialect, is_whole)
    if len(rows[0]) < 2:
        raise _one_column(file.name, rest, log_format, skip + 1)
    names, has_header, header = named(rows, log_format, wanted)
    check_unique(names, file.name, line=skip + 1)
    return TextFile(
        file.name,
        *_readable(file, compression, copies, encoding, blanks_to_tabs=delimiter == BLANKS),
        encoding,
        delimiter == BLANKS,
        dialect,
        names,
        has_header,
        skip,
        header,
    )


def _readable(
    file: File, compression: Compression, copies: Copies, encoding: str, *, blanks_to_tabs: bool = False
) -> tuple[Path, Compression]:
    """Return what the database reads and how that is compressed: the file, or a copy where it cannot."""
    if encoding == text_copies.UTF8 and not blanks_to_tabs:
        return file.path, compression
    content = copies.new_path()
    text_copies.write_copy(file, compression, content, encoding=encoding, blanks_to_tabs=blanks_to_tabs)
    return content, "none"


def _list_delimiter(text: str) -> str:
    """Return what stands between the items of lists, by their first line."""
    first = lines_of(text)[0]
    counts = {mark: first.count(mark) for mark in DELIMITERS if mark != "\t"}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] and " " not in first.strip() and "\t" not in first else BLANKS


def _of_lines(
    file: File,
    compression: Compression,
    log_format: LogFormat,
    copies: Copies,
    encoding: str,
    skip: int,
    delimiter: str,
    n_fields: int,
) -> TextFile:
    """Return a file of lists or sections as one of one column; each line is split later."""
    return TextFile(
        file.name,
        *_readable(file, compression, copies, encoding),
        encoding,
        False,
        Dialect(_NOWHERE, "", ""),
        (LINE,),
        log_format.header == "row" and not n_fields,
        skip,
        line_delimiter=delimiter,
        n_fields=n_fields,
    )


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


def first_undecodable(path: Path, name: str, compression: Compression) -> LogError | None:
    """Return an error for the first line that is not UTF-8, None if all are; messages call it ``name``."""
    with opened(path, compression) as plain:
        for number, line in enumerate(plain, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                # Bytes 0x80 to 0x9f are letters and marks in Windows-1252, nothing in Latin-1.
                likely = "windows-1252" if any(0x80 <= byte <= 0x9F for byte in line) else "latin-1"
                return LogError(
                    f"not UTF-8: byte 0x{line[error.start]:02x} in "
                    f"{_short(line.decode('latin1').strip())!r}.",
                    advice=f"Name its encoding, most likely --encoding {likely}.",
                    source=name,
                    line=number,
                )
    return None


def _decoded(
    file: File, compression: Compression, sample: bytes, is_whole: bool, encoding: str, *, skips: bool
) -> str:
    if encoding == text_copies.UTF8 and b"\0" in sample:
        n_controls = len(sample) - len(sample.translate(None, _CONTROLS))
        if n_controls == 0 and sample.count(b"\0") * _FEW_NULS < len(sample):
            raise LogError(
                "a NUL byte, which stands in no text.",
                advice="Remove such bytes, or export the file anew.",
                source=file.name,
                line=sample[: sample.index(b"\0")].count(b"\n") + 1,
            )
        raise LogError(
            "the file is binary; expected text of columns, Parquet or JSON lines.",
            advice="A spreadsheet must be exported first; UTF-16 text without a byte order mark is read with "
            "--encoding utf-16-le.",
            source=file.name,
        )
    name = "utf-8-sig" if encoding == text_copies.UTF8 else encoding
    try:
        errors = "replace" if skips else "strict"
        return codecs.getincrementaldecoder(name)(errors).decode(sample, final=is_whole)
    except UnicodeDecodeError as problem:
        error = first_undecodable(file.path, file.name, compression) if encoding == text_copies.UTF8 else None
        if error is None:
            line = sample[: problem.start].count(b"\n") + 1
            raise LogError(
                f"not {encoding}: {problem.reason}.",
                advice="Name another encoding by --encoding.",
                source=file.name,
                line=line,
            ) from None
        raise error from None


def _one_column(name: str, text: str, log_format: LogFormat, line: int) -> LogError:
    first = lines_of(text)[0].rstrip("\r\n")
    if log_format.delimiter is not None:
        problem = f"one column only: {log_format.delimiter!r} does not stand in the first line"
        advice = "Leave --delimiter out to have it recognised."
    else:
        tried = ", ".join(DELIMITERS.values())
        problem = f"one column only: none of the delimiters tried ({tried}) stands in the first line"
        advice = "A log needs at least a user and an item column; name another delimiter by --delimiter."
        if len(first.split()) > 1:
            advice += " If lines are a user and all items of the user, add --layout lists."
    return LogError(f"{problem}, {_short(first)!r}.", advice=advice, source=name, line=line)


def _leading_blank(text: str) -> int:
    blank = text[: len(text) - len(text.lstrip("\r\n"))]
    return len(re.findall(r"\r\n|\r|\n", blank))


def _short(line: str, most: int = 80) -> str:
    return line if len(line) <= most else f"{line[:most]}..."
