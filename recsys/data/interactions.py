"""The sparse user-item matrix: one entry per (user, item) pair."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from recsys.data.ids import Id, Ids, encode
from recsys.data.log import Feedback, Log
from recsys.data.matrices import check_values, labels_of, observed_rows
from recsys.data.merging import merge_positions
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.typing import AnyArray, Float64Array, Int32Array, Int64Array

if TYPE_CHECKING:
    from recsys.data.load import LoadedLog

Duplicates = Literal["last", "sum", "mean", "max", "count", "error"]
DUPLICATE_RULES: tuple[str, ...] = get_args(Duplicates)
DEFAULT_DUPLICATES: dict[Feedback, Duplicates] = {"explicit": "last", "implicit": "sum"}
"""The latest opinion counts; amounts add up."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


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
        return all(
            np.array_equal(mine.values, theirs.values)
            for mine, theirs in ((self.user_ids, other.user_ids), (self.item_ids, other.item_ids))
        )

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
            if ids.is_integer:
                state.update(ids.values.tobytes())
            else:
                for value in ids.values:
                    text = str(value).encode()
                    state.update(len(text).to_bytes(8, "little") + text)
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
        if rule not in DUPLICATE_RULES:
            raise InputError(f"duplicates is {rule!r}; expected one of {', '.join(DUPLICATE_RULES)}.")
        events = slice(None) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(log.users[events]) == 0:
            raise InputError("no events are left; loosen the filter or the split.")
        users, user_codes = _renumbered(log.users[events], len(log.user_ids))
        items, item_codes = _renumbered(log.items[events], len(log.item_ids))
        user_ids, item_ids = log.user_ids.select(users), log.item_ids.select(items)

        keys = user_codes * len(items) + item_codes
        times = None if log.times is None else log.times[events]
        # Stable sorts: the last of a pair is the latest, and of equal times the later line.
        order = stable_order(keys, times)
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        if rule == "error" and len(starts) < len(keys):
            again = int(keys[starts[np.flatnonzero(ends - starts > 1)[0]]])
            raise InputError(
                f"user {user_ids[again // len(items)]!r} and item {item_ids[again % len(items)]!r} "
                f"meet more than once, and duplicates is 'error'; choose last, sum, mean, max or count."
            )
        values = _aggregated(log.values[events][order], starts, ends, rule)
        if len(values) and values.max() > _FLOAT32_MAX:
            raise InputError(
                f"a value of {values.max():g} is beyond single precision (3.4e38); give smaller units."
            )
        counts = np.bincount(user_codes[order][starts], minlength=len(users))
        columns = item_codes[order][starts].astype(np.int32)
        matrix = CompressedRows(np.r_[0, np.cumsum(counts)], columns, values.astype(np.float32), len(items))
        return cls(
            by_user=matrix,
            user_ids=user_ids,
            item_ids=item_ids,
            feedback=log.feedback,
            time=None if times is None else times[order][ends - 1],
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
        users, known_users = encode(_column(user_ids))
        items, known_items = encode(_column(item_ids))
        try:
            numbers = np.ones(len(users)) if values is None else np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the values are no numbers: {error}.") from None
        if numbers.ndim != 1:
            raise InputError(f"the values have shape {numbers.shape}; expected one for each entry.")
        if not len(users) == len(items) == len(numbers):
            raise InputError(
                f"{len(users)} users, {len(items)} items and {len(numbers)} values; expected as many of each."
            )
        check_values(numbers)
        log = Log(users.astype(np.int32), items.astype(np.int32), numbers, known_users, known_items, feedback)
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
            If the matrix is not two-dimensional, is empty, or holds negative or infinite values.
        """
        rows = observed_rows(matrix)
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
        ids = []
        for side, known, n in (
            ("rows", self.user_ids, rows.n_rows),
            ("columns", self.item_ids, rows.n_columns),
        ):
            if n < len(known):
                raise InputError(
                    f"the matrix has {n} {side}; expected {len(known)} or more: "
                    f"those of the data known so far, in their order, then new ones."
                )
            if n > len(known) and known != Ids(np.arange(len(known))):
                raise InputError(
                    f"the matrix has {n - len(known)} new {side}, for which there are no ids beside the "
                    f"{len(known)} known; give Interactions instead."
                )
            ids.append(known if n == len(known) else Ids(np.arange(n)))
        return Interactions(rows, ids[0], ids[1], self.feedback)

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
        rows, columns = users[new.by_user.row_numbers], items[new.by_user.columns]
        merging = merge_positions(self.by_user, rows, columns, len(item_ids))
        met, positions = merging.order[merging.is_stored], merging.positions[merging.is_stored]
        values = new.by_user.values.astype(np.float64)
        if self.feedback == "implicit":
            values[met] += self.by_user.values[positions]
            check_values(values)
        counts = np.zeros(len(user_ids), dtype=np.int64)
        counts[: self.n_users] = self.by_user.counts
        counts += np.bincount(rows[merging.order][~merging.is_stored], minlength=len(user_ids))
        time = None
        if self.time is not None and new.time is not None:
            later = new.time.copy()
            later[met] = np.maximum(later[met], self.time[positions])
            time = merging.merge(self.time, later)
        return Interactions(
            by_user=CompressedRows(
                np.r_[0, np.cumsum(counts)],
                merging.merge(self.by_user.columns, columns.astype(np.int32)),
                merging.merge(self.by_user.values, values.astype(np.float32)),
                len(item_ids),
            ),
            user_ids=user_ids,
            item_ids=item_ids,
            feedback=self.feedback,
            time=time,
        )


def stable_order(keys: Int64Array, times: Int64Array | None = None) -> Int64Array | slice:
    """Return what sorts by key and then by time, earlier lines first; everything as it is where it is sorted.

    Tables mostly come sorted, and looking is much cheaper than sorting.
    """
    rises = keys[1:] >= keys[:-1]
    if times is not None:
        rises &= (keys[1:] > keys[:-1]) | (times[1:] >= times[:-1])
    if rises.all():
        return slice(None)
    return np.argsort(keys, kind="stable") if times is None else np.lexsort((times, keys))


def _renumbered(numbers: Int32Array, n: int) -> tuple[Int64Array, Int64Array]:
    """Return which of n numbers there are, ascending, and the position of each given one among them."""
    is_there = np.zeros(n, dtype=bool)
    is_there[numbers] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[numbers]


def _column(values: Iterable[Id] | AnyArray) -> AnyArray:
    if hasattr(values, "to_numpy"):  # a column of a table
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"a column of ids is {values!r:.80}; expected one id for each entry.")
    return np.asarray(list(values), dtype=object)


def _aggregated(values: Float64Array, starts: Int64Array, ends: Int64Array, rule: str) -> Float64Array:
    """Aggregate runs of values by a rule; each run is in order of time."""
    aggregated: Float64Array
    if rule in ("last", "error"):
        aggregated = values[ends - 1]
    elif rule == "count":
        aggregated = (ends - starts).astype(np.float64)
    elif rule == "max":
        aggregated = np.maximum.reduceat(values, starts)
    else:
        aggregated = np.add.reduceat(values, starts)
        if rule == "mean":
            aggregated = aggregated / (ends - starts)
    return aggregated
