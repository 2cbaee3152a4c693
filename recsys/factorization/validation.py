"""Entries held out of a fit, for early stopping and for the choice among several starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys import rng
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.factorization.entries import Entries
from recsys.typing import Float32Array, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class HeldOutEntries:
    """The entries that a fit does not see.

    Attributes
    ----------
    users, items : int64, (n,)
        By user, then by item.
    values : float64, (n,)
    seen : CompressedRows, (n_users, n_items)
        The entries that the fit does see.
    weights : float32, (n,), optional
    """

    users: Int64Array
    items: Int64Array
    values: Float64Array
    seen: CompressedRows
    weights: Float32Array | None = None

    @cached_property
    def by_user(self) -> CompressedRows:
        """The entries by user."""
        indptr = np.searchsorted(self.users, np.arange(self.seen.n_rows + 1))
        items, values = self.items.astype(np.int32), self.values.astype(np.float32)
        return CompressedRows(indptr, items, values, self.seen.n_columns)


def hold_out(entries: Entries, share: float, *, seed: int) -> tuple[Entries, HeldOutEntries]:
    """Set entries aside at random.

    Entries whose user or item has none left to learn from are set aside but not measured: what is
    predicted for them does not depend on how well the rest is fitted.

    Parameters
    ----------
    entries : Entries
    share : float
        Of the entries, above 0 and below 1.
    seed : int

    Returns
    -------
    rest : Entries
        The other entries, same shape.
    held_out : HeldOutEntries

    Raises
    ------
    InputError
        If there are too few entries.
    """
    rows, weights = entries.by_user, entries.weights
    n_out = max(1, round(share * rows.nnz))
    chosen = rng.stream(seed, "validation").permutation(rows.nnz)[:n_out]
    inside = np.ones(rows.nnz, dtype=bool)
    inside[chosen] = False
    rest = rows.only(inside)
    item_counts = np.bincount(rest.columns, minlength=rows.n_columns)
    users, items = rows.row_numbers, rows.columns.astype(np.int64)
    measured = ~inside & (rest.counts[users] > 0) & (item_counts[items] > 0)
    if not measured.any():
        raise InputError(
            f"{rows.nnz} entries are too few to hold out a share of {share:g} and learn from the rest; "
            f"set validation_share=0 and n_init=1."
        )
    held_out = HeldOutEntries(
        users[measured],
        items[measured],
        rows.values[measured].astype(np.float64),
        rest,
        None if weights is None else weights[measured],
    )
    return Entries.of(rest, None if weights is None else weights[inside]), held_out
