"""Points in time as written: a share of the events, a date, a number, or a stretch before the end."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.typing import Int64Array

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_UNITS = {"d": _DAY, "w": 7 * _DAY}
_UNIT_NAMES = {"d": ("day", "days"), "w": ("week", "weeks")}


@dataclass(frozen=True)
class Stretch:
    """A number of days or weeks.

    Attributes
    ----------
    n : int
    unit : str
        "d" or "w".
    """

    n: int
    unit: str

    @classmethod
    def read(cls, text: str) -> Stretch | None:
        """Return the stretch that a text such as "28d" or "4w" is, or None."""
        parts = re.fullmatch(r"(\d{1,7})([dw])", text)
        return None if parts is None else cls(int(parts[1]), parts[2])

    def __str__(self) -> str:
        return f"{self.n}{self.unit}"

    def __mul__(self, times: int) -> Stretch:
        return Stretch(self.n * times, self.unit)

    @property
    def microseconds(self) -> int:
        """Its length."""
        return self.n * _UNITS[self.unit]

    @property
    def words(self) -> str:
        """The stretch in words: "4 weeks"."""
        singular, plural = _UNIT_NAMES[self.unit]
        return f"{self.n} {singular if self.n == 1 else plural}"


@dataclass(frozen=True)
class Moment:
    """A point in time, one of the four.

    Attributes
    ----------
    text : str
        As written.
    share : float or None
        The point after which the latest events of this share happened.
    before_end : Stretch or None
    number : int or float or None
        In the units of a log whose time is a number.
    microseconds : int or None
        Since 1970, UTC.
    """

    text: str
    share: float | None = None
    before_end: Stretch | None = None
    number: float | None = None
    microseconds: int | None = None

    @classmethod
    def read(cls, text: str) -> Moment:
        """Read a point in time, or raise ParameterError."""
        if (stretch := Stretch.read(text)) is not None:
            return cls(text, before_end=stretch)
        number = _number(text)
        if number is not None:
            return cls(text, share=number) if 0 < number < 1 else cls(text, number=number)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ParameterError(
                f"split time:{text}: expected a share below 1, a date such as 2024-05-31, a number, 28d or "
                f"4w, or two of them, FROM..TO."
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        whole = (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds
        return cls(text, microseconds=whole)

    def in_log(self, log: Log, times: Int64Array) -> int:
        """Return the point in the units of a log's times.

        Parameters
        ----------
        log : Log
        times : int64, (n_events,)
            Its times.

        Raises
        ------
        ParameterError
            If the log has times of another kind.
        """
        if self.share is not None:
            index = len(times) - n_latest(self.share, len(times))
            return int(np.partition(times, index)[index])
        if self.number is not None:
            if log.time_kind == "number":
                return math.ceil(self.number)
            raise ParameterError(
                f"split time:{self.text}: this log has timestamps; give a date or a share below 1."
            )
        if log.time_kind != "timestamp":
            of_log = f"this log's time is a number ({times.min()} to {times.max()})"
            advice = (
                "; give a number or a share below 1."
                if self.before_end is None
                else ", not a date; give time:NUMBER in its units, or a share as time:0.1."
            )
            raise ParameterError(f"split time:{self.text}: {of_log}{advice}")
        if self.before_end is not None:
            return int(times.max()) - self.before_end.microseconds + 1
        assert self.microseconds is not None
        return self.microseconds


def n_latest(share: float, n_events: int) -> int:
    """Return how many events a share is, at least one and one less than all at most."""
    return max(1, min(round(share * n_events), n_events - 1))


def _number(text: str) -> float | None:
    """Return a finite number, whole ones in full length, or None."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
