"""Top-n lists for users of the training data, and for anybody whose history is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from recsys.data.ids import Id, listed_ids
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.models.base import Model
from recsys.models.new_users import NewUsers
from recsys.progress import SILENT, Progress, task
from recsys.recommend.audiences import Audience, Audiences, audiences_of
from recsys.recommend.filling import ItemList, fill_places
from recsys.recommend.fitted import Fitted
from recsys.recommend.list_table import EMPTY_LIST, list_table
from recsys.recommend.ranking import BLOCK_BYTES, RankedBlock, check_n, ranked_blocks
from recsys.recommend.recommendations import Recommendations
from recsys.recommend.restriction import Restriction
from recsys.recommend.rules import Rules
from recsys.typing import BoolArray, Float32Array, Int32Array, Int64Array

Segments: TypeAlias = Mapping[Id, str] | Audiences | None


def lists_for_users(
    fitted: Fitted,
    users: Iterable[Id] | Id | None,
    n: int,
    *,
    include_seen: bool = False,
    rules: Rules | None = None,
    segments: Segments = None,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress = SILENT,
) -> Recommendations:
    """Return the best n items for each user; see `recsys.recommend.recommender.Recommender.recommend`."""
    check_n(n)
    restriction, includes_seen = _restriction(fitted, rules), include_seen or _includes_seen(rules)
    wanted: list[Id] = list(fitted.user_ids) if users is None else listed_ids(users, "users")
    rows = fitted.user_ids.rows(wanted)
    # "7" and 7 may be one user: known users are identified by row, unknown ones by the id itself.
    keys = [row if row >= 0 else (user,) for user, row in zip(wanted, rows.tolist(), strict=True)]
    first: dict[object, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    once = list(first.values())
    wanted, rows = [wanted[number] for number in once], rows[once]
    is_known, is_blank = rows >= 0, _is_blank(fitted, rows)
    names = tuple(fitted.user_ids.spelled(user) for user in wanted)
    seen = None if includes_seen else fitted.seen
    audiences = audiences_of(fitted, segments)
    audience_of = {
        number: audiences.of(names[number]) for number in np.flatnonzero(~is_known | is_blank).tolist()
    }
    lists: list[ItemList] = [EMPTY_LIST] * len(wanted)
    with task(progress, "recommend", len(wanted)) as running:
        served: list[tuple[Model, Int64Array]] = [(fitted.model, np.flatnonzero(is_known & ~is_blank))]
        for audience in dict.fromkeys(audience_of.values()):
            numbers = np.array([number for number, own in audience_of.items() if own is audience])
            popular = audience.model(len(fitted.user_ids)) if audience.name else fitted.popularity
            served.append((popular, numbers[is_known[numbers]]))
            _serve_unknown(lists, popular, numbers[~is_known[numbers]], names, n, restriction)
        for model, numbers in served:
            positions = iter(numbers.tolist())
            blocks = ranked_blocks(
                model,
                rows[numbers],
                n,
                seen,
                block_bytes=block_bytes,
                rules=restriction,
                names=[names[number] for number in numbers],
                histories=fitted.seen,
            )
            for block in blocks:
                for number in range(len(block.users)):
                    lists[next(positions)] = _list(block, number)
                running.advance(len(block.users))
    by_model = {
        number: audiences.of(names[number]) for number in np.flatnonzero(is_known & ~is_blank).tolist()
    }
    how: dict[str, Any] = {"rules": restriction, "names": names, "histories": fitted.seen}
    filled = _fill(fitted, lists, by_model, fitted.model, rows=rows, n=n, seen=seen, **how)

    return list_table(
        fitted,
        names,
        lists,
        np.where(is_blank, -1, rows),
        n=n,
        rules=restriction,
        may_list_all=includes_seen | ~is_known,
        predict=fitted.model.predict_by_row,
        audience_of=audience_of,
        filled=filled,
        has_segments=segments is not None,
    )


def lists_for_histories(
    fitted: Fitted,
    histories: Mapping[Id, Iterable[Id] | Mapping[Id, float]],
    n: int,
    *,
    include_seen: bool = False,
    rules: Rules | None = None,
    segments: Segments = None,
) -> Recommendations:
    """Return the best n items for people known by what they did alone; see `Bundle.recommend_for`.

    Parameters
    ----------
    fitted : Fitted
    histories : mapping of name to history
        A history is the ids of items, or a mapping of item id to rating or amount.
    n : int
    include_seen : bool
    rules : Rules, optional
    segments : mapping of name to str, optional

    Raises
    ------
    InputError
        If an item is not known, or an item has no rating where the model needs one.
    ModelError
        If the model cannot answer for users it was not trained on.
    """
    check_n(n)
    restriction, includes_seen = _restriction(fitted, rules), include_seen or _includes_seen(rules)
    fitted.model.check_folds_in()
    parts = [history_row(fitted, history) for history in histories.values()]
    rows = CompressedRows(
        np.r_[0, np.cumsum([len(columns) for columns, _ in parts], dtype=np.int64)],
        np.concatenate([np.zeros(0, np.int32), *(columns for columns, _ in parts)]),
        np.concatenate([np.zeros(0, np.float32), *(values for _, values in parts)]),
        len(fitted.item_ids),
    )
    scorer = NewUsers(fitted.model, rows, value_range=fitted.value_range)
    lists: list[ItemList] = []
    names, everyone, left_out = list(histories), np.arange(len(parts)), None if includes_seen else rows
    for block in ranked_blocks(scorer, everyone, n, left_out, rules=restriction, names=names, histories=rows):
        lists += [_list(block, number) for number in range(len(block.users))]
    # A history without items, or of items that the model knows nothing of, has scores of 0 for everything.
    is_blank = np.array([len(listed) > 0 and not scores.any() for listed, scores in lists], dtype=bool)
    is_blank |= rows.counts == 0
    blank = np.flatnonzero(is_blank)
    audiences = audiences_of(fitted, segments)
    audience_of = {number: audiences.of(names[number]) for number in blank.tolist()}
    for audience in dict.fromkeys(audience_of.values()):
        numbers = [number for number, own in audience_of.items() if own is audience]
        called, positions = [names[number] for number in numbers], iter(numbers)
        of_all = audience.model(len(parts))
        for block in ranked_blocks(of_all, np.array(numbers), n, left_out, rules=restriction, names=called):
            for number in range(len(block.users)):
                lists[next(positions)] = _list(block, number)
    by_model = {number: audiences.of(names[number]) for number in np.flatnonzero(~is_blank).tolist()}
    how: dict[str, Any] = {"rules": restriction, "names": names, "histories": rows}
    filled = _fill(fitted, lists, by_model, scorer, rows=everyone, n=n, seen=left_out, **how)
    made = list_table(
        fitted,
        tuple(histories),
        lists,
        np.where(is_blank, -1, everyone),
        n=n,
        rules=restriction,
        may_list_all=np.full(len(lists), includes_seen),
        predict=partial(_predicted, scorer),
        audience_of=audience_of,
        filled=filled,
        has_segments=segments is not None,
        histories=rows,
    )
    counts_alone = fitted.training.get("feedback") == "implicit"  # an id says one purchase, but no rating
    has_ratings = [counts_alone or isinstance(history, Mapping) for history in histories.values()]
    return _without_guesses(made, np.array(has_ratings, dtype=bool))


def _fill(
    fitted: Fitted,
    lists: list[ItemList],
    audience_of: Mapping[int, Audience],
    scorer: Model | NewUsers,
    **how: Any,
) -> dict[int, list[str]]:
    """Fill places of lists for which the model has no score; return what fills each place, by list."""
    if not fitted.model.scores_from_zero:
        return {}
    filled = fill_places(lists, audience_of, scorer, **how)
    # A re-ranked list may have such a place before another one.
    return {
        number: [audience_of[number].source if score == 0 else "" for score in lists[number][1].tolist()]
        for number in filled
    }


def _serve_unknown(
    lists: list[ItemList],
    model: Model,
    numbers: Int64Array,
    names: Sequence[Id],
    n: int,
    restriction: Restriction | None,
) -> None:
    """Put popular items into the lists of users whom training does not know."""
    is_alike = restriction is None or not (restriction.excluded_for or restriction.only_for)
    served = numbers[:1] if is_alike else numbers  # one list for all, unless rules name single users
    blocks = ranked_blocks(
        model,
        np.zeros(len(served), dtype=np.int64),
        n,
        None,
        rules=restriction,
        names=[names[number] for number in served],
    )
    made = [_list(block, row) for block in blocks for row in range(len(block.users))]
    for position, number in enumerate(numbers.tolist()):
        lists[number] = made[0 if is_alike else position]


def _predicted(scorer: NewUsers, users: Int64Array, items: Int64Array) -> Float32Array:
    """Return predicted ratings of new users, -1 being one of whom nothing is known."""
    predicted = scorer.model.predict_by_row(np.full(len(users), -1), items)
    known = users >= 0
    if known.any():
        predicted[known] = scorer.predict_by_row(users[known], items[known])
    return predicted


def _without_guesses(lists: Recommendations, has_ratings: BoolArray) -> Recommendations:
    """Return lists of which those for histories without ratings predict none: NaN, or nothing in all.

    Parameters
    ----------
    lists : Recommendations
    has_ratings : bool, (n_lists,)
    """
    if lists.predicted is None or has_ratings.all():
        return lists
    of_rows = np.repeat(has_ratings, np.diff(lists.indptr))
    predicted = np.where(of_rows, lists.predicted, np.float32(np.nan))
    return replace(lists, predicted=predicted if has_ratings.any() else None)


def history_row(
    fitted: Fitted, history: Iterable[Id] | Mapping[Id, float] | Id
) -> tuple[Int32Array, Float32Array]:
    """Return the columns of a history, ascending, and their values."""
    ids = listed_ids(history, "history")
    columns = fitted.item_ids.known_rows(ids, "item")
    if isinstance(history, Mapping):
        try:
            values = np.array(list(history.values()), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"a value of the history is no number: {error}.") from None
        if values.ndim != 1 or not np.all(np.abs(values) <= np.finfo(np.float32).max):
            raise InputError(
                "a value of the history is not finite, or beyond single precision (3.4e38); "
                "expected ratings or amounts."
            )
        if fitted.training.get("feedback") == "implicit" and np.any(values < 0):
            raise InputError("a value of the history is negative; expected amounts of 0 or more.")
        fitted.model.check_signs(values)
    elif fitted.model.ranks_by_value:
        raise ParameterError(
            f"{fitted.model.name} learns from ratings; give the history as a mapping of item to rating, e.g. "
            f"{{{ids[0] if ids else 'item'!r}: 4}}."
        )
    else:
        values = np.ones(len(columns))
    columns, first = np.unique(columns, return_index=True)
    return columns.astype(np.int32), values[first].astype(np.float32)


def _is_blank(fitted: Fitted, rows: Int64Array) -> BoolArray:
    """Return whether the model knows a user by name only, so that all scores would be zero."""
    is_blank = np.zeros(len(rows), dtype=bool)
    known = np.flatnonzero(rows >= 0)
    is_blank[known] = fitted.model.is_blank(rows[known])
    return is_blank


def _restriction(fitted: Fitted, rules: Rules | None) -> Restriction | None:
    """Return what rules come to; None where there are none but those on what is seen."""
    if rules is None or replace(rules, include_seen=False).is_empty:
        return None
    return restriction_of(fitted, rules)


def restriction_of(fitted: Fitted, rules: Rules) -> Restriction:
    """Return what rules come to for a fitted model; see `Rules.restriction`."""
    return rules.restriction(
        fitted.user_ids,
        fitted.item_ids,
        fitted.item_counts,
        last_events=fitted.last_events,
        item_vectors=lambda: fitted.item_vectors,
    )


def _includes_seen(rules: Rules | None) -> bool:
    return rules is not None and rules.include_seen


def _list(block: RankedBlock, row: int) -> ItemList:
    length = int(block.n_listed[row])
    return block.items[row, :length].astype(np.int64), block.scores[row, :length].copy()
