"""What is held out, for tests that need no log."""

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows


def held_out_of(of_users, n_items):
    """Return what is held out of each user, a set of items or {item: value}; from n_items on unknown."""
    users = np.array([user for user, held in enumerate(of_users) for _ in held], dtype=np.int64)
    items = np.array([item for held in of_users for item in sorted(held)], dtype=np.int64)
    values = np.array(
        [held[item] if isinstance(held, dict) else 1.0 for held in of_users for item in sorted(held)],
        dtype=np.float32,
    )
    known = items < n_items
    counts = np.bincount(users[known], minlength=len(of_users))
    return HeldOut(
        users=users,
        items=np.where(known, items, -1),
        values=values,
        by_user=CompressedRows(np.r_[0, np.cumsum(counts)], items[known], values[known], n_items),
        n_held_out=np.bincount(users, minlength=len(of_users)).astype(np.int64),
        n_cold_users=0,
        n_cold_items=0,
        n_repeated=0,
    )
