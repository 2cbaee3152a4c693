"""Files as plain bytes, whether they are compressed or not."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa

from recsys.errors import LogError, OutputError

Compression = Literal["none", "gzip", "zstd"]

_MAGIC: dict[bytes, Compression] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_CHUNK = 1 << 20


def compression_of(path: Path, head: bytes) -> Compression:
    """Return the compression of a file, known by its first bytes; they must agree with its suffix."""
    compression = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")
    for suffix, kind in ((".gz", "gzip"), (".zst", "zstd")):
        if path.suffix.lower() == suffix and compression != kind:
            raise LogError(
                f"named {suffix}, but its content is not {kind}.",
                advice="Rename the file, or download it again if it was cut off.",
                source=path,
            )
    return compression  # type: ignore[return-value]


def compression_in(path: Path) -> Compression:
    """Return the compression of a file by its own first bytes."""
    return compression_of(path, head_of(path))


def head_of(path: Path, n_bytes: int = 8) -> bytes:
    """Return the first bytes of a file as they are."""
    with opened(path, "none") as file:
        return file.read(n_bytes)


@contextmanager
def opened(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    """Open a file for reading plain bytes; a damaged or forbidden file becomes a LogError."""
    try:
        with path.open("rb") as raw:
            if compression == "gzip":
                with gzip.GzipFile(fileobj=raw) as plain:
                    yield plain  # type: ignore[misc]
            elif compression == "zstd":
                with pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd") as plain:
                    yield io.BufferedReader(plain)
            else:
                yield raw
    except OutputError:
        raise  # of what the body writes
    except PermissionError as error:
        raise LogError(
            "no permission to read it.", advice="Change its mode or its owner.", source=path
        ) from error
    except (EOFError, zlib.error, OSError) as error:
        raise LogError(
            f"could not be read to its end ({error}).",
            advice="Download or write it again, the file is damaged or cut off."
            if compression != "none"
            else "",
            source=path,
        ) from error


def verify(path: Path, compression: Compression) -> None:
    """Read a compressed file to its end; DuckDB takes the garbage of a damaged one for data."""
    if compression != "none":
        with opened(path, compression) as file:
            while file.read(_CHUNK):
                pass
