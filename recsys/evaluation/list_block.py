"""The lists of a block of users beside what was held out for them: what metrics of users see."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows
from recsys.evaluation.catalogue import Catalogue
from recsys.kernels.hits import find_hits
from recsys.kernels.list_counts import count_hits, sum_largest
from recsys.kernels.list_items import mean_of_rows
from recsys.typing import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class ListBlock:
    """Lists of a block of users. What several metrics need is made once, when first asked for.

    Attributes
    ----------
    users : int64, (n_block,)
        Row numbers into what was held out and seen.
    items : int32, (n_block, n)
        Best first; only the first ``n_listed`` of a row count. -1: a place with no known item.
    n_listed : int64, (n_block,)
    held_out : HeldOut
    catalogue : Catalogue
    seen : CompressedRows or None
        The users' histories; None where they are not known.
    scores : float32, (n_block, n_items), or None
        Of unseen items, -inf for seen ones; None where only lists are known.
    largest : CompressedRows or None
        Each user's held-out values in descending order; see `descending_values`.
    """

    users: Int64Array
    items: Int32Array
    n_listed: Int64Array
    held_out: HeldOut
    catalogue: Catalogue
    seen: CompressedRows | None = None
    scores: Float32Array | None = None
    largest: CompressedRows | None = None
    _n_hits: dict[int, Int64Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)

    def counted(self, k: int) -> int:
        """Return how many places there are to look at for a cut at k."""
        return min(k, int(self.items.shape[1]))

    @cached_property
    def entries(self) -> Int64Array:
        """Which held-out entry each place is, -1 where it is none, (n_block, n)."""
        entries = np.empty(self.items.shape, dtype=np.int64)
        held = self.held_out.by_user
        find_hits(self.items, self.n_listed, self.users, held.indptr, held.columns, entries)
        return entries

    @cached_property
    def hits(self) -> BoolArray:
        """Whether each place is a held-out item, (n_block, n)."""
        marks: BoolArray = self.entries >= 0
        return marks

    @cached_property
    def gains(self) -> Float32Array:
        """The held-out value at each hit, 0 elsewhere and where it is below 0, (n_block, n)."""
        gains = np.zeros(self.items.shape, dtype=np.float32)
        gains[self.hits] = np.maximum(self.held_out.by_user.values[self.entries[self.hits]], 0)
        return gains

    @cached_property
    def n_held_out(self) -> Int64Array:
        """Held-out items of each user, those unknown to training included, (n_block,)."""
        return self.held_out.n_held_out[self.users]

    def n_hits(self, k: int) -> Int64Array:
        """Return the number of hits in the first k of each list, (n_block,)."""
        if k not in self._n_hits:
            counts = np.empty(len(self), dtype=np.int64)
            count_hits(self.hits, self.counted(k), counts)
            self._n_hits[k] = counts
        return self._n_hits[k]

    def ideal_gain(self, of_place: Float64Array) -> Float64Array:
        """Return what the best list would gain, (n_block,), given what a value at each place counts."""
        assert self.largest is not None
        sums = np.empty(len(self))
        sum_largest(self.users, self.largest.indptr, self.largest.values, of_place, sums)
        return sums

    @cached_property
    def history_popularity(self) -> Float64Array:
        """Mean popularity of the items of each user's history, (n_block,); NaN without one."""
        assert self.seen is not None
        means = np.empty(len(self))
        of_item = self.catalogue.popularity
        mean_of_rows(self.users, self.seen.indptr, self.seen.columns, of_item, means)
        return means


def descending_values(held_out: HeldOut) -> CompressedRows:
    """Return each user's held-out values in descending order, those of items unknown to training included.

    Values below 0 gain nothing and are 0.

    Returns
    -------
    CompressedRows, (n_users, most held-out items of a user)
        The columns are positions from 0.
    """
    known = held_out.users >= 0
    users, values = held_out.users[known], np.maximum(held_out.values[known], 0)
    order = np.lexsort((-values, users))
    indptr = np.r_[0, np.cumsum(np.bincount(users, minlength=held_out.by_user.n_rows))]
    positions = np.arange(len(order)) - indptr[users[order]]
    return CompressedRows(indptr, positions, values[order], int(np.diff(indptr).max(initial=0)))
