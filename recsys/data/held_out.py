"""What was held out, in the row numbers of the training data."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from recsys.data.duplicates import Duplicates, stable_order
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.data.rows import CompressedRows
from recsys.typing import AnyArray, BoolArray, Float32Array, Int64Array


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out pairs as the trained model sees them.

    Attributes
    ----------
    users, items : int64, shape (n_pairs,)
        Row numbers in the training data, -1 where training has no such user or item.
    values : float32, shape (n_pairs,)
    by_user : CompressedRows, (n_users, n_items)
        The pairs of users and items that training knows.
    n_held_out : int64, shape (n_users,)
        Held-out items of each user, those unknown to training included: the user did take them,
        so a model that cannot offer them misses them.
    n_cold_users : int
        Users with held-out pairs and nothing in training.
    n_cold_items : int
        Items with held-out pairs and nothing in training.
    n_repeated : int
        Held-out pairs that also stand in training; they are set aside, since a list of unseen
        items cannot hold them and a rating already seen is no test.
    n_zero : int
        Pairs of a log of amounts whose amount is 0, left out.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> held_out = recsys.split(frame, "random:0.25").held_out
    >>> held_out.n_pairs, held_out.users.shape, held_out.n_repeated
    (2, (2,), 0)
    """

    users: Int64Array
    items: Int64Array
    values: Float32Array
    by_user: CompressedRows
    n_held_out: Int64Array
    n_cold_users: int
    n_cold_items: int
    n_repeated: int
    n_zero: int = 0

    @classmethod
    def from_log(
        cls,
        log: Log,
        rows: Int64Array | None,
        train: Interactions,
        *,
        duplicates: Duplicates | None = None,
    ) -> HeldOut:
        """Join held-out events by pair and look them up in the training data.

        In a log of amounts a pair whose amount is 0 was not taken, and is left out.

        Parameters
        ----------
        log : Log
            May be another log than the one trained on; ids tie the two together.
        rows : int64 or None
            The held-out events (None: all).
        train : Interactions
        duplicates : str, optional
            See `Interactions.from_log`.
        """
        held = Interactions.from_log(log, rows, duplicates=duplicates)
        pairs = held.by_user
        rows_of, columns, values = pairs.row_numbers, pairs.columns, pairs.values
        n_zero = 0
        if log.feedback != "explicit":
            taken = values > 0
            n_zero = len(taken) - int(np.count_nonzero(taken))
            rows_of, columns, values = rows_of[taken], columns[taken], values[taken]
        users_of, items_of = (
            _translate(held.user_ids, train.user_ids),
            _translate(held.item_ids, train.item_ids),
        )
        users, items = users_of[rows_of], items_of[columns]
        keys = users * train.n_items + items
        known = (users >= 0) & (items >= 0)
        repeated = known & _is_in(train, keys)
        n_repeated = int(np.count_nonzero(repeated))
        if n_repeated:
            keys, known = keys[~repeated], known[~repeated]
            users, items, values = users[~repeated], items[~repeated], values[~repeated]

        keys = keys[known]
        order = stable_order(keys)
        counts = np.bincount(users[known], minlength=train.n_users)
        return cls(
            users=users,
            items=items,
            values=values,
            by_user=CompressedRows(
                np.r_[0, np.cumsum(counts)],
                items[known][order].astype(np.int32),
                values[known][order],
                train.n_items,
            ),
            n_held_out=np.bincount(users[users >= 0], minlength=train.n_users).astype(np.int64),
            n_cold_users=_n_unknown(users_of, rows_of),
            n_cold_items=_n_unknown(items_of, columns),
            n_repeated=n_repeated,
            n_zero=n_zero,
        )

    @property
    def n_pairs(self) -> int:
        """Number of held-out pairs, without those set aside."""
        return len(self.users)

    @property
    def digest(self) -> str:
        """SHA-256 over the pairs as training numbers them."""
        state = hashlib.sha256()
        for array in (self.users, self.items, self.values):
            state.update(np.ascontiguousarray(array).tobytes())
        return state.hexdigest()


def _n_unknown(rows: Int64Array, taken: AnyArray) -> int:
    """Count those without a row number among the users or items that were taken."""
    is_taken = np.zeros(len(rows), dtype=bool)
    is_taken[taken] = True
    return int(np.count_nonzero(is_taken & (rows < 0)))


def _translate(ids: Ids, known: Ids) -> Int64Array:
    return known.rows(ids.values)


def _is_in(train: Interactions, keys: Int64Array) -> BoolArray:
    """Return which pairs are in training; ``keys`` are row number times number of items plus item."""
    if train.nnz == 0:
        return np.zeros(len(keys), dtype=bool)
    seen = train.by_user.row_numbers * train.n_items + train.by_user.columns
    entries = np.searchsorted(seen, keys)
    entries[entries == len(seen)] = 0
    return np.asarray(seen[entries] == keys)
