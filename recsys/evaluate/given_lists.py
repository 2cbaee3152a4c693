"""Lists that somebody made, as arrays: checked once, then measured like a model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.errors import InputError
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
            or two items of a user have the same rank.
        """
        missing = [name for name in ("user", "item") if name not in frame.columns]
        if missing or not {"rank", "score"} & set(frame.columns):
            raise InputError(
                f"the lists have the columns {', '.join(map(repr, frame.columns))}; "
                f"expected 'user', 'item' and 'rank' or 'score'."
            )
        for name in ("user", "item"):
            gaps = frame[name].isna().to_numpy()
            if gaps.any():
                raise InputError(f"the lists have no {name} in row {int(np.argmax(gaps))} (from 0).")
        users = _rows(user_ids, frame["user"])
        items = _rows(item_ids, frame["item"]).astype(np.int32)
        ranks = _numbers(frame, "rank") if "rank" in frame.columns else None
        scores = _numbers(frame, "score") if "score" in frame.columns else None
        remarks = []
        known = users >= 0
        if not known.all():
            remarks.append(f"{int((~known).sum()):,} rows of the lists are of users who are not measured.")
            users, items = users[known], items[known]
            ranks = None if ranks is None else ranks[known]
            scores = None if scores is None else scores[known]
        places = ranks if ranks is not None else -_of(scores)
        if not _is_sorted(users, places, strictly=ranks is not None):
            # Equal scores: the lower item number first, those that are not known last.
            order = np.lexsort((np.where(items < 0, np.iinfo(np.int32).max, items), places, users))
            users, items, places = users[order], items[order], places[order]
            scores = None if scores is None else scores[order]
            if ranks is not None:
                _check_ranks(users, places, user_ids)
            remarks.append("the rows of the lists were not in order; they were sorted by user and place.")
        if ranks is not None and scores is not None and not _is_sorted(users, -scores, strictly=False):
            remarks.append("scores rise somewhere within a list; the order of the ranks was kept.")
        n_unknown = int((items < 0).sum())
        if n_unknown:
            remarks.append(f"{n_unknown:,} listed items are not known; they take up a place and hit nothing.")
        indptr = np.r_[0, np.cumsum(np.bincount(users, minlength=len(user_ids)))]
        return cls(indptr, items, tuple(remarks))


def extended(data: Interactions, user_ids: Ids, item_ids: Ids) -> Interactions:
    """Return interactions with more users and items that have none."""
    users, _ = data.user_ids.joined(user_ids)
    items, _ = data.item_ids.joined(item_ids)
    rows = data.by_user
    indptr = np.r_[rows.indptr, np.full(len(users) - data.n_users, rows.nnz)]
    wider = type(rows)(indptr, rows.columns, rows.values, len(items))
    return Interactions(wider, users, items, data.feedback)


def _rows(ids: Ids, column: pd.Series) -> Int64Array:
    return ids.rows(column.to_numpy() if column.dtype.kind in "iu" else column.to_numpy(dtype=object))


def _numbers(frame: pd.DataFrame, name: str) -> Float64Array:
    try:
        numbers = frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"the lists' column {name!r} holds no numbers: {error}.") from None
    bad = ~np.isfinite(numbers)
    if bad.any():
        at = int(np.argmax(bad))
        raise InputError(
            f"the {name} of user {frame['user'].iloc[at]!r} and item {frame['item'].iloc[at]!r} is "
            f"{numbers[at]}; expected a finite number. Correct it, or leave such rows out "
            f"({int(bad.sum()):,} of {len(bad):,})."
        )
    return np.asarray(numbers)


def _of(scores: Float64Array | None) -> Float64Array:
    assert scores is not None
    return scores


def _is_sorted(users: Int64Array, places: Float64Array, *, strictly: bool) -> bool:
    """Tell whether places rise within each user's rows, and users from row to row."""
    same = users[1:] == users[:-1]
    rise: BoolArray = places[1:] > places[:-1] if strictly else places[1:] >= places[:-1]
    return bool(np.all((users[1:] > users[:-1]) | (same & rise)))


def _check_ranks(users: Int64Array, places: AnyArray, user_ids: Ids) -> None:
    equal = (users[1:] == users[:-1]) & (places[1:] == places[:-1])
    if equal.any():
        user = user_ids[int(users[int(np.argmax(equal))])]
        raise InputError(
            f"two items of user {user!r} have the same rank; expected 1, 2, 3 ... Leave the column out "
            f"to go by 'score'."
        )
