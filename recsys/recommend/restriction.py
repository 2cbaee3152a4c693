"""What rules come to for the users and items of one model, in row numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.ids import Id, Ids
from recsys.data.rows import CompressedRows
from recsys.recommend.reranking import Reranker
from recsys.typing import BoolArray, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class Restriction:
    """Rules in row numbers; see `recsys.recommend.rules.Rules`.

    Attributes
    ----------
    allowed : bool, (n_items,)
        What may be listed for anybody.
    excluded_for, only_for : mapping of user's id to int64 array
        Items by user, beside that.
    reranker : Reranker or None
        What makes lists of rankings, where that is more than cutting them.
    most_per_category : int or None
    bought_before : bool
        Whether only what a user has may be listed.
    user_ids : Ids
    unknown : tuple of str
        Which ids of the rules are not known.
    notes : tuple of str
        What is to be said of the rules: ids that are not known, items without a category.
    """

    allowed: BoolArray
    excluded_for: Mapping[Id, Int64Array]
    only_for: Mapping[Id, Int64Array]
    reranker: Reranker | None
    most_per_category: int | None
    bought_before: bool
    user_ids: Ids
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def names_of(self, rows: Int64Array) -> list[Id]:
        """Return ids of users by row number."""
        return [self.user_ids[int(row)] for row in rows]

    def left_out(
        self, users: Int64Array, names: Sequence[Id], seen: CompressedRows | None
    ) -> tuple[Int64Array, Int32Array]:
        """Return the items that may not be listed for each user, as compressed rows.

        Parameters
        ----------
        users : int64, (n_users,)
            Row numbers of ``seen``.
        names : sequence of id, (n_users,)
        seen : CompressedRows or None
            What users have; None where that does not count.

        Returns
        -------
        indptr, items : int64, (n_users + 1,), and int32
            Ascending for each user.
        """
        may = np.tile(self.allowed, (len(users), 1))
        for number, (user, name) in enumerate(zip(users.tolist(), names, strict=True)):
            if seen is not None:
                owned = seen.row(user)[0]
                if self.bought_before:
                    kept = may[number, owned]
                    may[number] = False
                    may[number, owned] = kept
                else:
                    may[number, owned] = False
            elif self.bought_before:
                may[number] = False
            if name in self.only_for:
                kept = may[number, self.only_for[name]]
                may[number] = False
                may[number, self.only_for[name]] = kept
            if name in self.excluded_for:
                may[number, self.excluded_for[name]] = False
        rows, items = np.nonzero(~may)
        return np.searchsorted(rows, np.arange(len(users) + 1)).astype(np.int64), items.astype(np.int32)

    def depth(self, n: int, n_items: int) -> int:
        """Return how many items of a ranking are needed to make a list of n."""
        return n if self.reranker is None else self.reranker.depth(n, n_items)

    def why_short(self, length: int, *, includes_seen: bool) -> str:
        """Return why a list is shorter than asked for."""
        items = {0: "no item", 1: "only 1 item"}.get(length, f"only {length:,} items")
        if self.bought_before:
            return f"the rules leave {items} of those that the user has"
        if self.most_per_category is not None:
            return f"the rules leave {items}, with at most {self.most_per_category} of a category"
        return f"the rules leave {items}{'' if includes_seen else ' not yet seen'}"
