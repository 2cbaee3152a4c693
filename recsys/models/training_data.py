"""What a model was fitted to: entries, and perhaps a weight for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.matrices import observed_rows, without_labels
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.typing import Float32Array, Int64Array


def aligned_weights(entry_weight: Any, rows: CompressedRows) -> Float32Array:
    """Return the weight of each entry.

    Parameters
    ----------
    entry_weight : sparse matrix or array, or array-like, shape (n_users, n_items) or (nnz,)
        Sparse: it stores the same pairs as the data. Dense: only what stands at observed pairs is
        read; of one dimension: a number for each entry, in the order of ``rows``. Finite, 0 or more.
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
        stored = observed_rows(entry_weight)
        if (stored.n_rows, stored.n_columns) != shape:
            raise InputError(f"entry_weight has shape {(stored.n_rows, stored.n_columns)}; expected {shape}.")
        if not (np.array_equal(stored.indptr, rows.indptr) and np.array_equal(stored.columns, rows.columns)):
            raise InputError(
                f"entry_weight stores {stored.nnz} entries at other places than the data's {rows.nnz}; "
                f"expected one for each entry, zeros included."
            )
        weights = stored.values
    else:
        try:
            dense = np.asarray(entry_weight, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"entry_weight is no table of numbers: {error}.") from None
        if dense.shape not in (shape, (rows.nnz,)):
            raise InputError(f"entry_weight has shape {dense.shape}; expected {shape} or {(rows.nnz,)}.")
        observed = dense if dense.ndim == 1 else dense[rows.row_numbers, rows.columns]
        if not np.all(np.isfinite(observed)) or np.any(observed < 0):
            raise InputError(
                "entry_weight holds a number that is negative or not finite at an observed entry."
            )
        with np.errstate(over="ignore"):  # refused below
            weights = observed.astype(np.float32)
    if not np.all(np.isfinite(weights)):
        raise InputError("entry_weight holds a number beyond single precision (3.4e38).")
    if not weights.any():
        raise InputError("all entry weights are 0; there is no entry to learn from.")
    return weights


def rows_of_items(
    X: Any, n_items: int, who: str, *, wider: bool = False, allows_negative: bool = False
) -> CompressedRows:
    """Return the entries of a matrix of known items.

    Parameters
    ----------
    X : sparse matrix or array-like, shape (n_users, n_items)
    n_items : int
    who : str
        Name of the class that is to take them.
    wider : bool
        Whether new items may follow the known ones.
    allows_negative : bool
        Whether values may be below 0.

    Raises
    ------
    InputError
        If the number of columns is another.
    """
    rows = observed_rows(X, allows_negative=allows_negative)
    if rows.n_columns < n_items or (rows.n_columns > n_items and not wider):
        raise InputError(
            f"X has {rows.n_columns} features, but {who} is expecting {n_items} features as input"
            f"{' or more' if wider else ''}: one column for each item of the training data"
            f"{', then new ones' if wider else ''}."
        )
    return rows


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

    def merged(self, new: Training) -> Training:
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

    def rows_with_entries(self, part: Interactions) -> tuple[Int64Array, Int64Array]:
        """Return the users and the items, by row number here, that have an entry in a part of the data."""
        users = self.data.user_ids.rows(part.user_ids.values)
        items = self.data.item_ids.rows(part.item_ids.values)
        return np.sort(users[part.by_user.counts > 0]), np.unique(items[part.by_user.columns])


@dataclass(frozen=True, eq=False)
class KnownData:
    """What a fitted model knows of the data it was fitted to.

    Attributes
    ----------
    name : str
        Of the model.
    feedback : str
        How it reads a plain matrix.
    shape : (n_users, n_items)
    held : Training or None
        The data with its weights, if the model holds it.
    ids : (Ids, Ids) or None
        Users and items of a model that was loaded.
    """

    name: str
    feedback: Feedback
    shape: tuple[int, int]
    held: Training | None
    ids: tuple[Ids, Ids] | None

    def training(self, known: Any) -> Training:
        """Return what the model was fitted to, or what is said to be that.

        Raises
        ------
        ModelError
            If the model does not hold it and it is not given.
        InputError
            If what is given is of another size, or of other users or items.
        """
        if known is None:
            if self.held is None:
                raise ModelError(
                    f"{self.name}: a loaded model does not hold the data it was fitted to; "
                    f"give it: partial_fit(X, known=data)."
                )
            return self.held
        if not isinstance(known, Interactions):
            known = Interactions.from_matrix(without_labels(known), feedback=self.feedback)
        if (known.n_users, known.n_items) != self.shape:
            raise InputError(
                f"the known data is {known.n_users} x {known.n_items}; expected the {self.shape[0]} x "
                f"{self.shape[1]} that the model was fitted to."
            )
        if not self.may_be(known):
            raise InputError(
                "the known data is of other users or items, or of the same in another order, than the model "
                "was fitted to; give that data."
            )
        return Training(known)

    def check_warm_start(
        self, data: Interactions, fitted: tuple[int, int, int], asked: tuple[int, int, int]
    ) -> None:
        """Raise InputError if a fit of ``data`` cannot begin where the last one ended.

        ``fitted`` and ``asked`` are numbers of users, items and components, of the model and of the fit.
        """
        if fitted != asked:
            raise InputError(
                f"warm_start: the model is of {fitted[0]} users, {fitted[1]} items and {fitted[2]} "
                f"components; this fit is of {asked[0]}, {asked[1]} and {asked[2]}; set warm_start=False, or "
                f"give new users and items to partial_fit."
            )
        if not self.may_be(data):
            raise InputError(
                "warm_start: the model was fitted to other users or items; set warm_start=False, or give new "
                "ones to partial_fit."
            )

    def may_be(self, data: Interactions) -> bool:
        """Return whether users and items are those of the model, as far as ids can tell.

        A loaded model has the ids of its bundle, and a matrix has none to compare with those.
        """
        if self.held is not None:
            return self.held.data.same_ids(data)
        ids = (data.user_ids, data.item_ids)
        return self.ids is None or self.ids == ids or all(side == Ids(np.arange(len(side))) for side in ids)
