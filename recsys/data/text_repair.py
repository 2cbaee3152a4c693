"""A copy of a text without the rows that cannot be split into its columns."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import numpy as np

from recsys.data import text_faults
from recsys.data.bad_rows import BadRow
from recsys.data.compressed import opened
from recsys.data.encodable import is_encodable
from recsys.data.file import Copies, room_for_copy
from recsys.data.text_files import TextFile
from recsys.data.text_records import KeptLines, records
from recsys.errors import LogError

RAGGED, NOT_UTF8 = "rows of more or fewer fields", "rows that are not UTF-8"


def without_bad_rows(text: TextFile, copies: Copies) -> tuple[TextFile, list[BadRow]]:
    """Return a text of which the content is a copy without rows that cannot be split, and those rows.

    Raises
    ------
    LogError
        If quotes do not match, so that it is not known where rows end.
    """
    bad: list[BadRow] = []
    kept: list[int] = []
    copy = copies.new_path()
    width, is_header = len(text.names), text.has_header
    with (
        opened(text.content, text.compression) as plain,
        room_for_copy(),
        copy.open("w", encoding="utf-8") as target,
    ):
        # A byte that is no UTF-8 becomes half of a surrogate pair, by which its record is known.
        whole = io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
        for _ in range(text.skip):
            whole.readline()
        lines = KeptLines(whole)
        try:
            for line, _, record in records(lines, text.dialect, strict=text.dialect.has_quotes):
                line += text.skip
                raw = lines.take().strip("\r\n")
                is_encoded = raw.isascii() or is_encodable(raw)
                if is_encoded and text_faults.is_whole(record, width):
                    target.write(raw + "\n")
                    if not is_header:
                        kept.append(line)
                elif is_encoded:
                    problem = text_faults.ragged(text, len(record), line).problem
                    bad.append(BadRow(text.path, line, RAGGED, problem.rstrip("."), raw))
                else:
                    shown = raw.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
                    bad.append(BadRow(text.path, line, NOT_UTF8, "not UTF-8", shown))
                is_header = False
        except csv.Error as error:
            raise text_faults.diagnose(text) or LogError(str(error), source=text.path) from error
    sound = replace(text, content=copy, compression="none", skip=0, lines=np.array(kept, dtype=np.int64))
    return sound, bad
