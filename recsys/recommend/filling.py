"""Places of a list for which the model has no score, given to what is popular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from recsys.data.ids import Id
from recsys.data.rows import CompressedRows
from recsys.recommend.audiences import Audience
from recsys.recommend.ranking import ranked_blocks
from recsys.recommend.restriction import Restriction
from recsys.typing import Float32Array, Int64Array

ItemList: TypeAlias = tuple[Int64Array, Float32Array]
"""Row numbers of items and their scores, best first."""


def fill_places(
    lists: list[ItemList],
    numbers: Sequence[int],
    audience_of: Mapping[int, Audience],
    *,
    rows: Int64Array,
    n: int,
    seen: CompressedRows | None,
    rules: Restriction | None,
    names: Sequence[Id],
) -> dict[int, int]:
    """Put popular items in place of those whose score is 0; return how many each list has, by its number.

    Where scores are sums of parts that are 0 or more, a score of 0 says that nothing speaks for an item: all
    such items tie, and the lowest numbers would win. Their places keep the score of 0.

    Parameters
    ----------
    lists : list
        Changed in place.
    numbers : sequence of int
        The lists to look at.
    audience_of : mapping
        Whose popular items a list is filled with, by its number.
    rows : int64, (n_lists,)
        The row of ``seen`` of each list.
    n : int
        Longest list wanted.
    seen : CompressedRows or None
        Items to leave out, by row.
    rules : Restriction, optional
        What else may not be listed.
    names : sequence of id, (n_lists,)
        Whose lists they are, as rules name them.
    """
    short = [number for number in numbers if len(lists[number][0]) and not lists[number][1].all()]
    filled: dict[int, int] = {}
    for audience in dict.fromkeys(audience_of[number] for number in short):
        own = [number for number in short if audience_of[number] is audience]
        blocks = ranked_blocks(
            audience.model(int(rows.max()) + 1),
            rows[own],
            n,
            seen,
            rules=rules,
            names=[names[number] for number in own],
        )
        popular = (
            block.items[row, : block.n_listed[row]] for block in blocks for row in range(len(block.users))
        )
        for number, items in zip(own, popular, strict=True):
            lists[number], filled[number] = _filled(lists[number], items.astype(np.int64))
    return filled


def _filled(listed: ItemList, popular: Int64Array) -> tuple[ItemList, int]:
    """Return a list whose items with a score are followed by popular ones, and how many these are."""
    items, scores = listed
    scored = items[scores > 0]
    fill = popular[~np.isin(popular, scored)][: len(items) - len(scored)]
    zeros = np.zeros(len(fill), dtype=np.float32)
    return (np.concatenate([scored, fill]), np.concatenate([scores[scores > 0], zeros])), len(fill)
