"""How a log is distributed: histograms of events and values, and the longest times without an event."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from recsys.data.array_files import counts_of
from recsys.data.log import Log
from recsys.typing import AnyArray, Float64Array

_MOST_VALUES = 12
_N_BINS = 10
_LONG_TAILED = 20.0
_LEAST_GAP = 0.01
_MOST_GAPS = 3


@dataclass(frozen=True)
class Histogram:
    """How many of something have which numbers.

    Attributes
    ----------
    title : str
    what : str
        What is counted.
    bins : tuple of (str, int)
        Each bin in words and its count, from the smallest numbers to the largest; none is left out.
    """

    title: str
    what: str
    bins: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Gap:
    """A time without an event: the last event before it, the first after it, and its days."""

    last: str
    first: str
    days: float


def histograms(log: Log) -> tuple[Histogram, ...]:
    """Return histograms of the events of users and of items, and of the values.

    Bins of counts double in width (1, 2, 3-4, 5-8 ...). Values have a bin each if they are few; else
    bins double too where the largest is far above the median, and are of equal width where not.
    """
    users, items = counts_of(log.users, len(log.user_ids)), counts_of(log.items, len(log.item_ids))
    return (
        Histogram("Events of a user", "users", _doubling(users)),
        Histogram("Events of an item", "items", _doubling(items)),
        Histogram("Values", "events", _of_values(log.values)),
    )


def gaps(log: Log) -> tuple[Gap, ...]:
    """Return the longest times without an event, those of more than a hundredth of the whole span.

    None where times are no timestamps.
    """
    if log.times is None or log.time_kind != "timestamp":
        return ()
    moments = np.unique(log.times)
    lengths = np.diff(moments)
    longest = np.argsort(-lengths, kind="stable")[:_MOST_GAPS]
    least = _LEAST_GAP * (moments[-1] - moments[0])
    return tuple(
        Gap(_written(moments[gap]), _written(moments[gap + 1]), float(lengths[gap]) / 86_400e6)
        for gap in longest
        if lengths[gap] > least
    )


def profile_of(log: Log) -> dict[str, Any]:
    """Return the histograms and gaps of a log, ready for JSON."""
    return {
        "histograms": [
            {"title": each.title, "what": each.what, "bins": [list(part) for part in each.bins]}
            for each in histograms(log)
        ],
        "gaps": [{"last": gap.last, "first": gap.first, "days": gap.days} for gap in gaps(log)],
    }


def _of_values(values: Float64Array) -> tuple[tuple[str, int], ...]:
    low, high = float(values.min()), float(values.max())
    different = np.unique(values[: 1 << 20])  # mostly enough to see that they are many
    if len(different) <= _MOST_VALUES:
        different, counts = np.unique(values, return_counts=True)
        if len(different) <= _MOST_VALUES:
            return tuple((f"{value:g}", int(n)) for value, n in zip(different, counts, strict=True))
    if low >= 0 and high > _LONG_TAILED * max(float(np.median(values)), 1.0):
        return _doubling(values)
    counts, edges = np.histogram(values, _N_BINS, (low, high))
    names = [f"{a:.4g} to {b:.4g}" for a, b in pairwise(edges.tolist())]
    return tuple(zip(names, counts.tolist(), strict=True))


def _doubling(numbers: AnyArray) -> tuple[tuple[str, int], ...]:
    """Count numbers of 0 or more in bins up to 0, 1, 2, 4, 8 ..."""
    edges = [0.0, 1.0]
    while edges[-1] < numbers.max():
        edges.append(2 * edges[-1])
    # A bin holds its upper edge, not its lower one.
    counts = np.bincount(np.searchsorted(edges, numbers, side="left"), minlength=len(edges)).tolist()
    is_whole = bool(np.all(numbers == np.floor(numbers)))
    named = []
    for number, (edge, count) in enumerate(zip(edges, counts, strict=True)):
        below = edges[number - 1] if number else 0.0
        if number == 0 or (is_whole and edge - below <= 1):
            name = f"{edge:,.0f}"
        else:
            name = f"{below + 1:,.0f} to {edge:,.0f}" if is_whole else f"over {below:,.0f} to {edge:,.0f}"
        named.append((name, int(count)))
    filled = [number for number, (_, count) in enumerate(named) if count]
    return tuple(named[filled[0] : filled[-1] + 1])


def _written(moment: int) -> str:
    return str(np.datetime64(int(moment), "us").astype("datetime64[m]")).replace("T", " ")
