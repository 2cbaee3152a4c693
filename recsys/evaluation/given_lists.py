"""Lists that somebody made, as arrays: checked once, then measured like a model's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from recsys.data.ids import Id, Ids, as_id_array
from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.evaluation.wording import counted
from recsys.typing import AnyArray, BoolArray, Float64Array, Int32Array, Int64Array


@dataclass(frozen=True, eq=False)
class GivenLists:
    """Lists of any lengths, by row numbers of users and items.

    Attributes
    ----------
    indptr : int64, (n_users + 1,)
        The list of user u stands at ``indptr[u]:indptr[u + 1]``, best first.
    items : int32, (n_entries,)
        Item numbers; -1 for an item that is not known, which takes up a place.
    remarks : tuple of str
        What was noticed when they were made.
    """

    indptr: Int64Array
    items: Int32Array
    remarks: tuple[str, ...] = ()

    @property
    def lengths(self) -> Int64Array:
        """Length of each user's list, (n_users,)."""
        return np.diff(self.indptr)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, user_ids: Ids, item_ids: Ids) -> GivenLists:
        """Take a table with a row for each place of each list.

        Parameters
        ----------
        frame : DataFrame
            Columns ``user`` and ``item``; ``rank`` or ``score`` or both. Ranks rule if there are
            both; of equal scores the lower item number stands first. Rows may come in any order.
        user_ids, item_ids : Ids
            What row numbers stand for. Users who are not among them are passed over.

        Raises
        ------
        InputError
            If a column is missing, a user or item is missing, a rank or score is no finite number,
            two items of a user have the same rank, or no user or no item is known at all.
        """
        check_columns(frame)
        numbers = {name: _numbers(frame, name) for name in ("rank", "score") if name in frame.columns}
        by_rank = "rank" in numbers
        users, items = (_rows(ids, frame, name) for name, ids in (("user", user_ids), ("item", item_ids)))
        columns: dict[str, Any] = {"user": users, "item": items.astype(np.int32), **numbers}
        remarks = []
        is_known = users >= 0
        if not is_known.all():
            columns = _selected(columns, is_known)
            n_others = int((~is_known).sum())
            remarks.append(
                counted(
                    n_others,
                    "row of the lists is of a user who is not measured.",
                    "rows of the lists are of users who are not measured.",
                )
            )
        columns["position"] = columns["rank"] if by_rank else -columns["score"]
        # Equal scores: the lower item number first, those that are not known last.
        tie = np.where(columns["item"] < 0, np.iinfo(np.int32).max, columns["item"])
        unsorted = columns
        if not _is_sorted(unsorted["user"], unsorted["position"], None if by_rank else tie):
            columns = _selected(columns, np.lexsort((tie, columns["position"], columns["user"])))
            if by_rank:
                _check_ranks(columns["user"], columns["position"], user_ids)
            is_tie = not by_rank and _is_sorted(unsorted["user"], unsorted["position"], np.zeros_like(tie))
            remarks.append(
                "equal scores were put in the order of the items; give 'rank' to keep your own."
                if is_tie
                else "the rows of the lists were not in order; they were sorted by user and place."
            )
        if len(numbers) == 2 and _rises(columns["user"], columns["score"]):
            remarks.append("scores rise somewhere within a list; the order of the ranks was kept.")
        n_unknown = int((columns["item"] < 0).sum())
        if n_unknown:
            remarks.append(
                counted(
                    n_unknown,
                    "listed item is not known; it takes up a place and hits nothing.",
                    "listed items are not known; they take up a place and hit nothing.",
                )
            )
        indptr = np.r_[0, np.cumsum(np.bincount(columns["user"], minlength=len(user_ids)))]
        return cls(indptr, columns["item"], tuple(remarks))


def check_columns(frame: pd.DataFrame) -> None:
    """Raise InputError if lists lack a column, or a user or item somewhere."""
    if not {"user", "item"} <= set(frame.columns) or not {"rank", "score"} & set(frame.columns):
        raise InputError(
            f"the lists have the columns {', '.join(map(repr, frame.columns))}; "
            f"expected 'user', 'item' and 'rank' or 'score'."
        )
    check_gaps(frame, "the lists have")


