"""Pairs of a user and an item, from ids to row numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from recsys.data.ids import Id, Ids, listed_ids
from recsys.errors import InputError
from recsys.typing import Int64Array


def rows_of_pairs(
    known_users: Ids, known_items: Ids, user_ids: Iterable[Id] | Id, item_ids: Iterable[Id] | Id
) -> tuple[Int64Array, Int64Array]:
    """Return the row numbers of pairs.

    Parameters
    ----------
    known_users, known_items : Ids
        Those of the training data.
    user_ids, item_ids : id or iterable of id, (n_pairs,)
        One alone is paired with all of the others.

    Returns
    -------
    user_rows, item_rows : int64, (n_pairs,)

    Raises
    ------
    InputError
        If an id is not known, or there are not as many users as items.
    """
    users, items = listed_ids(user_ids, "user_ids"), listed_ids(item_ids, "item_ids")
    if len(users) != len(items) and 1 not in (len(users), len(items)):
        raise InputError(f"{len(users)} users and {len(items)} items make no pairs; give as many of each.")
    user_rows = known_users.known_rows(users, "user")
    item_rows = known_items.known_rows(items, "item")
    if len(users) == 1:
        user_rows = np.repeat(user_rows, len(items))
    elif len(items) == 1:
        item_rows = np.repeat(item_rows, len(users))
    return user_rows, item_rows
