"""Lists in another order than that of the scores: more diverse, calibrated, less popular."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.labels import Labels
from recsys.data.rows import CompressedRows
from recsys.kernels.reranking import pick_in_turn
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

SMOOTHING = 0.01
"""Share of the history's mix that is added to that of a list (Steck 2018, section 3.1)."""
_DEEPER = 8  # times n: how deep a ranking is looked through for a most of each category


@dataclass(frozen=True, eq=False)
class Reranker:
    """Makes lists one item after the other out of the best candidates; see `pick_in_turn` for the formula.

    Attributes
    ----------
    diversity, calibration, popularity_discount : float
        Weights from 0 to 1; what is left of 1 is the score's.
    pool : int
        How many of the best candidates there are.
    most_per_category : int or None
    labels : Labels
        Categories of the items.
    vectors : float32, (n_items, width)
        Items to be compared by, of length 1 or 0.
    popularity : float64, (n_items,)
        From 0 to 1.
    """

    diversity: float
    calibration: float
    popularity_discount: float
    pool: int
    most_per_category: int | None
    labels: Labels
    vectors: Float32Array
    popularity: Float64Array

    @property
    def _reorders(self) -> bool:
        return bool(self.diversity or self.calibration or self.popularity_discount)

    def depth(self, n: int, n_items: int) -> int:
        """Return how many items of a ranking are needed to make a list of n."""
        deep = max(n, self.pool) if self._reorders else n
        if self.most_per_category is not None:
            deep = max(deep, _DEEPER * n)
        return min(n_items, deep)

    def lists(
        self,
        scores: Float32Array,
        ranked: tuple[Int32Array, Float32Array, Int64Array],
        n: int,
        histories: CompressedRows,
    ) -> tuple[Int32Array, Float32Array, Int64Array]:
        """Return lists of n items with their scores and lengths.

        Parameters
        ----------
        scores : float32, (n_users, n_items)
            Of all items, -inf for what is left out.
        ranked : items and scores, (n_users, depth), and how many of a row count, (n_users,)
        n : int
        histories : CompressedRows, (n_users, n_items)
            What users have; a row may be empty.
        """
        items, top_scores, n_listed = self._picked(*ranked, n, histories)
        deepest = ranked[0].shape[1]
        if self.most_per_category is None or deepest == scores.shape[1]:
            return items, top_scores, n_listed
        for row in np.flatnonzero((n_listed < n) & (ranked[2] == deepest)):  # deeper down there may be more
            whole = np.lexsort((np.arange(scores.shape[1]), -scores[row])).astype(np.int32)
            whole = whole[np.isfinite(scores[row, whole])]
            alone = histories.select(np.array([row]))
            of_row = whole[None], scores[row, whole][None], np.array([len(whole)])
            items[[row]], top_scores[[row]], n_listed[[row]] = self._picked(*of_row, n, alone)
        return items, top_scores, n_listed

    def _picked(
        self,
        candidates: Int32Array,
        scores: Float32Array,
        n_candidates: Int64Array,
        n: int,
        histories: CompressedRows,
    ) -> tuple[Int32Array, Float32Array, Int64Array]:
        chosen = np.zeros((len(candidates), n), dtype=np.int32)
        n_chosen = np.empty(len(candidates), dtype=np.int64)
        pick_in_turn(
            candidates,
            scores,
            n_candidates,
            histories.indptr,
            histories.columns,
            self.labels.indptr,
            self.labels.columns,
            len(self.labels.names),
            self.most_per_category or 0,
            self.vectors,
            self.popularity,
            np.array([self.diversity, self.calibration, self.popularity_discount]),
            SMOOTHING,
            chosen,
            n_chosen,
        )
        picked = np.take_along_axis(candidates, chosen, axis=1)
        return picked, np.take_along_axis(scores, chosen, axis=1), n_chosen


def unit_rows(vectors: Float32Array) -> Float32Array:
    """Return vectors at length 1; those of length 0 stay, (n_rows, width)."""
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def popularity_of(item_counts: Int64Array) -> Float64Array:
    """Return ``ln(1 + n) / ln(1 + n_max)`` of how many users have each item, (n_items,), from 0 to 1."""
    logs = np.log1p(item_counts.astype(np.float64))
    most = logs.max(initial=0.0)
    return logs / most if most > 0 else logs
