"""Copies of text files in UTF-8 and with one delimiter, for those that the database does not read itself."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from recsys.data.compressed import Compression, opened
from recsys.data.file import File, room_for_copy
from recsys.errors import LogError

UTF8 = "utf-8"
_BLANKS = re.compile(r"[ \t]+")
_CHUNK = 1 << 20
_MARKS = {
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def encoding_of(sample: bytes, named: str | None) -> str:
    """Return the encoding of a file: the one named, else UTF-8 unless its first bytes mark it as UTF-16."""
    marked = next((name for mark, name in _MARKS.items() if sample.startswith(mark)), UTF8)
    return named or marked


def write_copy(
    file: File, compression: Compression, copy: Path, *, encoding: str, blanks_to_tabs: bool = False
) -> None:
    """Write a text as UTF-8, uncompressed; its lines stay where they are.

    Parameters
    ----------
    file : File
    compression : {"none", "gzip", "zstd"}
    copy : Path
    encoding : str
        Of ``file``.
    blanks_to_tabs : bool
        Make one tab of each run of blanks, and none at the ends of a line.

    Raises
    ------
    LogError
        At the first line that is not in this encoding.
    """
    with (
        opened(file.path, compression) as plain,
        room_for_copy(),
        copy.open("w", encoding=UTF8, newline="") as target,
    ):
        # By hand, since a text layer would say only that some chunk is wrong, and would keep line ends apart.
        decoder = codecs.getincrementaldecoder(encoding)()
        n_lines, rest = 0, ""
        while True:
            chunk = plain.read(_CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, errors="replace")
                bad = " ".join(f"0x{byte:02x}" for byte in error.object[error.start : error.end][:4])
                raise LogError(
                    f"not {encoding}: {bad} is no character there.",
                    advice="Name another encoding by --encoding.",
                    source=file.name,
                    line=n_lines + before.count("\n") + 1,
                ) from None
            n_lines += text.count("\n")
            if blanks_to_tabs:
                *lines, rest = (rest + text).split("\n")
                target.writelines(_tabbed(line) + "\n" for line in lines)
            else:
                target.write(text)
            if not chunk:
                break
        target.write(_tabbed(rest))


def _tabbed(line: str) -> str:
    return _BLANKS.sub("\t", line.strip(" \t\r"))
