"""Leaving out users and items with next to no data."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.typing import BoolArray, Int64Array


@dataclass(frozen=True, kw_only=True)
class FilterCounts:
    """What a filter of least support asked for, and what it removed.

    Attributes
    ----------
    min_user, min_item : int
    filter_test : bool
        Whether the held-out part was filtered, too.
    n_train_events_removed, n_train_pairs_removed, n_users_removed, n_items_removed : int
        Of the training part.
    n_held_out_events_removed : int
    """

    min_user: int
    min_item: int
    filter_test: bool
    n_train_events_removed: int
    n_train_pairs_removed: int
    n_users_removed: int
    n_items_removed: int
    n_held_out_events_removed: int = 0


@dataclass(frozen=True)
class MinSupport:
    """How much data a user and an item need to stay.

    Users with too few items and items with too few users leave in turn until everyone who is
    left has enough among those who are left (with one number for both: the k-core).

    Attributes
    ----------
    user : int
        Different items that a user needs; 0: any number will do.
    item : int
        Different users that an item needs.
    test : bool
        Whether the held-out part, too, loses whom the training part lost. Otherwise they stay in the
        test, as users who are not averaged and items that count as missed: a shop cannot choose
        its visitors.

    Raises
    ------
    ParameterError
        If a number is below 0.
    """

    user: int = 0
    item: int = 0
    test: bool = False

    def __post_init__(self) -> None:
        for number in (self.user, self.item):
            if isinstance(number, bool) or not isinstance(number, Integral):
                raise ParameterError(
                    f"a least number of users or items is {number!r:.80}; expected 0 or more."
                )
        for side, n in (("user", self.user), ("item", self.item)):
            if n < 0:
                raise ParameterError(f"the least support of each {side} is {n}; expected 0 or more.")
        if self.test and not self:
            raise ParameterError("the held-out part is to be filtered, but no least support is given.")

    def __bool__(self) -> bool:
        return self.user > 0 or self.item > 0

    def core(self, log: Log, rows: Int64Array) -> tuple[Int64Array, FilterCounts]:
        """Return the events that stay, and counts of what left.

        Parameters
        ----------
        log : Log
            In a log of amounts an amount of 0 is no support.
        rows : int64
            Events of the training part.

        Raises
        ------
        InputError
            If nothing stays.
        """
        users_before, items_before = np.unique(log.users[rows]), np.unique(log.items[rows])
        counting = rows if log.feedback == "explicit" else rows[log.values[rows] > 0]
        pairs = np.unique(log.pairs[counting])
        users, items = pairs // len(log.item_ids), pairs % len(log.item_ids)
        stays = self._core(users, items)
        if not stays.any():
            raise InputError(
                f"nothing of the training part stays if a user needs {self.user} items and an item "
                f"{self.item} users; lower the numbers."
            )
        user_stays = np.zeros(len(log.user_ids), dtype=bool)
        item_stays = np.zeros(len(log.item_ids), dtype=bool)
        user_stays[users[stays]] = True
        item_stays[items[stays]] = True
        kept = rows[user_stays[log.users[rows]] & item_stays[log.items[rows]]]
        return kept, FilterCounts(
            min_user=self.user,
            min_item=self.item,
            filter_test=self.test,
            n_train_events_removed=len(rows) - len(kept),
            n_train_pairs_removed=len(np.unique(log.pairs[rows])) - len(np.unique(log.pairs[kept])),
            n_users_removed=int(np.count_nonzero(~user_stays[users_before])),
            n_items_removed=int(np.count_nonzero(~item_stays[items_before])),
        )

    def _core(self, users: Int64Array, items: Int64Array) -> BoolArray:
        """Mark the pairs that stay."""
        stays = np.ones(len(users), dtype=bool)
        while stays.any():
            of_user = np.bincount(users[stays], minlength=int(users.max()) + 1)
            of_item = np.bincount(items[stays], minlength=int(items.max()) + 1)
            still = stays & (of_user[users] >= self.user) & (of_item[items] >= self.item)
            if np.array_equal(still, stays):
                break
            stays = still
        return stays
