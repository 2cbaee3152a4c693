"""What scores come to when items are removed from a history: shares of past items, and counterfactuals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.typing import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

_BLOCK_BYTES = 64 * 2**20
_PREFIX = 16  # most items that a counterfactual may remove
_MOST_PAIRS = 1_000


@dataclass(frozen=True, eq=False)
class History:
    """What one user did, and the model that is asked about it.

    Attributes
    ----------
    model : Model
        Fitted; it has to answer `Model.score_histories`.
    items : int32, (n_past,)
        Row numbers, ascending.
    values : float32, (n_past,)
    """

    model: Model
    items: Int32Array
    values: Float32Array

    @property
    def row(self) -> CompressedRows:
        """The history itself, (1, n_items)."""
        indptr = np.array([0, len(self.items)])
        return CompressedRows(indptr, self.items, self.values, self.model.n_items_)

    def without(self, removed: BoolArray) -> CompressedRows:
        """Return a row for each way of removing items.

        Parameters
        ----------
        removed : bool, (n_rows, n_past)
        """
        return self.row.variants(~removed)

    def drops(self, candidates: Int64Array, targets: Int64Array) -> Float64Array:
        """Return how much lower each score is without each past item, the user folded in again.

        What is the same for all items of a user, a mean and the user's bias, is left out.

        Parameters
        ----------
        candidates : int64, (n_candidates,)
            Positions in the history.
        targets : int64, (n_targets,)
            Row numbers of items.

        Returns
        -------
        float64, (n_candidates, n_targets)
            Below 0 where the past item speaks against the other.
        """
        scores = self.model.scores_without(self.row, candidates, targets)
        lost: Float64Array = scores[0] - scores[1:]
        return lost

    def ranks(self, removed: BoolArray, target: int) -> Int64Array:
        """Return the rank of an item among all that the whole history does not hold, (n_rows,).

        What is removed from the history does not come back into the list.

        Parameters
        ----------
        removed : bool, (n_rows, n_past)
        target : int
            Row number of an item outside the history.
        """
        step = max(1, _BLOCK_BYTES // (4 * self.model.n_items_))
        ranks = []
        for start in range(0, len(removed), step):
            scores = self.model.score_histories(self.without(removed[start : start + step]))
            scores[:, self.items] = -np.inf
            own = scores[:, target, None]
            before = (scores > own).sum(axis=1) + (scores[:, :target] == own).sum(axis=1)
            ranks.append(before + 1)
        return np.concatenate(ranks).astype(np.int64)


@dataclass(frozen=True)
class Removal:
    """Past items without which an item leaves the list.

    Attributes
    ----------
    positions : tuple of int
        In the history.
    is_fewest : bool
        Whether it is shown that fewer do not suffice; else none fewer were found.
    """

    positions: tuple[int, ...]
    is_fewest: bool


def fewest_to_remove(history: History, target: int, n: int, order: Sequence[int]) -> Removal | None:
    """Return the fewest past items without which an item is not among the best n.

    Every single item is tried, then every pair where there are at most a thousand, then the strongest
    together, one more at a time, of which those are put back that need not go. What the history held stays
    out of the list.

    Parameters
    ----------
    history : History
    target : int
        Row number of an item outside the history.
    n : int
        Length of the list.
    order : sequence of int
        Positions in the history to be tried, the strongest for the item first.

    Returns
    -------
    Removal or None
        None where the item is not in the list to begin with, or stays whatever was tried.
    """
    n_past = len(history.items)

    def leaves(sets: Sequence[Sequence[int]]) -> BoolArray:
        removed = np.zeros((len(sets), n_past), dtype=bool)
        for row, positions in enumerate(sets):
            removed[row, list(positions)] = True
        return np.asarray(history.ranks(removed, target) > n)

    if leaves([[]])[0]:
        return None
    is_whole = len(order) == n_past
    singles = [[position] for position in order]
    gone = np.flatnonzero(leaves(singles)) if singles else np.zeros(0, dtype=np.int64)
    if len(gone):
        return Removal((order[int(gone[0])],), is_fewest=True)
    pairs = list(combinations(order, 2))
    tried_pairs = 0 < len(pairs) <= _MOST_PAIRS
    if tried_pairs:
        gone = np.flatnonzero(leaves(pairs))
        if len(gone):
            return Removal(pairs[int(gone[0])], is_fewest=is_whole)
    prefixes = [list(order[:length]) for length in range(2, min(len(order), _PREFIX) + 1)]
    gone = np.flatnonzero(leaves(prefixes)) if prefixes else gone
    if len(gone) == 0:
        return None
    chosen = prefixes[int(gone[0])]
    while len(chosen) > 2:
        fewer = [[other for other in chosen if other != position] for position in reversed(chosen)]
        spared = np.flatnonzero(leaves(fewer))
        if len(spared) == 0:
            break
        chosen = fewer[int(spared[0])]
    is_fewest = is_whole and (len(chosen) == 2 or (len(chosen) == 3 and tried_pairs))
    return Removal(tuple(chosen), is_fewest)
