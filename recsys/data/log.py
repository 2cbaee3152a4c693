"""A log as it came: one row an event, ids already numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from recsys.data.ids import Id, Ids, encode
from recsys.data.matrices import check_is_numbers, check_values
from recsys.errors import InputError
from recsys.typing import AnyArray, Float64Array, Int32Array, Int64Array

if TYPE_CHECKING:
    from recsys.data.views import MappedViews

Feedback = Literal["explicit", "implicit"]
TimeKind = Literal["timestamp", "number"]


@dataclass(frozen=True, eq=False)
class Log:
    """Events in the order of the source.

    A split is made here, before repeats are joined, so that what is learned from the past holds
    nothing of the future.

    Attributes
    ----------
    users, items : int32, shape (n_events,)
        Row numbers into ``user_ids`` and ``item_ids``.
    values : float64, shape (n_events,)
        Ratings, counts or amounts, finite and 0 or more; ones where the log has no such column.
    times : int64, shape (n_events,), optional
        Microseconds since 1970 (``time_kind`` "timestamp") or the log's own numbers ("number").
    user_ids, item_ids : Ids
    feedback : {"explicit", "implicit"}
        Whether values are opinions (ratings) or amounts (purchases, plays, clicks).
    time_kind : {"timestamp", "number"} or None
    views : MappedViews or None
        The entries of a prepared log, joined and sorted when it was prepared.
    """

    users: Int32Array
    items: Int32Array
    values: Float64Array
    user_ids: Ids
    item_ids: Ids
    feedback: Feedback
    times: Int64Array | None = None
    time_kind: TimeKind | None = None
    # Of a log that was prepared, as long as nothing is changed: a copy with other events has none.
    views: MappedViews | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        for name, dtype in (
            ("users", np.int32),
            ("items", np.int32),
            ("values", np.float64),
            ("times", np.int64),
        ):
            if getattr(self, name) is not None:
                array = np.ascontiguousarray(getattr(self, name), dtype=dtype).view()
                array.setflags(write=False)
                object.__setattr__(self, name, array)
        if self.feedback not in get_args(Feedback):
            raise InputError(f"feedback is {self.feedback!r}; expected explicit or implicit.")
        n_events = len(self.users)
        if not (len(self.items) == len(self.values) == n_events) or (
            self.times is not None and len(self.times) != n_events
        ):
            raise InputError("the columns of a log differ in length.")
        if (self.times is None) != (self.time_kind is None):
            raise InputError("a log with times needs a time kind, and one without has none.")

    @classmethod
    def from_pairs(
        cls,
        user_ids: Iterable[Id] | AnyArray,
        item_ids: Iterable[Id] | AnyArray,
        values: Iterable[float] | AnyArray | None = None,
        *,
        feedback: Feedback = "explicit",
    ) -> Log:
        """Make a log without times of three columns of equal length; without values each event counts 1.

        Raises
        ------
        InputError
            If they differ in length, or hold what cannot be used.
        """
        users, known_users = encode(_column(user_ids))
        items, known_items = encode(_column(item_ids))
        check_is_numbers(np.asarray(values).dtype, "column of values")
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
        check_values(numbers, allows_negative=feedback == "explicit")
        return cls(
            users.astype(np.int32), items.astype(np.int32), numbers, known_users, known_items, feedback
        )

    def with_views(self, views: MappedViews) -> Log:
        """Return the same log, of which the entries need not be joined again."""
        log = replace(self)
        object.__setattr__(log, "views", views)
        return log

    def __len__(self) -> int:
        return len(self.users)

    @property
    def pairs(self) -> Int64Array:
        """One number for each event's (user, item) pair, shape (n_events,)."""
        return self.users.astype(np.int64) * len(self.item_ids) + self.items

    def span(self, rows: Int64Array | None = None) -> tuple[str | int, str | int] | None:
        """Return the first and the last time of some events (all by default), for people.

        ISO 8601 down to the second, or the log's own numbers; None without times or events.
        """
        times = self.times if self.times is None or rows is None else self.times[rows]
        if times is None or len(times) == 0:
            return None
        return shown_span((int(times.min()), int(times.max())), self.time_kind)


def shown_span(ends: tuple[int, int], kind: TimeKind | None) -> tuple[str | int, str | int]:
    """Return a first and a last time for people; see `Log.span`."""
    if kind == "number":
        return ends
    first, last = (str(np.datetime64(time, "us").astype("datetime64[s]")) for time in ends)
    return first, last


def _column(values: Iterable[Id] | AnyArray) -> AnyArray:
    if hasattr(values, "to_numpy"):  # a column of a table
        values = values.to_numpy()
    if isinstance(values, np.ndarray):
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InputError(f"a column of ids is {values!r:.80}; expected one id for each entry.")
    return np.asarray(list(values), dtype=object)
