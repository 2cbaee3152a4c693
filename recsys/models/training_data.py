"""What a model was fitted to: entries, and perhaps a weight for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from recsys.data.interactions import Interactions
from recsys.data.matrices import observed_rows
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.typing import Float32Array


def aligned(entry_weight: Any, rows: CompressedRows) -> Float32Array:
    """Return the weight of each entry.

    Parameters
    ----------
    entry_weight : sparse matrix or array, or array-like, shape (n_users, n_items)
        Sparse: it stores the same pairs as the data. Dense: only what stands at observed pairs is
        read. Finite, 0 or more.
    rows : CompressedRows
        The entries.

    Returns
    -------
    float32, (nnz,)

    Raises
    ------
    InputError
        If the shape or the pattern is another, a weight is negative or not finite, or all are 0.
    """
    shape = (rows.n_rows, rows.n_columns)
    if sparse.issparse(entry_weight):
        given = observed_rows(entry_weight)
        if (given.n_rows, given.n_columns) != shape:
            raise InputError(f"entry_weight has shape {(given.n_rows, given.n_columns)}; expected {shape}.")
        if not (np.array_equal(given.indptr, rows.indptr) and np.array_equal(given.columns, rows.columns)):
            raise InputError(
                f"entry_weight stores {given.nnz} entries at other places than the data's {rows.nnz}; "
                f"expected one for each entry, zeros included."
            )
        weights = given.values
    else:
        try:
            dense = np.asarray(entry_weight, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"entry_weight is no table of numbers: {error}.") from None
        if dense.shape != shape:
            raise InputError(f"entry_weight has shape {dense.shape}; expected {shape}.")
        at = dense[rows.row_numbers, rows.columns]
        if not np.all(np.isfinite(at)) or np.any(at < 0):
            raise InputError(
                "entry_weight holds a number that is negative or not finite at an observed entry."
            )
        with np.errstate(over="ignore"):  # refused below
            weights = at.astype(np.float32)
    if not np.all(np.isfinite(weights)):
        raise InputError("entry_weight holds a number beyond single precision (3.4e38).")
    if not weights.any():
        raise InputError("all entry weights are 0; there is no entry to learn from.")
    return weights


def rows_of_items(X: Any, n_items: int, who: str, *, wider: bool = False) -> CompressedRows:
    """Return the entries of a matrix of known items.

    Parameters
    ----------
    X : sparse matrix or array-like, shape (n_users, n_items)
    n_items : int
    who : str
        Name of the class that is to take them.
    wider : bool
        Whether new items may follow the known ones.

    Raises
    ------
    InputError
        If the number of columns is another.
    """
    rows = observed_rows(X)
    if rows.n_columns < n_items or (rows.n_columns > n_items and not wider):
        raise InputError(
            f"X has {rows.n_columns} features, but {who} is expecting {n_items} features as input"
            f"{' or more' if wider else ''}: one column for each item of the training data"
            f"{', then new ones' if wider else ''}."
        )
    return rows


@dataclass(frozen=True, eq=False)
class Entries:
    """What a solver takes.

    Attributes
    ----------
    by_user, by_item : CompressedRows
        The same entries from both sides.
    weights : float32, (nnz,), optional
        Of the entries by user, above 0.
    """

    by_user: CompressedRows
    by_item: CompressedRows
    weights: Float32Array | None = None

    @property
    def sides(self) -> tuple[CompressedRows, CompressedRows]:
        """The entries by user and by item."""
        return self.by_user, self.by_item


@dataclass(frozen=True, eq=False)
class Training:
    """What a model was fitted to.

    Attributes
    ----------
    data : Interactions
    weights : float32, (nnz,), optional
        Of the entries by user, 0 or more.
    """

    data: Interactions
    weights: Float32Array | None = None

    @cached_property
    def counting(self) -> Entries:
        """The entries that count: those of weight 0 are left out."""
        rows = self.data.by_user
        if self.weights is None or self.weights.all():
            return Entries(rows, self.data.by_item, self.weights)
        inside = self.weights > 0
        rows = rows.only(inside)
        return Entries(rows, rows.transposed(), self.weights[inside])

    def amounts(self, count: Callable[[CompressedRows], CompressedRows]) -> Entries:
        """Return the entries above 0 for a model of the whole matrix, weights multiplied in.

        Parameters
        ----------
        count : callable
            Drops the zeros, and says what each of the others counts.

        Raises
        ------
        InputError
            If no amount is above 0.
        """
        entries = self.counting
        rows = count(entries.by_user)
        if rows.nnz == 0:
            raise InputError("all values are 0; a model of purchases, plays or counts needs amounts above 0.")
        if entries.weights is not None:
            weights = entries.weights[entries.by_user.values > 0].astype(np.float64)
            limits = np.finfo(np.float32)
            rows = rows.with_values(
                np.clip(rows.values * weights, limits.tiny, limits.max).astype(np.float32)
            )
        return Entries(rows, rows.transposed())

    def joined(self, new: Training) -> Training:
        """Return this with new entries; where one side alone has weights, the other's are 1."""
        data = self.data.merged(new.data)
        if self.weights is None and new.weights is None:
            return Training(data)
        sides = [
            # As ratings: a pair known already takes the new weight, whatever its values do.
            replace(
                part.data,
                by_user=part.data.by_user.with_values(
                    np.ones(part.data.nnz, dtype=np.float32) if part.weights is None else part.weights
                ),
                feedback="explicit",
            )
            for part in (self, new)
        ]
        return Training(data, sides[0].merged(sides[1]).by_user.values)
