"""The rule that splits at a point in time, the same for everyone."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.split.split import Split
from recsys.typing import Int64Array

_SECOND = 1_000_000
_SPANS = {"d": 86_400 * _SECOND, "w": 7 * 86_400 * _SECOND}
_SPAN = r"(\d{1,7})([dw])"
_FAR_ABOVE = 1.2  # times the share asked for: what equal times may add without a remark


def time_point(log: Log, when: str) -> Split:
    """Train on what came before a point in time, hold out what came at or after it.

    Parameters
    ----------
    log : Log
        With times.
    when : str
        A share between 0 and 1 (of the events, the latest), a date or date and time (ISO 8601,
        UTC), a number (for logs whose time is a number), or the length of the last stretch in
        days (``28d``) or weeks (``4w``). Two of them, ``FROM..TO``, make a window: held out is
        what came at FROM or later and before TO; what came later still is left out.

    Raises
    ------
    InputError
        If the log has no times, or one part would be empty.
    ParameterError
        If ``when`` cannot be read.
    """
    if log.times is None:
        raise InputError("split by time: the log has no time column; name one, or split at random.")
    since, dots, until = when.partition("..")
    begin = _point(log, log.times, since)
    held_out = log.times >= begin
    if dots:
        end = _point(log, log.times, until)
        if end <= begin:
            raise ParameterError(f"split time:{when}: the window ends before it begins; expected FROM..TO.")
        return Split.of_mask(f"time:{when}", None, held_out & (log.times < end), train=~held_out)
    split = Split.of_mask(f"time:{when}", None, held_out)
    share = _number(when)
    n_held_out = len(split.held_out)
    if share is not None and 0 < share < 1 and n_held_out > _FAR_ABOVE * _n_latest(share, len(log)):
        n_equal = int(np.count_nonzero(log.times == begin))
        return split.remarked(
            f"time:{when} holds out {100 * n_held_out / len(log):.3g} % of the events: {n_equal:,} happened "
            f"at one and the same time, and stay on one side."
        )
    return split


def rolling(log: Log, span: str, n: int) -> tuple[Split, ...]:
    """Hold out each of the last n stretches of time, the earliest first; see `time_point`.

    Each trains on all that came before it, so that later ones have more, and leaves out what came
    after it: the model is judged again and again as it would have been at the time.

    Parameters
    ----------
    log : Log
        With timestamps.
    span : str
        Length of a stretch in days (``28d``) or weeks (``4w``).
    n : int
        1 or more.

    Raises
    ------
    InputError
        If the log has no times, or a part would be empty.
    ParameterError
        If the span cannot be read.
    """
    read = re.fullmatch(_SPAN, span)
    if read is None or int(read[1]) == 0:
        raise ParameterError(
            f"split time:{span}x{n}: windows that follow each other have a length in days or weeks; "
            f"expected e.g. time:4wx{n}."
        )
    length, unit = int(read[1]), read[2]
    windows = [
        f"{length * k}{unit}" + (f"..{length * (k - 1)}{unit}" if k > 1 else "") for k in range(n, 0, -1)
    ]
    found = []
    for part, window in enumerate(windows, start=1):
        try:
            found.append(time_point(log, window))
        except (InputError, ParameterError) as error:
            raise type(error)(f"split time:{span}x{n}, window {part} of {n}: {error}") from None
    if n == 1:
        return (found[0],)
    return tuple(split.numbered(f"time:{span}x{n}", part, n) for part, split in enumerate(found, start=1))


def _n_latest(share: float, n_events: int) -> int:
    return max(1, min(round(share * n_events), n_events - 1))


def _point(log: Log, times: Int64Array, when: str) -> int:
    if span := re.fullmatch(_SPAN, when):
        if log.time_kind != "timestamp":
            raise ParameterError(
                f"split time:{when}: this log's time is a number ({times.min()} to {times.max()}), not a "
                f"date; give time:NUMBER in its units, or a share as time:0.1."
            )
        return int(times.max()) - int(span[1]) * _SPANS[span[2]] + 1
    number = _number(when)
    if number is not None and 0 < number < 1:
        at = len(times) - _n_latest(number, len(times))
        return int(np.partition(times, at)[at])
    if number is not None:
        if log.time_kind == "number":
            return math.ceil(number)
        raise ParameterError(f"split time:{when}: this log has timestamps; give a date or a share below 1.")
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        raise ParameterError(
            f"split time:{when}: expected a share below 1, a date such as 2024-05-31, a number, 28d or 4w, "
            f"or two of them, FROM..TO."
        ) from None
    if log.time_kind != "timestamp":
        raise ParameterError(
            f"split time:{when}: this log's time is a number ({times.min()} to {times.max()}); "
            f"give a number or a share below 1."
        )
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * _SECOND + since.microseconds


def _number(text: str) -> int | float | None:
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
