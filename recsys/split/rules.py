"""The rules by which a log is split."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import numpy as np

from recsys import rng
from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.split.split import Split
from recsys.typing import Int64Array

SPECS = "random:SHARE, last:N, time:SHARE, time:DATE, time:28d, time:4w or time:NUMBER"
_SECOND = 1_000_000
_SPANS = {"d": 86_400 * _SECOND, "w": 7 * 86_400 * _SECOND}


def random_share(log: Log, share: float, *, seed: int) -> Split:
    """Hold out a share of the (user, item) pairs, all events of a pair together.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1.
    seed : int
        The drawn pairs do not depend on the order of the log.
    """
    if not 0 < share < 1:
        raise ParameterError(f"split random:{share:g}: the share is expected between 0 and 1.")
    pairs, pair_of_event = np.unique(log.pairs, return_inverse=True)
    drawn = rng.stream(seed, "split", "random").permutation(len(pairs))[: round(share * len(pairs))]
    held = np.zeros(len(pairs), dtype=bool)
    held[drawn] = True
    return Split.of_mask(f"random:{share:g}", seed, held[pair_of_event])


def last_n(log: Log, n: int) -> Split:
    """Hold out the last n new items of each user, all events of a pair together.

    New items are ordered by the time a user first met them, by the order of the log where times
    tie or are missing. Every user keeps at least one item for training.

    Parameters
    ----------
    log : Log
    n : int
        1 or more.
    """
    if n < 1:
        raise ParameterError(f"split last:{n}: the number is expected to be 1 or more.")
    times = np.arange(len(log)) if log.times is None else log.times
    order = np.lexsort((np.arange(len(log)), times))
    _, first, pair_of_event = np.unique(log.pairs[order], return_index=True, return_inverse=True)
    users = log.users[order][first]
    by_user = np.lexsort((first, users))  # pairs, user by user, from the first met to the last
    counts = np.bincount(users, minlength=len(log.user_ids))
    starts = np.r_[0, np.cumsum(counts)]
    place = np.arange(len(users)) - starts[users[by_user]]
    from_end = counts[users[by_user]] - 1 - place
    held_pairs = np.zeros(len(users), dtype=bool)
    held_pairs[by_user] = (from_end < n) & (place > 0)
    held = np.zeros(len(log), dtype=bool)
    held[order] = held_pairs[pair_of_event]
    return Split.of_mask(f"last:{n}", None, held)


def time_point(log: Log, when: str) -> Split:
    """Train on what came before a point in time, hold out what came at or after it.

    Parameters
    ----------
    log : Log
        With times.
    when : str
        A share between 0 and 1 (of the events, the latest), a date or date and time (ISO 8601,
        UTC), a number (for logs whose time is a number), or the length of the last stretch in
        days (``28d``) or weeks (``4w``).

    Raises
    ------
    InputError
        If the log has no times, or one part would be empty.
    ParameterError
        If ``when`` cannot be read.
    """
    if log.times is None:
        raise InputError("split by time: the log has no time column; name one, or split at random.")
    point = _point(log, log.times, when)
    return Split.of_mask(f"time:{when}", None, log.times >= point)


def _point(log: Log, times: Int64Array, when: str) -> int:
    if span := re.fullmatch(r"(\d{1,5})([dw])", when):
        if log.time_kind != "timestamp":
            raise ParameterError(f"split time:{when}: this log's time is a number; give time:NUMBER.")
        return int(times.max()) - int(span[1]) * _SPANS[span[2]] + 1
    number = _number(when)
    if number is not None and 0 < number < 1:
        n_held_out = max(1, min(round(number * len(times)), len(times) - 1))
        return int(np.partition(times, len(times) - n_held_out)[len(times) - n_held_out])
    if number is not None:
        if log.time_kind == "number":
            return math.ceil(number)
        raise ParameterError(f"split time:{when}: this log has timestamps; give a date or a share below 1.")
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        raise ParameterError(
            f"split time:{when}: expected a share below 1, a date such as 2024-05-31, a number, 28d or 4w."
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


def parse_split(spec: str, log: Log, *, seed: int) -> Split:
    """Split a log by a rule written as on the command line.

    Parameters
    ----------
    spec : str
        ``random:0.2``, ``last:5``, ``time:0.1``, ``time:2024-05-31``, ``time:4w`` ...
    log : Log
    seed : int

    Raises
    ------
    ParameterError
        If the rule is unknown or its argument cannot be read.
    """
    rule, _, argument = spec.partition(":")
    try:
        if rule == "random":
            return random_share(log, float(argument or 0.2), seed=seed)
        if rule == "last":
            return last_n(log, int(argument or 1))
    except ValueError as error:
        if isinstance(error, (InputError, ParameterError)):
            raise
        raise ParameterError(f"split {spec!r}: {argument!r} is no number; expected {SPECS}.") from None
    if rule == "time":
        return time_point(log, argument or "0.2")
    raise ParameterError(f"there is no split {spec!r}; expected {SPECS}.")