def check_gaps(frame: pd.DataFrame, what: str) -> None:
    """Raise InputError if a row has no user or no item."""
    for name in ("user", "item"):
        gaps = frame[name].isna().to_numpy()
        if gaps.any():
            raise InputError(f"{what} no {name} in row {int(np.argmax(gaps))} (from 0).")


def ids_in(frame: pd.DataFrame, name: str, what: str) -> AnyArray:
    """Return a column of ids without gaps; whole floats are what tables make of integers.

    Raises
    ------
    InputError
        If they are neither all integers nor all text.
    """
    column = frame[name]
    kinds = {"i": None, "u": None, "f": np.float64}
    try:
        return as_id_array(column.to_numpy(dtype=kinds.get(column.dtype.kind, object)))
    except InputError as error:
        raise InputError(f"{what}, column {name!r}: {error}") from None


def with_more_ids(data: Interactions, user_ids: Ids, item_ids: Ids) -> Interactions:
    """Return interactions with more users and items that have none."""
    users, _ = data.user_ids.union(user_ids)
    items, _ = data.item_ids.union(item_ids)
    rows = data.by_user
    indptr = np.r_[rows.indptr, np.full(len(users) - data.n_users, rows.nnz)]
    wider = type(rows)(indptr, rows.columns, rows.values, len(items))
    return Interactions(wider, users, items, data.feedback)


def _rows(ids: Ids, frame: pd.DataFrame, name: str) -> Int64Array:
    listed = ids_in(frame, name, "the lists")
    rows = ids.rows(listed)
    if len(rows) and rows.max() < 0:
        example = _shown(listed[0])
        there = f", which has e.g. {ids[0]!r}" if len(ids) else ""
        raise InputError(
            f"no {name} of the lists, e.g. {example}, is known to the data{there}. Check that both write "
            f"their {name}s alike."
        )
    return rows


def _selected(columns: dict[str, Any], which: AnyArray) -> dict[str, Any]:
    """Return the rows of a mask, or in an order."""
    return {name: values[which] for name, values in columns.items()}


def _shown(value: Id | np.generic) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _numbers(frame: pd.DataFrame, name: str) -> Float64Array:
    try:
        numbers = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"the lists' column {name!r} holds no numbers: {error}.") from None
    bad = ~np.isfinite(numbers)
    if bad.any():
        row = int(np.argmax(bad))
        user, item = (_shown(frame[column].iloc[row]) for column in ("user", "item"))
        raise InputError(
            f"the {name} of user {user} and item {item} is {numbers[row]}; expected a finite number. "
            f"Correct it, or leave such rows out ({int(bad.sum()):,} of {len(bad):,})."
        )
    return np.asarray(numbers)


def _is_sorted(users: Int64Array, positions: Float64Array, tie: Int32Array | None) -> bool:
    """Return whether rows are in order: by user, then by position, equal positions by what breaks a tie."""
    rise: BoolArray = positions[1:] > positions[:-1]
    if tie is not None:
        rise |= (positions[1:] == positions[:-1]) & (tie[1:] >= tie[:-1])
    return bool(np.all((users[1:] > users[:-1]) | ((users[1:] == users[:-1]) & rise)))


def _rises(users: Int64Array, scores: Float64Array) -> bool:
    """Return whether a score is above the one before it in a list."""
    return bool(np.any((users[1:] == users[:-1]) & (scores[1:] > scores[:-1])))


def _check_ranks(users: Int64Array, positions: AnyArray, user_ids: Ids) -> None:
    equal = (users[1:] == users[:-1]) & (positions[1:] == positions[:-1])
    if equal.any():
        user = user_ids[int(users[int(np.argmax(equal))])]
        raise InputError(
            f"two items of user {user!r} have the same rank; expected 1, 2, 3 ... Leave the column out "
            f"to go by 'score'."
        )
