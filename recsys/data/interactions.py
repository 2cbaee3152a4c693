"""The sparse user-item matrix: one entry per (user, item) pair."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from recsys.data.duplicates import DEFAULT_DUPLICATES, Duplicates, JoinedPairs, renumbered
from recsys.data.ids import Id, Ids
from recsys.data.log import Feedback, Log
from recsys.data.matrices import labels_of, observed_rows
from recsys.data.merging import merge_entries
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.typing import AnyArray, Int64Array

if TYPE_CHECKING:
    from recsys.data.loaded_log import LoadedLog


@dataclass(frozen=True, eq=False)
class Interactions:
    """Who did what with what; *stored* means *observed*, a stored zero included.

    Attributes
    ----------
    by_user : CompressedRows, (n_users, n_items)
    user_ids, item_ids : Ids
        The ids behind the row and column numbers.
    feedback : {"explicit", "implicit"}
    time : int64, shape (nnz,), optional
        Time of each entry of ``by_user``: that of the latest event joined into it.

    Examples
    --------
    >>> from recsys import Interactions
    >>> data = Interactions.from_pairs(["ann", "ann", "bob"], ["tea", "jam", "tea"], [5, 3, 4])
    >>> data
    Interactions(2 users x 2 items, 3 entries, explicit feedback)
    >>> list(data.user_ids), data.by_user.to_scipy().toarray().tolist()
    (['ann', 'bob'], [[3.0, 5.0], [0.0, 4.0]])
    """

    by_user: CompressedRows
    user_ids: Ids
    item_ids: Ids
    feedback: Feedback
    time: Int64Array | None = None

    def __post_init__(self) -> None:
        if self.feedback not in get_args(Feedback):
            raise InputError(f"feedback is {self.feedback!r}; expected explicit or implicit.")

    def __repr__(self) -> str:
        times = "" if self.time is None else ", with times"
        return (
            f"Interactions({self.n_users:,} users x {self.n_items:,} items, {self.nnz:,} entries, "
            f"{self.feedback} feedback{times})"
        )

    @cached_property
    def item_counts(self) -> Int64Array:
        """How many users have each item, (n_items,); an amount of 0 does not count, a rating of 0 does."""
        rows = positives(self.by_user) if self.feedback == "implicit" else self.by_user
        return np.bincount(rows.columns, minlength=self.n_items)

    @property
    def n_users(self) -> int:
        """Number of users."""
        return self.by_user.n_rows

    @property
    def n_items(self) -> int:
        """Number of items."""
        return self.by_user.n_columns

    @property
    def nnz(self) -> int:
        """Number of observed entries."""
        return self.by_user.nnz

    def same_ids(self, other: Interactions) -> bool:
        """Return whether users and items are the same ones in the same order."""
        return (self.user_ids, self.item_ids) == (other.user_ids, other.item_ids)

    @cached_property
    def by_item(self) -> CompressedRows:
        """The same entries by item, (n_items, n_users)."""
        return self.by_user.transposed()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over pattern, values and ids: equal data, equal digest."""
        state = hashlib.sha256(f"{self.n_users} {self.n_items} {self.feedback}".encode())
        for array in (self.by_user.indptr, self.by_user.columns, self.by_user.values):
            state.update(np.ascontiguousarray(array).tobytes())
        for ids in (self.user_ids, self.item_ids):
            ids.update_digest(state)
        return state.hexdigest()

    @classmethod
    def from_log(
        cls, log: Log | LoadedLog, rows: Int64Array | None = None, *, duplicates: Duplicates | None = None
    ) -> Interactions:
        """Join the events of each pair into one entry.

        Parameters
        ----------
        log : Log or LoadedLog
        rows : int64, optional
            Events to use (all by default). Users and items without any of them are left out.
        duplicates : {"last", "sum", "mean", "max", "count", "error"}, optional
            How events of one pair become one value: the value of the latest event (by time, and
            the later line where times tie or are missing), the sum, the mean, the largest value,
            the number of events, or a refusal. Default: "last" for explicit and "sum" for
            implicit feedback.

        Raises
        ------
        InputError
            If no event is left, if a value is beyond float32, or, under "error", if a pair repeats.
        """
        log = getattr(log, "log", log)  # what load_log gave holds the log
        if not isinstance(log, Log):
            raise InputError(
                f"{type(log).__name__} is no log; expected what recsys.load_log gives. Of a table, use "
                f"from_frame."
            )
        rule = duplicates or DEFAULT_DUPLICATES[log.feedback]
        if rows is None and log.views is not None and log.views.duplicates == rule:
            by_user, by_item, times = log.views.entries()
            data = cls(by_user, log.user_ids, log.item_ids, log.feedback, times)
            data.__dict__["by_item"] = by_item  # what is cached there otherwise
            return data
        events = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(log.users[events]) == 0:
            raise InputError("no events are left; loosen the filter or the split.")
        users, user_codes = renumbered(log.users[events], len(log.user_ids))
        items, item_codes = renumbered(log.items[events], len(log.item_ids))
        user_ids, item_ids = log.user_ids.select(users), log.item_ids.select(items)
        times = None if log.times is None else log.times[events]
        joined = JoinedPairs.of(user_codes * len(items) + item_codes, log.values[events], times, rule)
        of_user = joined.keys // len(items)
        of_item = joined.keys - of_user * len(items)  # a second division would take several times longer
        if rule == "error" and (joined.n_events > 1).any():
            pair = int(np.argmax(joined.n_events > 1))
            raise InputError(
                f"user {user_ids[int(of_user[pair])]!r} and item {item_ids[int(of_item[pair])]!r} "
                f"meet more than once, and duplicates is 'error'; choose last, sum, mean, max or count."
            )
        indptr = np.r_[0, np.cumsum(np.bincount(of_user, minlength=len(users)))]
        return cls(
            by_user=CompressedRows(indptr, of_item.astype(np.int32), joined.values, len(items)),
            user_ids=user_ids,
            item_ids=item_ids,
            feedback=log.feedback,
            time=joined.times,
        )

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        user: str | None = None,
        item: str | None = None,
        value: str | None = None,
        time: str | None = None,
        feedback: Feedback | None = None,
        duplicates: Duplicates | None = None,
    ) -> Interactions:
        """Take a table of one event a row; see `recsys.load_log` for columns and `from_log` for duplicates.

        Parameters
        ----------
        frame : table of pandas, polars or Arrow
        user, item, value, time : str, optional
            Names of the columns; the usual ones are recognised.
        feedback : {"explicit", "implicit"}, optional
            Default: explicit if the value column is called rating, score or the like.
        duplicates : str, optional

        Raises
        ------
        LogError
            If a column cannot be found or used.
        InputError
            If it is no table.
        """
        from recsys.data.load import load_log  # brings a database, which models do without

        if isinstance(frame, (str, Path)):
            raise InputError(f"{str(frame)!r:.80} is no table; for a file use recsys.load_log and from_log.")
        loaded = load_log(frame, user=user, item=item, value=value, time=time, feedback=feedback)
        return cls.from_log(loaded.log, duplicates=duplicates)

    @classmethod
    def from_pairs(
        cls,
        user_ids: Iterable[Id] | AnyArray,
        item_ids: Iterable[Id] | AnyArray,
        values: Iterable[float] | AnyArray | None = None,
        *,
        feedback: Feedback = "explicit",
        duplicates: Duplicates | None = None,
    ) -> Interactions:
        """Make interactions from three columns of equal length; see `from_log` for duplicates."""
        log = Log.from_pairs(user_ids, item_ids, values, feedback=feedback)
        return cls.from_log(log, duplicates=duplicates)

    @classmethod
    def from_matrix(cls, matrix: Any, *, feedback: Feedback = "explicit") -> Interactions:
        """Take a matrix whose rows are users and whose columns are items.

        Ids are 0, 1, 2 ..., or the labels of a data frame.

        Parameters
        ----------
        matrix : sparse matrix or array-like, shape (n_users, n_items)
            Sparse: the stored entries are the observed ones. Dense: NaN marks a missing entry.
            Rows and columns without an entry are kept.
        feedback : {"explicit", "implicit"}

        Raises
        ------
        InputError
            If the matrix is not two-dimensional, is empty, or holds infinite values or negative amounts.
        """
        rows = observed_rows(matrix, allows_negative=feedback == "explicit")
        users, items = labels_of(matrix, rows)
        if rows.nnz == 0:
            shape = (rows.n_rows, rows.n_columns)
            raise InputError(f"a matrix of shape {shape} with 0 observed entries is empty.")
        return cls(
            by_user=rows,
            user_ids=users,
            item_ids=items,
            feedback=feedback,
        )

    def with_entries(self, rows: CompressedRows) -> Interactions:
        """Return interactions of the same users and items with other entries.

        Parameters
        ----------
        rows : CompressedRows
            May have more rows and columns, for new users and items, if ids here are 0, 1, 2 ...

        Raises
        ------
        InputError
            If there are fewer rows or columns than here, or new ones have no ids.
        """
        user_ids = _ids_up_to(self.user_ids, rows.n_rows, "rows")
        item_ids = _ids_up_to(self.item_ids, rows.n_columns, "columns")
        return Interactions(rows, user_ids, item_ids, self.feedback)

    def numbered(self, rows: CompressedRows) -> Interactions:
        """Return what `with_entries` returns; the former name, for one version."""
        warnings.warn(
            "Interactions.numbered is called with_entries now; use that.", FutureWarning, stacklevel=2
        )
        return self.with_entries(rows)

    def merged(self, new: Interactions) -> Interactions:
        """Return these interactions and new ones, merged by ids.

        Known users and items keep their row numbers; new ones are appended in the order in which
        they stand in ``new``. A pair that is in both takes the new value (explicit feedback) or
        the sum (implicit). Times are kept if both have them, the later one of a pair.

        Raises
        ------
        InputError
            If feedback differs, ids are of another kind, or a sum is beyond float32.
        """
        if new.feedback != self.feedback:
            raise InputError(
                f"the new feedback is {new.feedback}; expected {self.feedback}, as known so far."
            )
        user_ids, users = self.user_ids.union(new.user_ids)
        item_ids, items = self.item_ids.union(new.item_ids)
        rows, time = merge_entries(
            (self.by_user, self.time),
            (new.by_user, new.time),
            users,
            items,
            (len(user_ids), len(item_ids)),
            adds=self.feedback == "implicit",
        )
        return Interactions(rows, user_ids, item_ids, self.feedback, time)


def _ids_up_to(known: Ids, n: int, side: str) -> Ids:
    """Return ids of n rows or columns, of which the first are known."""
    if n < len(known):
        raise InputError(
            f"the matrix has {n} {side}; expected {len(known)} or more: "
            f"those of the data known so far, in their order, then new ones."
        )
    if n == len(known):
        return known
    if known != Ids(np.arange(len(known))):
        raise InputError(
            f"the matrix has {n - len(known)} new {side}, for which there are no ids beside the "
            f"{len(known)} known; give Interactions instead."
        )
    return Ids(np.arange(n))
