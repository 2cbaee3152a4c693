"""Events of a log as sets, the same events in another order, and logs with dates."""

from datetime import UTC, datetime

import numpy as np

from tests.logs import log_of


def events_of(log, rows):
    return {(int(log.users[row]), int(log.items[row]), int(log.times[row])) for row in rows}


def pairs_of(log, rows):
    return {(int(log.users[row]), int(log.items[row])) for row in rows}


def shuffled(log, seed=5):
    """Return the same events in another order."""
    order = np.random.default_rng(seed).permutation(len(log))
    columns = log.users, log.items, log.values, log.times
    return log_of(list(zip(*(column[order].tolist() for column in columns), strict=True)))


def dated(*moments):
    micros = [
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000 for text in moments
    ]
    return log_of([(1, at, 1, time) for at, time in enumerate(micros)], time_kind="timestamp")


DAYS = dated("2024-05-01", "2024-05-30T23:59:59", "2024-05-31", "2024-06-27", "2024-06-28")
