"""The sparse user-item matrix: one entry per (user, item) pair."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from scipy import sparse

from recsys.data.ids import Id, Ids, encode
from recsys.data.log import Feedback, Log
from recsys.data.rows import CompressedRows, positives
from recsys.errors import InputError
from recsys.typing import AnyArray, Float64Array, Int64Array

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
        cls, log: Log, rows: Int64Array | None = None, *, duplicates: Duplicates | None = None
    ) -> Interactions:
        """Join the events of each pair into one entry.

        Parameters
        ----------
        log : Log
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
        rule = duplicates or DEFAULT_DUPLICATES[log.feedback]
        if rule not in DUPLICATE_RULES:
            raise InputError(f"duplicates is {rule!r}; expected one of {', '.join(DUPLICATE_RULES)}.")
        events = np.arange(len(log)) if rows is None else np.asarray(rows, dtype=np.int64)
        if len(events) == 0:
            raise InputError("no events are left; loosen the filter or the split.")
        users, user_codes = np.unique(log.users[events], return_inverse=True)
        items, item_codes = np.unique(log.items[events], return_inverse=True)
        user_ids, item_ids = log.user_ids.select(users), log.item_ids.select(items)

        keys = user_codes.astype(np.int64) * len(items) + item_codes
        times = None if log.times is None else log.times[events]
        # Stable sorts: the last of a pair is the latest, and of equal times the later line.
        order = np.argsort(keys, kind="stable") if times is None else np.lexsort((times, keys))
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        if rule == "error" and len(starts) < len(keys):
            again = int(keys[starts[np.flatnonzero(ends - starts > 1)[0]]])
            raise InputError(
                f"user {user_ids[again // len(items)]!r} and item {item_ids[again % len(items)]!r} "
                f"meet more than once, and duplicates is 'error'; choose last, sum, mean, max or count."
            )
        values = _join(log.values[events][order], starts, ends, rule)
        if len(values) and values.max() > _FLOAT32_MAX:
            raise InputError(
                f"a value of {values.max():g} is beyond single precision (3.4e38); give smaller units."
            )
        pairs = keys[starts]
        indptr = np.searchsorted(pairs // len(items), np.arange(len(users) + 1))
        matrix = CompressedRows(indptr, pairs % len(items), values.astype(np.float32), len(items))
        return cls(
            by_user=matrix,
            user_ids=user_ids,
            item_ids=item_ids,
            feedback=log.feedback,
            time=None if times is None else times[order][ends - 1],
        )

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
        if not len(users) == len(items) == len(numbers):
            raise InputError(
                f"{len(users)} users, {len(items)} items and {len(numbers)} values; expected as many of each."
            )
        check_values(numbers)
        log = Log(users.astype(np.int32), items.astype(np.int32), numbers, known_users, known_items, feedback)
        return cls.from_log(log, duplicates=duplicates)

    @classmethod
    def from_matrix(cls, matrix: Any, *, feedback: Feedback = "explicit") -> Interactions:
        """Take a matrix whose rows are users and whose columns are items, ids being 0, 1, 2 ...

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
        if sparse.issparse(matrix):
            if matrix.ndim != 2:
                raise InputError(f"the matrix has shape {matrix.shape}; expected users x items.")
            n_stored = matrix.nnz
            rows = sparse.csr_array(matrix, dtype=np.float64, copy=True)
            rows.sum_duplicates()
            if rows.nnz < n_stored:
                raise InputError("the sparse matrix stores an entry twice; join such entries first.")
        else:
            try:
                dense = np.asarray(matrix, dtype=np.float64)
            except (TypeError, ValueError) as error:
                raise InputError(f"the matrix is no table of numbers: {error}.") from None
            if dense.ndim != 2:
                raise InputError(f"the matrix has shape {dense.shape}; expected users x items.")
            observed = ~np.isnan(dense)
            at = np.nonzero(observed)
            indptr = np.r_[0, np.cumsum(observed.sum(axis=1))]
            rows = sparse.csr_array((dense[observed], at[1], indptr), shape=dense.shape)
        if 0 in rows.shape or rows.nnz == 0:
            raise InputError(f"a matrix of shape {rows.shape} with {rows.nnz} observed entries is empty.")
        check_values(rows.data)
        n_users, n_items = rows.shape
        return cls(
            by_user=CompressedRows.from_scipy(rows.astype(np.float32)),
            user_ids=Ids(np.arange(n_users)),
            item_ids=Ids(np.arange(n_items)),
            feedback=feedback,
        )


def _column(values: Iterable[Id] | AnyArray) -> AnyArray:
    return values if isinstance(values, np.ndarray) else np.asarray(list(values), dtype=object)


def check_values(values: Float64Array) -> None:
    """Raise InputError unless all values are finite, 0 or more and within float32."""
    for bad, kind in (
        (~np.isfinite(values), "not a finite number"),
        (values < 0, "negative; a non-negative model has no place for it"),
        (values > _FLOAT32_MAX, "beyond single precision (3.4e38)"),
    ):
        if bad.any():
            first = int(np.flatnonzero(bad)[0])
            raise InputError(f"value {values[first]:g} (entry {first}) is {kind}.")


def _join(values: Float64Array, starts: Int64Array, ends: Int64Array, rule: str) -> Float64Array:
    """Join runs of values by a rule; runs stand in order of time."""
    joined: Float64Array
    if rule in ("last", "error"):
        joined = values[ends - 1]
    elif rule == "count":
        joined = (ends - starts).astype(np.float64)
    elif rule == "max":
        joined = np.maximum.reduceat(values, starts)
    else:
        joined = np.add.reduceat(values, starts)
        if rule == "mean":
            joined = joined / (ends - starts)
    return joined
