"""When each item was last sold, rated or played."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.log import TimeKind
from recsys.errors import ParameterError
from recsys.splitting.moments import Moment
from recsys.typing import BoolArray, Int64Array

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, eq=False)
class LastEvents:
    """The time of the last event of each item.

    Attributes
    ----------
    times : int64, (n_items,)
        Microseconds since 1970, or the log's own numbers.
    kind : {"timestamp", "number"}
    """

    times: Int64Array
    kind: TimeKind

    @classmethod
    def of(cls, train: Interactions, kind: TimeKind | None) -> Self | None:
        """Return those of training data; None where it has no times, or their kind is not known."""
        if train.time is None or kind is None:
            return None
        times = np.full(train.n_items, _NEVER, dtype=np.int64)
        np.maximum.at(times, train.by_user.columns, train.time)
        return cls(times, kind)

    def since(self, moment: Moment) -> tuple[BoolArray, str]:
        """Return which items had an event since a point in time, and that point in words.

        Raises
        ------
        ParameterError
            If the point is a date or a stretch of days, and times are numbers, or the other way round.
        """
        if self.kind == "number":
            if moment.number is None:
                raise ParameterError(
                    f"sold_since is {moment.text!r}, and the log's time is a number, at most "
                    f"{self.times.max()}; give a number."
                )
            return self.times >= moment.number, moment.text
        if moment.before_end is not None:
            start = int(self.times.max()) - moment.before_end.microseconds + 1
        elif moment.microseconds is not None:
            start = moment.microseconds
        else:
            raise ParameterError(
                f"sold_since is {moment.text!r}, and the log has timestamps; give e.g. 60d, 8w or 2024-05-31."
            )
        date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start)
        return self.times >= start, f"{date:%Y-%m-%d}"


def read_moment(text: str) -> Moment:
    """Read what ``sold_since`` says, or raise ParameterError."""
    problem = (
        f"sold_since is {text!r:.80}; expected e.g. 60d or 8w (before the end of the log), or 2024-05-31."
    )
    if not isinstance(text, str):
        raise ParameterError(problem)
    try:
        moment = Moment.read(text)
    except ParameterError:
        raise ParameterError(problem) from None
    if moment.share is not None:
        raise ParameterError(problem)
    return moment
