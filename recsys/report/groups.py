"""Users by activity and items by popularity, in a few groups with names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.labels import UserGroups
from recsys.report.numbers import count
from recsys.typing import Int64Array

N_GROUPS = 4


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group each one belongs to.

    Attributes
    ----------
    names : tuple of str
        In order.
    of : int64, (n,)
    """

    names: tuple[str, ...]
    of: Int64Array

    def __len__(self) -> int:
        return len(self.names)


def by_activity(counts: Int64Array) -> Groups:
    """Group users by how many training items they have, about as many users in each group.

    Parameters
    ----------
    counts : int64, (n_users,)
    """
    groups = UserGroups.by_activity(counts)
    return Groups(groups.names, groups.of_user)


def by_popularity(counts: Int64Array) -> Groups:
    """Group items from the most taken to the least, each group with about a quarter of all that was taken.

    Parameters
    ----------
    counts : int64, (n_items,)
        How many users have each item.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    total = max(1, int(counts.sum()))
    of = np.empty(len(counts), dtype=np.int64)
    of[order] = np.minimum(before * N_GROUPS // total, N_GROUPS - 1)
    kept, of = np.unique(of, return_inverse=True)
    sizes = np.bincount(of, minlength=len(kept))
    names = [
        ("top " if group == 0 else "last " if group == len(kept) - 1 else "next ") + _items(int(size))
        for group, size in enumerate(sizes)
    ]
    return Groups(("all items",) if len(kept) == 1 else tuple(names), of.astype(np.int64))


def _items(n: int) -> str:
    return "1 item" if n == 1 else f"{count(n)} items"
