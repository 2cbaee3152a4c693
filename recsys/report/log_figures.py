"""What charts show of a log: how unevenly pairs fall, and when events came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.report.tables import Column, Figure, Value
from recsys.typing import Int64Array

_MOST_POINTS = 60
_MOST_BARS = 240
_DAY = 86_400_000_000  # microseconds
_STEPS = ((60_000_000, "minute"), (3_600_000_000, "hour"), (_DAY, "day"), (7 * _DAY, "week"))
TRAINING, HELD_OUT = "training", "held out"


def long_tail(item_counts: Int64Array, user_counts: Int64Array) -> Figure:
    """Return how unevenly pairs fall on items and users, the largest first."""
    rows: list[tuple[Value, ...]] = []
    halves = {}
    for side, counts in (("items", item_counts), ("users", user_counts)):
        ordered = np.sort(counts)[::-1]
        total = max(1, int(ordered.sum()))
        reached = np.r_[0, np.cumsum(ordered)] / total
        halves[side] = float(np.searchsorted(reached, 0.5) / max(1, len(ordered)))
        # Closer together at the head, where the curve bends.
        points = np.unique(np.round(len(ordered) * np.linspace(0, 1, _MOST_POINTS) ** 2).astype(int))
        rows.extend((side, float(n / max(1, len(ordered))), float(reached[n])) for n in points)
    return Figure(
        name="long-tail",
        title="The long tail",
        caption="Share of all training pairs that the most taken items, and the most active users, have "
        "together.",
        columns=(
            Column("side", "side"),
            Column("share", "of items or users", "share"),
            Column("value", "have of all pairs", "share"),
        ),
        rows=tuple(rows),
        notes={"halves": halves},
    )


def over_time(times: Int64Array, kind: str | None, window: Sequence[str | int] | None) -> Figure | None:
    """Return events by time, and which of the bars are held out.

    Parameters
    ----------
    times : int64, (n_events,)
        Microseconds since 1970 (``kind`` "timestamp") or the log's own numbers.
    kind : {"timestamp", "number"} or None
    window : (first, last), optional
        As in the audit, for a split at a point in time. Bars that lie in it by half or more are its own.
    """
    first, last = int(times.min()), int(times.max())
    if first == last:
        return None
    is_time = kind == "timestamp"
    step, per = _step(first, last) if is_time else _number_step(first, last)
    # Bars of time end with the log, so that the last weeks are whole ones.
    origin = last + 1 - step * -(-(last + 1 - first) // step) if is_time else first
    counts = np.bincount((times - origin) // step)
    edges = [origin + step * n for n in range(len(counts) + 1)]
    held_out = _inside(edges, None if window is None else [_moment(edge, is_time) for edge in window])
    written = [_written(edge) if is_time else edge for edge in edges]
    return Figure(
        name="time",
        title="Events over time",
        caption=f"Events {per}" + (", those held out in another colour." if window else "."),
        columns=(
            Column("start", "from"),
            Column("end", "to"),
            Column("part", "part"),
            Column("value", "events", "count"),
        ),
        rows=tuple(
            (written[n], written[n + 1], HELD_OUT if held_out[n] else TRAINING, n_events)
            for n, n_events in enumerate(counts.tolist())
        ),
        notes={"kind": kind, "has_window": window is not None},
    )


def _step(first: int, last: int) -> tuple[int, str]:
    """Return the width of a bar of time, and its words: the finest that makes few bars."""
    reach = last - first
    for step, unit in _STEPS:
        if reach / step <= _MOST_BARS / 2:
            return step, f"per {unit}"
    for n_days in (30, 365):
        if reach / (n_days * _DAY) <= _MOST_BARS:
            return n_days * _DAY, f"per {n_days} days"
    # A wrong year makes a log of centuries.
    n_days = -(-reach // (_MOST_BARS * _DAY))
    return n_days * _DAY, f"per {n_days:,} days"


def _number_step(first: int, last: int) -> tuple[int, str]:
    step = -(-(last - first + 1) // 60)
    return step, f"per {step:,} units of time" if step > 1 else "per unit of time"


def _moment(edge: str | int, is_time: bool) -> int:
    return int(np.datetime64(edge, "us").astype(np.int64)) if is_time else int(edge)


def _written(edge: int) -> str:
    return str(np.datetime64(edge, "us").astype("datetime64[s]"))


def _inside(edges: Sequence[int], window: Sequence[int] | None) -> list[bool]:
    """Return which bars lie in a window by half or more; one at least, where there is a window."""
    n_bars = len(edges) - 1
    if window is None:
        return [False] * n_bars
    low, high = window[0], window[1] + 1
    shared = [min(edges[n + 1], high) - max(edges[n], low) for n in range(n_bars)]
    is_inside = [2 * part >= edges[n + 1] - edges[n] for n, part in enumerate(shared)]
    if not any(is_inside):
        is_inside[int(np.argmax(shared))] = True
    return is_inside
