"""Files of named arrays (safetensors): data alone, nothing that runs code."""

from __future__ import annotations

import json
import math
import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from recsys.errors import ModelError
from recsys.typing import AnyArray

Content: TypeAlias = bytearray | mmap.mmap
"""All bytes of a file, read or mapped; what is written there is seen by nobody else."""
_MOST_HEADER = 100 * 2**20
_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def write_arrays(arrays: Mapping[str, AnyArray], path: Path, metadata: dict[str, str]) -> None:
    """Write arrays and what is to be said beside them.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    try:
        save_file(contiguous, path, metadata)
    except SafetensorError as error:  # it hides the operating system's error in its text
        number = re.search(r"os error (\d+)", str(error))
        if number is None:
            raise OSError(f"{path.name}: {error}") from error
        raise OSError(int(number[1]), os.strerror(int(number[1])), path.name) from error


def read_content(path: Path) -> bytearray:
    """Return all bytes of a file, in memory that is nobody else's."""
    content = bytearray(path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        n, view = 0, memoryview(content)
        while n < len(content) and (more := file.readinto(view[n:])):
            n += more
    return content


def mapped_content(file: BinaryIO) -> Content:
    """Return all bytes of an open file as they are mapped: read when looked at, shared between processes.

    The file may be closed, renamed or deleted then. It must not be changed in place, which no write of ours
    does: a new one there is another file.
    """
    size = os.fstat(file.fileno()).st_size
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY) if size else bytearray()


def arrays_in(content: Content, name: str) -> tuple[dict[str, AnyArray], dict[str, Any]]:
    """Return the arrays of a safetensors file, as views of its content, and what it says beside them.

    Parameters
    ----------
    content : bytearray or mmap
    name : str
        Of the file, for messages.

    Raises
    ------
    ModelError
        If it is none: the header must be JSON, and the arrays fill what follows without gap or overlap.
    """
    n_header = int.from_bytes(content[:8], "little")
    if len(content) < 8 or n_header > min(len(content) - 8, _MOST_HEADER):
        raise ModelError(f"{name} cannot be read: it is no safetensors file.")
    header = json.loads(bytes(content[8 : 8 + n_header]))
    if not isinstance(header, dict):
        raise ModelError(f"{name} cannot be read: it has no header.")
    metadata = header.pop("__metadata__", {})
    end, arrays = 0, {}
    for key, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (start, stop) = np.dtype(_DTYPES[entry["dtype"]]), entry["shape"], entry["data_offsets"]
        if not all(type(number) is int and number >= 0 for number in (*shape, start, stop)):
            raise ModelError(f"{name} cannot be read: array {key!r} has no shape.")
        n = math.prod(shape)
        if start != end or stop != start + n * dtype.itemsize or 8 + n_header + stop > len(content):
            raise ModelError(f"{name} cannot be read: array {key!r} is not where it says.")
        array = np.frombuffer(content, dtype, n, 8 + n_header + start).reshape(shape)
        arrays[key] = array if array.flags.aligned else array.copy()
        end = stop
    if 8 + n_header + end != len(content):
        raise ModelError(f"{name} cannot be read: it holds more than its arrays.")
    return arrays, metadata
