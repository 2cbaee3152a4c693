"""The (user, item) pairs of a log, which a split must not tear."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.data.log import Log
from recsys.typing import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs by user and item, whatever the order of the log.

    Attributes
    ----------
    users : int64, shape (n_pairs,)
        Row numbers.
    of_event : int64, shape (n_events,)
        The pair of each event.
    met : int64, shape (n_pairs,)
        Ascends with the time of a pair's first event; where times tie or are missing, with its line.
    """

    users: Int64Array
    of_event: Int64Array
    met: Int64Array

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of(cls, log: Log) -> Pairs:
        """Find the pairs of a log."""
        lines = np.arange(len(log))
        order = lines if log.times is None else np.lexsort((lines, log.times))
        _, met, pair_of_event = np.unique(log.pairs[order], return_index=True, return_inverse=True)
        of_event = np.empty(len(log), dtype=np.int64)
        of_event[order] = pair_of_event
        return cls(log.users[order][met].astype(np.int64), of_event, met)

    @cached_property
    def counts(self) -> Int64Array:
        """Number of pairs of each user, up to the last one that has any."""
        return np.bincount(self.users)

    def positions(self, key: Int64Array) -> Int64Array:
        """Return the position of each pair among its user's, from 0, by a key, shape (n_pairs,)."""
        by_user = np.lexsort((key, self.users))
        starts = np.r_[0, np.cumsum(self.counts)]
        positions = np.empty(len(self), dtype=np.int64)
        positions[by_user] = np.arange(len(self)) - starts[self.users[by_user]]
        return positions


def later_repeats(log: Log, pairs: Pairs, held: BoolArray) -> BoolArray:
    """Mark the events by which a user repeats an old pair after the first held-out event.

    They belong on neither side: they are the future, and an item met before is no test.

    Parameters
    ----------
    log : Log
    pairs : Pairs
    held : bool, shape (n_pairs,)
        The pairs held out.

    Returns
    -------
    bool, shape (n_events,)
    """
    times = np.arange(len(log)) if log.times is None else log.times
    is_held = held[pairs.of_event]
    first = np.full(len(log.user_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, log.users[is_held], times[is_held])
    marks: BoolArray = ~is_held & (times > first[log.users])
    return marks


def share_of(share: float, counts: Int64Array) -> Int64Array:
    """Return a share of each count, rounded, halves up."""
    parts: Float64Array = np.floor(share * counts + 0.5)
    return parts.astype(np.int64)
