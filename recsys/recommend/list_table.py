"""Top-n lists as a table, with what it says of each list and of each place beside the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from recsys.data.ids import Id
from recsys.data.rows import CompressedRows
from recsys.recommend.audiences import Audience
from recsys.recommend.filling import ItemList
from recsys.recommend.fitted import Fitted
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.restriction import Restriction
from recsys.recommend.strongest_themes import strongest_themes
from recsys.typing import BoolArray, Float32Array, Int64Array

EMPTY_LIST: ItemList = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


def list_table(
    fitted: Fitted,
    names: tuple[Id, ...],
    lists: Sequence[ItemList],
    rows: Int64Array,
    *,
    n: int,
    rules: Restriction | None,
    may_list_all: BoolArray,
    predict: Callable[[Int64Array, Int64Array], Float32Array],
    audience_of: Mapping[int, Audience],
    filled: Mapping[int, list[str]],
    has_segments: bool,
    histories: CompressedRows | None = None,
) -> Recommendations:
    """Return lists as a table.

    Parameters
    ----------
    fitted : Fitted
    names : tuple of id
        Whom each list is for.
    lists : sequence of (items, scores)
        Items by row number.
    rows : int64, (n_lists,)
        Rows of the training data or, where they are given, of histories; -1: nothing is known of them.
    n : int
        Length that was asked for.
    rules : Restriction, optional
    may_list_all : bool, (n_lists,)
        Whose list may hold every item of the catalogue, as far as rules let it.
    predict : callable
        Ratings of pairs of such rows and items; asked where they are predicted and are not the scores.
    audience_of : mapping of int to Audience
        By number of the list, whose popular items it holds; of the others it is the model's.
    filled : mapping of int to list of str
        By number of the list, what fills each place that the model has no score for.
    has_segments : bool
        Whether the table says of which segment the popular items are.
    histories : CompressedRows, optional
    """
    items = np.concatenate([EMPTY_LIST[0], *(listed for listed, _ in lists)])
    scores = np.concatenate([EMPTY_LIST[1], *(scores for _, scores in lists)])
    lengths = np.array([len(listed) for listed, _ in lists], dtype=np.int64)
    audiences = [audience_of.get(number) for number in range(len(lists))]
    predicts_beside = fitted.model.predicts_values and not fitted.model.ranks_by_value
    of_lists = np.repeat(rows, lengths)
    themes, shares = strongest_themes(fitted.model, of_lists, items, scores, histories)
    item_ids = fitted.item_ids.values[items]
    return Recommendations(
        users=names,
        indptr=np.concatenate([[0], np.cumsum(lengths)]),
        items=item_ids,
        names=tuple(fitted.name_of(item) for item in item_ids.tolist()),
        scores=scores,
        themes=themes,
        theme_shares=shares,
        sources=tuple("model" if audience is None else audience.source for audience in audiences),
        segments=_segments(audiences) if has_segments else None,
        fill_sources=_fill_sources(filled, lists),
        why_short=_why_short(lengths.tolist(), n, rules, may_list_all),
        predicted=predict(of_lists, items) if predicts_beside else None,
    )


def _segments(audiences: Sequence[Audience | None]) -> tuple[str, ...]:
    return tuple("" if audience is None else audience.name for audience in audiences)


def _fill_sources(filled: Mapping[int, list[str]], lists: Sequence[ItemList]) -> tuple[str, ...] | None:
    """Return for each row what fills it, empty for one that the model ranked; None if none is filled."""
    if not filled:
        return None
    parts = (filled.get(number, [""] * len(items)) for number, (items, _) in enumerate(lists))
    return tuple(source for part in parts for source in part)


def _why_short(
    lengths: Sequence[int], n: int, rules: Restriction | None, may_list_all: BoolArray
) -> tuple[str, ...]:
    """Return for each list why it is shorter than n, empty where it is not."""
    return tuple(
        "" if length == n else _what_there_is(length, rules, all_listed=whole)
        for length, whole in zip(lengths, may_list_all.tolist(), strict=True)
    )


def _what_there_is(length: int, rules: Restriction | None, *, all_listed: bool) -> str:
    if rules is not None:
        return rules.why_short(length, includes_seen=all_listed)
    items = "1 item" if length == 1 else f"{length:,} items"
    return f"the catalogue has only {items}" if all_listed else f"only {items} not yet seen"
