"""What rules come to for the users and items of one model, in row numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.ids import Id, Ids
from recsys.data.labels import Labels
from recsys.data.rows import CompressedRows
from recsys.typing import BoolArray, Float32Array, Int32Array, Int64Array

_DEEPER = 8  # times n: how deep a ranking is looked through before it is sorted as a whole


@dataclass(frozen=True, eq=False)
class Restriction:
    """Rules in row numbers; see `recsys.recommend.rules.Rules`.

    Attributes
    ----------
    allowed : bool, (n_items,)
        What may be listed for anybody.
    excluded_for, only_for : mapping of user's id to int64 array
        Items by user, beside that.
    labels : Labels or None
        Categories of items, where there is a most of each.
    most_per_category : int or None
    bought_before : bool
        Whether only what a user has may be listed.
    user_ids : Ids
    notes : tuple of str
        What is to be said of the rules: ids that are not known, items without a category.
    """

    allowed: BoolArray
    excluded_for: Mapping[Id, Int64Array]
    only_for: Mapping[Id, Int64Array]
    labels: Labels | None
    most_per_category: int | None
    bought_before: bool
    user_ids: Ids
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
        return n if self.labels is None else min(n_items, _DEEPER * n)

    def capped(
        self,
        scores: Float32Array,
        items: Int32Array,
        top_scores: Float32Array,
        n_listed: Int64Array,
        n: int,
    ) -> tuple[Int32Array, Float32Array, Int64Array]:
        """Return rankings with at most so many items of each category, the best first.

        Parameters
        ----------
        scores : float32, (n_users, n_items)
            Of all items, -inf for what is left out.
        items, top_scores : (n_users, depth)
        n_listed : int64, (n_users,)
        n : int
        """
        if self.labels is None:
            return items, top_scores, n_listed
        kept_items = np.zeros((len(items), n), dtype=np.int32)
        kept_scores = np.zeros((len(items), n), dtype=np.float32)
        lengths = np.zeros(len(items), dtype=np.int64)
        for row in range(len(items)):
            ranked = items[row, : n_listed[row]]
            chosen = self._within_most(ranked, n)
            if len(chosen) < n and n_listed[row] == items.shape[1]:  # deeper down there may be more
                ranked = np.lexsort((np.arange(scores.shape[1]), -scores[row])).astype(np.int32)
                ranked = ranked[np.isfinite(scores[row, ranked])]
                chosen = self._within_most(ranked, n)
            lengths[row] = len(chosen)
            kept_items[row, : len(chosen)] = chosen
            kept_scores[row, : len(chosen)] = scores[row, chosen]
        return kept_items, kept_scores, lengths

    def _within_most(self, ranked: Int32Array, n: int) -> list[int]:
        """Return the first n items of a ranking that keep to the most of each category."""
        assert self.labels is not None
        assert self.most_per_category is not None
        indptr, columns = self.labels.indptr, self.labels.columns
        counts: dict[int, int] = {}
        chosen: list[int] = []
        for item in ranked.tolist():
            categories = columns[indptr[item] : indptr[item + 1]].tolist()
            if any(counts.get(category, 0) >= self.most_per_category for category in categories):
                continue
            for category in categories:
                counts[category] = counts.get(category, 0) + 1
            chosen.append(item)
            if len(chosen) == n:
                break
        return chosen

    def why_short(self, length: int, *, includes_seen: bool) -> str:
        """Return why a list is shorter than asked for."""
        items = {0: "no item", 1: "only 1 item"}.get(length, f"only {length:,} items")
        if self.bought_before:
            return f"the rules leave {items} of those that the user has"
        if self.labels is not None:
            return f"the rules leave {items}, with at most {self.most_per_category} of a category"
        return f"the rules leave {items}{'' if includes_seen else ' not yet seen'}"
