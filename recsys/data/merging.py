"""Merging of new entries into sorted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.matrices import check_values
from recsys.data.rows import CompressedRows
from recsys.typing import Int64Array


@dataclass(frozen=True, eq=False)
class MergePositions:
    """Where new entries belong among sorted entries.

    Attributes
    ----------
    order : int64, (n_new,)
        The new entries by row and column; the rest is in this order.
    positions : int64, (n_new,)
        Position of the stored entry each new one meets, or before which it goes.
    is_stored : bool, (n_new,)
        Whether the pair has an entry already.
    """

    order: Int64Array
    positions: Int64Array
    is_stored: Any

    def merge(self, stored: Any, new: Any) -> Any:
        """Return ``stored`` with ``new`` in its positions; a stored pair takes the new value."""
        new = new[self.order]
        merged = stored.copy()
        merged[self.positions[self.is_stored]] = new[self.is_stored]
        return np.insert(merged, self.positions[~self.is_stored], new[~self.is_stored])


def merge_positions(
    stored: CompressedRows, rows: Int64Array, columns: Int64Array, n_columns: int
) -> MergePositions:
    """Return where new entries belong among stored ones.

    Parameters
    ----------
    stored : CompressedRows
    rows, columns : int64, (n_new,)
        Of the new entries; no pair twice, numbers beyond ``stored`` allowed.
    n_columns : int
        Of both together.
    """
    keys = stored.row_numbers * n_columns + stored.columns
    new_keys = rows * n_columns + columns
    order = np.argsort(new_keys)
    positions = np.searchsorted(keys, new_keys[order])
    is_stored = np.zeros(len(positions), dtype=bool)
    inside = positions < len(keys)
    is_stored[inside] = keys[positions[inside]] == new_keys[order][inside]
    return MergePositions(order, positions, is_stored)


def merge_entries(
    stored: tuple[CompressedRows, Int64Array | None],
    new: tuple[CompressedRows, Int64Array | None],
    users: Int64Array,
    items: Int64Array,
    shape: tuple[int, int],
    *,
    adds: bool,
) -> tuple[CompressedRows, Int64Array | None]:
    """Merge new entries and their times into stored ones.

    Parameters
    ----------
    stored, new : pair of CompressedRows and int64, (nnz,), or None
        Entries and the time of each.
    users, items : int64
        The row and the column number, in the merged matrix, of each row and column of ``new``.
    shape : tuple of int
        Of the merged matrix.
    adds : bool
        Whether a pair that is in both takes the sum; else it takes the new value.

    Returns
    -------
    rows : CompressedRows
    times : int64, (nnz,), or None
        The later one of a pair; None if either side has none.

    Raises
    ------
    InputError
        If a sum is beyond float32.
    """
    (rows, times), (new_rows, new_times) = stored, new
    n_users, n_items = shape
    of_user, of_item = users[new_rows.row_numbers], items[new_rows.columns]
    merging = merge_positions(rows, of_user, of_item, n_items)
    met, positions = merging.order[merging.is_stored], merging.positions[merging.is_stored]
    values = new_rows.values.astype(np.float64)
    if adds:
        values[met] += rows.values[positions]
        check_values(values)
    counts = np.zeros(n_users, dtype=np.int64)
    counts[: rows.n_rows] = rows.counts
    counts += np.bincount(of_user[merging.order][~merging.is_stored], minlength=n_users)
    merged_times = None
    if times is not None and new_times is not None:
        later = new_times.copy()
        later[met] = np.maximum(later[met], times[positions])
        merged_times = merging.merge(times, later)
    merged = CompressedRows(
        np.r_[0, np.cumsum(counts)],
        merging.merge(rows.columns, of_item.astype(np.int32)),
        merging.merge(rows.values, values.astype(np.float32)),
        n_items,
    )
    return merged, merged_times
