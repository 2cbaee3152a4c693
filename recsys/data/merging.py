"""Merging of new entries into sorted ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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
