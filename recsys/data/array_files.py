"""Arrays on disk that grow, and arrays that are mapped rather than read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recsys.typing import AnyArray, Int32Array, Int64Array

BLOCK = 1 << 22
"""Entries that are looked at together where an array is too long for memory."""


class Collected:
    """Arrays that become one, in memory."""

    def __init__(self) -> None:
        self._parts: list[AnyArray] = []

    def append(self, values: AnyArray) -> None:
        """Take further values."""
        self._parts.append(values)

    def finish(self) -> Any:
        """Return all values."""
        whole, self._parts = np.concatenate(self._parts), []
        return whole


class GrowingArray:
    """A ``.npy`` file of one dimension that is written from its beginning to its end."""

    def __init__(self, path: Path, dtype: Any) -> None:
        self.path = path
        self.dtype = np.dtype(dtype)
        self._n = 0
        path.write_bytes(self._header())

    def append(self, values: AnyArray) -> None:
        """Write further values."""
        with self.path.open("ab") as file:  # no longer open than this: an error leaves no file open
            np.ascontiguousarray(values, dtype=self.dtype).tofile(file)
        self._n += len(values)

    def close(self) -> None:
        """Write the length."""
        with self.path.open("r+b") as file:
            file.write(self._header())

    def finish(self) -> Any:
        """Write the length and return the array, mapped so that it can be changed."""
        self.close()
        return mapped(self.path, mode="r+")

    def _header(self) -> bytes:
        # NumPy pads a header so that the length along the first axis can grow in place.
        header = io.BytesIO()
        about = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self._n,),
        }
        np.lib.format.write_array_header_1_0(header, about)
        return header.getvalue()


def mapped(path: Path, mode: Any = "r") -> Any:
    """Return the array of a ``.npy`` file without reading it; an empty one, which cannot be mapped, is read.

    Raises
    ------
    OSError, ValueError
        If there is no such file, or it is none of this kind.
    """
    try:
        return np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
    except ValueError:
        array = np.load(path, allow_pickle=False)
        if len(array):
            raise
        return np.asarray(array)


def blocks(n: int, size: int = BLOCK) -> Iterator[slice]:
    """Yield slices that cut n entries into blocks."""
    for first in range(0, n, size):
        yield slice(first, min(first + size, n))


def counts_of(numbers: Int32Array, n: int) -> Int64Array:
    """Return how often each of n numbers stands in an array that may be mapped."""
    counts = np.zeros(n, dtype=np.int64)
    for block in blocks(len(numbers)):
        counts += np.bincount(numbers[block], minlength=n)
    return counts
