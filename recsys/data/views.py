"""The entries of a log from both sides, written once: made a range of rows at a time, and mapped.

::

    user_indptr.npy user_columns.npy user_values.npy    entries by user
    item_indptr.npy item_columns.npy item_values.npy    the same by item
    entry_times.npy                                     the time of each entry by user, if there are times
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from recsys.data.array_files import BLOCK, GrowingArray, blocks, counts_of, mapped
from recsys.data.duplicates import JoinedPairs, stable_order
from recsys.data.log import Log
from recsys.data.rows import CompressedRows
from recsys.errors import LogError
from recsys.typing import AnyArray, Float32Array, Int32Array, Int64Array

_PARTS = ("indptr", "columns", "values")
_BYTES_OF_EVENT = 120  # what sorting and joining an event takes
_DTYPES: Mapping[str, type] = {
    "indptr": np.int64,
    "columns": np.int32,
    "values": np.float32,
    "times": np.int64,
}


@dataclass(frozen=True, eq=False)
class MappedViews:
    """The entries of a prepared log, mapped; they are checked when they are asked for.

    Attributes
    ----------
    folder : Path
    duplicates : str
        The rule by which repeats were joined.
    shape : (n_users, n_items)
    n_entries : int
    arrays : mapping of str to array
        By the names of the files.
    """

    folder: Path
    duplicates: str
    shape: tuple[int, int]
    n_entries: int
    arrays: Mapping[str, AnyArray]

    @classmethod
    def of(
        cls, folder: Path, duplicates: str, shape: tuple[int, int], n_entries: int, *, has_times: bool
    ) -> MappedViews:
        """Map the files of a folder; whoever writes it anew takes nothing away from what is mapped.

        Raises
        ------
        LogError
            If a file is missing, or not of the length that it must be.
        """
        lengths = {"user_indptr": shape[0] + 1, "item_indptr": shape[1] + 1}
        lengths |= {
            f"{side}_{part}": n_entries for side in ("user", "item") for part in ("columns", "values")
        }
        if has_times:
            lengths["entry_times"] = n_entries
        arrays = {}
        for name, n in lengths.items():
            try:
                arrays[name] = mapped(folder / f"{name}.npy")
            except (OSError, ValueError, EOFError) as error:
                raise _damaged(folder, name) from error
            if arrays[name].dtype != _DTYPES[name.split("_")[1]] or arrays[name].shape != (n,):
                raise _damaged(folder, name)
        return cls(folder, duplicates, shape, n_entries, arrays)

    def entries(self) -> tuple[CompressedRows, CompressedRows, Int64Array | None]:
        """Return the entries by user, by item, and their times.

        Raises
        ------
        LogError
            If a file does not hold what it must.
        """
        n_users, n_items = self.shape
        times = self.arrays.get("entry_times")
        return (
            self._side("user", n_items),
            self._side("item", n_users),
            None if times is None else np.asarray(times, dtype=np.int64),
        )

    def _side(self, side: str, n_columns: int) -> CompressedRows:
        indptr, columns, values = (cast(Any, self.arrays[f"{side}_{part}"]) for part in _PARTS)
        if indptr[0] != 0 or indptr[-1] != self.n_entries or np.any(indptr[1:] < indptr[:-1]):
            raise _damaged(self.folder, f"{side}_indptr")
        # Read as unsigned a number below 0 is beyond all others.
        if any(columns[block].view(np.uint32).max() >= n_columns for block in blocks(len(columns))):
            raise _damaged(self.folder, f"{side}_columns")
        return CompressedRows(indptr, columns, values, n_columns)


def _damaged(folder: Path, name: str) -> LogError:
    return LogError(
        "missing, or not what was written.", advice="Prepare the log anew.", source=folder / f"{name}.npy"
    )


def write_views(log: Log, folder: Path, duplicates: str, memory: int | None = None) -> int:
    """Join the events of each pair, and write the entries from both sides.

    Parameters
    ----------
    log : Log
        Every user and item has an event.
    folder : Path
        Where the files go.
    duplicates : str
        See `Interactions.from_log`.
    memory : int, optional
        Bytes that this may take; without, all events are joined at once.

    Returns
    -------
    int
        Number of entries.

    Raises
    ------
    InputError
        As of `Interactions.from_log`.
    """
    n_users, n_items = len(log.user_ids), len(log.item_ids)
    most = len(log) if memory is None else max(memory // _BYTES_OF_EVENT, BLOCK // 8)
    by_user = {part: GrowingArray(folder / f"user_{part}.npy", _DTYPES[part]) for part in _PARTS}
    times = None if log.times is None else GrowingArray(folder / "entry_times.npy", np.int64)
    by_user["indptr"].append(np.zeros(1))
    n_entries = 0
    for first, last in _ranges(counts_of(log.users, n_users), most):
        events = _inside(log.users, first, last)
        users = log.users[events].astype(np.int64) - first
        keys = users * n_items + log.items[events]
        joined = JoinedPairs.of(
            keys, log.values[events], None if log.times is None else log.times[events], duplicates
        )
        rows, columns = np.divmod(joined.keys, n_items)
        counts = np.bincount(rows, minlength=last - first)
        by_user["indptr"].append(n_entries + np.cumsum(counts))
        by_user["columns"].append(columns)
        by_user["values"].append(joined.values)
        if times is not None and joined.times is not None:
            times.append(joined.times)
        n_entries += len(columns)
    for array in (*by_user.values(), *([] if times is None else [times])):
        array.close()
    rows_of_users = [mapped(folder / f"user_{part}.npy") for part in _PARTS]
    _write_items(folder, *rows_of_users, n_items=n_items, most=most)
    return n_entries


def _write_items(
    folder: Path, indptr: Int64Array, columns: Int32Array, values: Float32Array, *, n_items: int, most: int
) -> None:
    by_item = {part: GrowingArray(folder / f"item_{part}.npy", _DTYPES[part]) for part in _PARTS}
    counts = counts_of(columns, n_items)
    by_item["indptr"].append(np.r_[0, np.cumsum(counts)])
    for first, last in _ranges(counts, most):
        entries = _inside(columns, first, last)
        # Entries stand by user: a stable order by item leaves the users of each item ascending.
        order = stable_order(columns[entries].astype(np.int64))
        # In the order of the entries a search finds the bounds of the last user again, near by.
        users = np.searchsorted(indptr, entries, side="right") - 1
        by_item["columns"].append(users[order])
        by_item["values"].append(values[entries][order])
    for array in by_item.values():
        array.close()


def _ranges(counts: Int64Array, most: int) -> list[tuple[int, int]]:
    """Cut rows into ranges with no more than ``most`` entries each, or of a single row."""
    ends = np.cumsum(counts)
    cuts, first = [], 0
    while first < len(counts):
        before = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, before + most, side="right")), first + 1)
        cuts.append((first, last))
        first = last
    return cuts


def _inside(numbers: Int32Array, first: int, last: int) -> Int64Array:
    """Return the positions of numbers from ``first`` up to ``last``."""
    parts = []
    for block in blocks(len(numbers)):
        part = numbers[block]
        parts.append(block.start + np.flatnonzero((part >= first) & (part < last)))
    return np.concatenate(parts)
