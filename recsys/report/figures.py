"""What each chart shows, in words and numbers; how it looks is not decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.evaluate.measurements import Measurements
from recsys.evaluate.uncertainty import bootstrap
from recsys.factorization.history import History
from recsys.report.closeup import Closeup
from recsys.report.groups import Groups
from recsys.report.page import Column, Figure, Row, Value
from recsys.typing import Float64Array, Int64Array

_MODEL = Column("model", "model")
_MOST_SWEEPS = 200
_MOST_POINTS = 60
HELD_OUT = "what was held out"


def curve(closeups: Mapping[str, Closeup], family: str) -> Figure:
    """Return the metric by length of the list."""
    return Figure(
        name="curve",
        title="Short lists and long ones",
        caption=f"{family} of the first k items, for each length k.",
        columns=(_MODEL, Column("k", "k", "count"), Column("value", f"{family}@k", "score")),
        rows=tuple((label, k, value) for label, at in closeups.items() for k, value in at.curve.items()),
        notes={"metric": f"{family}@k"},
    )


def trade_offs(
    closeups: Mapping[str, Closeup], metric: str, values: Mapping[str, float], k: int
) -> tuple[Figure, Figure]:
    """Return the metric against how much of the catalogue is shown, and against how popular that is."""
    shown = f"somebody's first {k}"
    return (
        Figure(
            name="coverage",
            title="Accuracy against variety",
            caption=f"Upward: better {metric}. To the right: more of the catalogue is in {shown}.",
            columns=(_MODEL, Column("across", f"coverage@{k}", "share"), Column("value", metric, "score")),
            rows=tuple((label, at.coverage, values[label]) for label, at in closeups.items()),
            notes={"metric": metric, "across": f"coverage@{k}"},
        ),
        Figure(
            name="crowd",
            title="Accuracy against popularity",
            caption=f"Upward: better {metric}. To the left: lists are less popular; popularity is the share "
            f"of users who already have a listed item, on average over the first {k}.",
            columns=(
                _MODEL,
                Column("across", "popularity", "share"),
                Column("value", metric, "score"),
            ),
            rows=tuple((label, at.popularity, values[label]) for label, at in closeups.items()),
            notes={"metric": metric, "across": f"popularity of the first {k}"},
        ),
    )


def by_activity(
    measured: Mapping[str, Measurements], metric: str, groups: Groups, *, seed: int
) -> Figure | None:
    """Return the metric by group of users; groups are of the users measured, in their order."""
    rows: list[tuple[Value, ...]] = []
    for label, at in measured.items():
        values = at.per_user.get(metric)
        if values is None or len(values) != len(groups.of):
            continue
        for group, name in enumerate(groups.names):
            inside = values[(groups.of == group) & np.isfinite(values)]
            if len(inside):
                spread = bootstrap(inside, seed=seed)
                rows.append((label, name, len(inside), spread.low, spread.high, spread.mean))
    if len(groups) < 2 or not rows:
        return None
    return Figure(
        name="activity",
        title="For whom: by how much users do",
        caption="Users in groups of about equal size, by the number of items they have in training.",
        columns=(
            _MODEL,
            Column("group", "items in training"),
            Column("n_users", "users", "count"),
            Column("low", "from", "score"),
            Column("high", "to", "score"),
            Column("value", metric, "score"),
        ),
        rows=tuple(rows),
        notes={"metric": metric, "groups": groups.names, "title": "items in training"},
    )


def by_popularity(closeups: Mapping[str, Closeup], groups: Groups, k: int) -> Figure | None:
    """Return which part of the held-out pairs is found, by group of items."""
    rows = [
        (label, name, float(at.recall[group]))
        for label, at in closeups.items()
        for group, name in enumerate(groups.names)
        if np.isfinite(at.recall[group])
    ]
    if len(groups) < 2 or not rows:
        return None
    return Figure(
        name="popularity",
        title="For what: by how popular items are",
        caption=f"Share of the held-out pairs that stand in the first {k}. The groups of items, the most "
        f"popular first, hold about as many training pairs each.",
        columns=(_MODEL, Column("group", "items"), Column("value", "found", "share")),
        rows=tuple(rows),
        notes={
            "metric": f"held-out pairs found in the first {k}",
            "groups": groups.names,
            "title": "items in the group, the most popular first",
        },
    )


def places(closeups: Mapping[str, Closeup], held_out: Float64Array, groups: Groups, k: int) -> Figure | None:
    """Return what the lists are made of, beside what users did take."""
    if len(groups) < 2:
        return None
    shares = {HELD_OUT: held_out, **{label: at.places for label, at in closeups.items()}}
    return Figure(
        name="places",
        title="What the lists are made of",
        caption=f"How the first {k} places are shared out among the same groups of items, beside what users "
        f"did take.",
        columns=(Column("model", "lists of"), Column("group", "items"), Column("value", "share", "share")),
        rows=tuple(
            (label, name, float(found[group]))
            for label, found in shares.items()
            for group, name in enumerate(groups.names)
        ),
        notes={"groups": groups.names},
    )


def cost(rows: Sequence[Row]) -> Figure | None:
    """Return seconds and memory."""
    told: list[tuple[Value, ...]] = [
        (row.label, row.peak_bytes, row.fit_seconds, row.score_seconds, row.fit_seconds + row.score_seconds)
        for row in rows
        if row.fit_seconds is not None and row.score_seconds is not None
    ]
    if not told:
        return None
    columns: tuple[Column, ...] = (
        _MODEL,
        Column("peak", "peak memory", "bytes"),
        Column("fit", "fit", "seconds"),
        Column("score", "score and measure", "seconds"),
        Column("seconds", "together", "seconds"),
    )
    has_memory = any(row[1] is not None for row in told)
    if not has_memory:
        columns, told = (columns[0], *columns[2:]), [(row[0], *row[2:]) for row in told]
    memory = " Peak memory is what a fit took beyond what the process held before." if has_memory else ""
    return Figure(
        name="cost",
        title="What they cost",
        caption=f"Seconds to fit, and to score, rank and measure; compilation is not counted.{memory}",
        columns=columns,
        rows=tuple(told),
    )


def convergence(histories: Mapping[str, History]) -> Figure | None:
    """Return which part of the objective's whole fall is still to come, sweep by sweep."""
    rows: list[tuple[Value, ...]] = []
    for label, history in histories.items():
        objective = np.asarray(history.objective)
        if len(objective) < 3 or objective[0] <= objective.min():
            continue
        left = (objective - objective.min()) / (objective[0] - objective.min())
        step = max(1, len(left) // _MOST_SWEEPS)
        rows.extend(
            (label, at + 1, history.seconds[at], float(objective[at]), float(left[at]))
            for at in range(0, len(left), step)
        )
    if not rows:
        return None
    return Figure(
        name="convergence",
        title="How training settled",
        caption="The part of the objective's fall that is still to come after each sweep, from the first "
        "sweep to its lowest value. The scale is one of powers: a straight line is a steady rate.",
        columns=(
            _MODEL,
            Column("sweep", "sweep", "count"),
            Column("seconds", "after", "seconds"),
            Column("objective", "objective", "number"),
            Column("left", "still to come", "share"),
        ),
        rows=tuple(rows),
    )


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
        at = np.unique(np.round(len(ordered) * np.linspace(0, 1, _MOST_POINTS) ** 2).astype(int))
        rows.extend((side, float(n / max(1, len(ordered))), float(reached[n])) for n in at)
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
    """Return events by time, with the window that is held out.

    Parameters
    ----------
    times : int64, (n_events,)
        Microseconds since 1970 (``kind`` "timestamp") or the log's own numbers.
    kind : {"timestamp", "number"} or None
    window : (first, last), optional
        As in the audit, for a split at a point in time.
    """
    first, last = int(times.min()), int(times.max())
    if first == last:
        return None
    if kind == "timestamp":
        day = 86_400_000_000
        steps = [(60_000_000, "minute"), (3_600_000_000, "hour"), (day, "day"), (7 * day, "week")]
        step, unit = next(
            ((step, unit) for step, unit in steps if (last - first) / step <= 120), (30 * day, "30 days")
        )
        if (last - first) / step > 240:
            step, unit = 365 * day, "365 days"
        origin = last + 1 - step * int(np.ceil((last + 1 - first) / step))
        edge = [str(np.datetime64(origin + step * n, "us").astype("datetime64[s]")) for n in range(300)]
        per = f"a {unit}" if not unit[0].isdigit() else unit
        per = "an hour" if unit == "hour" else per
    else:
        step = max(1, -(-(last - first + 1) // 60))
        origin = first
        per = f"{step:,} units of time"
    numbers = np.bincount((times - origin) // step)
    rows: list[tuple[Value, ...]] = []
    for n, found in enumerate(numbers.tolist()):
        start: Value = edge[n] if kind == "timestamp" else origin + step * n
        end: Value = edge[n + 1] if kind == "timestamp" else origin + step * (n + 1)
        rows.append((start, end, found))
    return Figure(
        name="time",
        title="Events over time",
        caption=f"Events per {per.removeprefix('a ').removeprefix('an ')}"
        + (", those held out shaded." if window else "."),
        columns=(Column("start", "from"), Column("end", "to"), Column("value", "events", "count")),
        rows=tuple(rows),
        notes={"kind": kind, "window": None if window is None else [str(edge) for edge in window]},
    )
