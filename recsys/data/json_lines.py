"""JSON lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from recsys.data import compressed
from recsys.data.compressed import Compression
from recsys.data.file import File
from recsys.errors import LogError

ENDINGS = (".json", ".jsonl", ".ndjson")
REMEDY = "Expected one JSON object a line, or one array of objects."


def is_array(path: Path, compression: Compression) -> bool:
    """Return whether a file is one JSON array of objects rather than an object a line."""
    with compressed.opened(path, compression) as plain:
        return plain.read(1 << 12).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")


def line_of(files: Sequence[File], row: int) -> tuple[str, int]:
    """Return the file and the line of a row, counted from 0 over all files; empty lines are none."""
    file, number = files[0], 0
    for file in files:
        with compressed.opened(file.path, compressed.compression_in(file.path)) as plain:
            for number, line in enumerate(plain, start=1):
                row -= bool(line.strip())
                if row < 0:
                    return file.name, number
    return file.name, number


def diagnose(files: Sequence[File]) -> LogError | None:
    """Return what is wrong with the first line that is no JSON object; None if all are."""
    for file in files:
        with compressed.opened(file.path, compressed.compression_in(file.path)) as plain:
            for number, line in enumerate(plain, start=1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except ValueError as error:
                    reason = (getattr(error, "msg", None) or str(error)).removesuffix(" at")
                    column = f" at character {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                    return LogError(
                        f"no JSON: {reason[:1].lower()}{reason[1:]}{column}.",
                        advice=REMEDY,
                        source=file.name,
                        line=number,
                    )
                if not isinstance(value, dict):
                    return LogError(
                        f"its lines are no JSON objects, here {line.decode(errors='replace').strip():.60}.",
                        advice=REMEDY,
                        source=file.name,
                        line=number,
                    )
    return None
