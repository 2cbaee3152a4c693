"""Places of a list for which the model has no score, given to what is popular."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from recsys.data.ids import Id
from recsys.data.rows import CompressedRows
from recsys.factorization.scoring import scores_below_zero
from recsys.models.base import Model
from recsys.models.baselines.popularity import Popularity
from recsys.models.new_users import NewUsers
from recsys.models.scorer import BlockScorer, Scorer
from recsys.recommend.audiences import Audience
from recsys.recommend.ranking import RankedBlock, ranked_blocks
from recsys.recommend.restriction import Restriction
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

ItemList: TypeAlias = tuple[Int64Array, Float32Array]
"""Row numbers of items and their scores, best first."""


class _ByPopularity:
    """A model whose scores of 0 are in the order of popularity, below all others."""

    def __init__(self, model: BlockScorer, counts: Float64Array | Int64Array) -> None:
        self._model, self._scores = model, scores_below_zero(counts)
        self.name, self.n_items_ = model.name, model.n_items_

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `recsys.models.base.Model.score_block`."""
        scores = self._model.score_block(users)
        np.copyto(scores, self._scores, where=scores == 0)
        return scores


def fill_places(
    lists: list[ItemList],
    audience_of: Mapping[int, Audience],
    model: BlockScorer,
    *,
    rows: Int64Array,
    n: int,
    seen: CompressedRows | None,
    rules: Restriction | None,
    names: Sequence[Id],
    histories: CompressedRows | None,
) -> list[int]:
    """Make lists with scores of 0 anew, such places in the order of popularity; return which lists these are.

    Where scores are sums of parts that are 0 or more, a score of 0 says that nothing speaks for an item: all
    such items tie, and the lowest numbers would win. Their places keep the score of 0.

    Parameters
    ----------
    lists : list
        Changed in place.
    audience_of : mapping
        The lists to look at, by number, and whose popular items each is filled with.
    model : BlockScorer
        Made the lists.
    rows : int64, (n_lists,)
        The row of the model, and of ``seen``, of each list.
    names : sequence of id, (n_lists,)
        Whose lists they are, as rules name them.
    n, seen, rules, histories
        See `ranked_blocks`.

    Returns
    -------
    list of int
        Numbers of the lists that were made anew.
    """
    short = [number for number in audience_of if len(lists[number][0]) and not lists[number][1].all()]
    for audience in dict.fromkeys(audience_of[number] for number in short):
        own = [number for number in short if audience_of[number] is audience]
        blocks = ranked_blocks(
            _ByPopularity(model, audience.counts),
            rows[own],
            n,
            seen,
            rules=rules,
            names=[names[number] for number in own],
            histories=histories,
        )
        positions = iter(own)
        for block in blocks:
            for row, length in enumerate(block.n_listed.tolist()):
                number = next(positions)
                items, scores = block.items[row, :length].astype(np.int64), block.scores[row, :length]
                lists[number] = items, np.maximum(scores, np.float32(0))
    return short


def shown_blocks(
    model: Scorer,
    users: Int64Array,
    n: int,
    seen: CompressedRows | None,
    counts: Int64Array,
    *,
    rules: Restriction | None = None,
    **how: Any,
) -> Iterator[RankedBlock]:
    """Rank as lists are shown: what is popular fills places without a score, all of a blank user's list.

    Parameters
    ----------
    model : Scorer
    users, n, seen, rules, **how
        See `ranked_blocks`.
    counts : int64, (n_items,)
        How many users have each item.

    Raises
    ------
    ModelError
        If a score is not finite.
    """
    popular = Popularity.of_counts(counts.astype(np.float64), max(model.n_users_, 1))
    filling = _ByPopularity(model, counts.astype(np.float64))
    from_zero = getattr(model, "scores_from_zero", False)  # an object of one's own need not say
    for block in ranked_blocks(model, users, n, seen, rules=rules, **how):
        is_blank = _is_blank(model, block)
        is_short = ~is_blank & (_is_listed(block) & (block.scores == 0)).any(axis=1) & from_zero
        for scorer, is_meant in ((popular, is_blank), (filling, is_short)):
            rows = np.flatnonzero(is_meant)
            start = 0
            for again in ranked_blocks(scorer, block.users[rows], n, seen, rules=rules):
                replaced = rows[start : start + len(again.users)]
                block.items[replaced], block.scores[replaced] = again.items, np.maximum(again.scores, 0)
                block.n_listed[replaced] = again.n_listed
                start += len(again.users)
        yield block


def _is_listed(block: RankedBlock) -> BoolArray:
    return np.arange(block.items.shape[1]) < block.n_listed[:, None]


def _is_blank(model: Scorer, block: RankedBlock) -> BoolArray:
    """Return whether nothing is known of each user, (n_block,); of a new one all scores are then 0."""
    blank: BoolArray = np.zeros(len(block.users), dtype=bool)
    if isinstance(model, NewUsers):
        blank = (block.n_listed > 0) & ~(_is_listed(block) & (block.scores != 0)).any(axis=1)
    elif isinstance(model, Model):
        blank = model.is_blank(block.users)
    return blank
