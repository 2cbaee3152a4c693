"""New entries put among those that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.typing import Int64Array


@dataclass(frozen=True, eq=False)
class Places:
    """Where new entries belong among sorted entries.

    Attributes
    ----------
    order : int64, (n_new,)
        The new entries by row and column; the rest is in this order.
    at : int64, (n_new,)
        Place of the known entry each new one meets, or before which it goes.
    known : bool, (n_new,)
        Whether the pair has an entry already.
    """

    order: Int64Array
    at: Int64Array
    known: Any

    def put(self, there: Any, new: Any) -> Any:
        """Return ``there`` with ``new`` in its places; a known pair takes the new value."""
        new = new[self.order]
        joined = there.copy()
        joined[self.at[self.known]] = new[self.known]
        return np.insert(joined, self.at[~self.known], new[~self.known])


def places(there: CompressedRows, rows: Int64Array, columns: Int64Array, n_columns: int) -> Places:
    """Find where entries belong.

    Parameters
    ----------
    there : CompressedRows
    rows, columns : int64, (n_new,)
        Of the new entries; no pair twice, numbers beyond ``there`` allowed.
    n_columns : int
        Of both together.
    """
    keys = there.row_numbers * n_columns + there.columns
    new_keys = rows * n_columns + columns
    order = np.argsort(new_keys)
    at = np.searchsorted(keys, new_keys[order])
    known = np.zeros(len(at), dtype=bool)
    inside = at < len(keys)
    known[inside] = keys[at[inside]] == new_keys[order][inside]
    return Places(order, at, known)
