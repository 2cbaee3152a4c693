"""Charts of lines and of points."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import altair as alt

from recsys.report.charts.parts import (
    HEIGHT,
    LABEL,
    LABEL_GAP,
    SPARSE,
    Looks,
    apart,
    colour,
    dashes,
    data,
    domain_of,
    models_of,
    named_lines,
    names_at_end,
    room,
    score_axis,
    share_axis,
    spread,
    tip,
    weight,
    with_room,
)
from recsys.report.cost_figures import LEAST_GAIN
from recsys.report.tables import Figure

_FEW = 5  # models whose intervals do not hide one another
_MARKS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


def curve(figure: Figure, looks: Looks) -> Any:
    """Draw a metric by length of the list; lengths stand as far apart as their logarithms."""
    metric = str(figure.notes["metric"])
    lengths = sorted({float(row["k"] or 0) for row in figure.records()})
    x = alt.X(
        "k:Q",
        scale=alt.Scale(type="log", range=with_room(models_of(figure)), nice=False),
        axis=alt.Axis(title="length of the list, k", values=lengths, format="d", **SPARSE),
    )
    tips = [alt.Tooltip("model:N"), tip("k", "k", "d"), tip("value", metric)]
    return named_lines(
        figure, looks, x, last=lambda row: row["k"], tooltip=tips, axis=score_axis(), title=metric
    )


def by_group(figure: Figure, looks: Looks) -> Any:
    """Draw a value by group of users or of items."""
    metric, names = str(figure.notes["metric"]), list(figure.notes["groups"])
    is_share = bool(figure.notes.get("is_share"))
    # There is room for few words: the axis says of what.
    short = "replace(replace(datum.label, / items?$/, ''), / to /, '–')"
    x = alt.X(
        "group:N",
        scale=alt.Scale(domain=names, range=with_room(models_of(figure)), type="point", padding=0.4),
        axis=alt.Axis(
            title=figure.notes["title"],
            labelAngle=0,
            labelExpr=short,
            **SPARSE,
        ),
    )
    tips = [alt.Tooltip("model:N"), alt.Tooltip("group:N", title="group")]
    if is_share:
        tips.append(tip("value", "found", ".2%"))
    else:
        spans = [tip("low", "from"), tip("high", "to")] if "low" in figure.records()[0] else []
        tips += [tip("value", metric), *spans, tip("n_users", "users", ",d")]
    return named_lines(
        figure,
        looks,
        x,
        last=lambda row: names.index(row["group"]),
        tooltip=tips,
        axis=share_axis() if is_share else score_axis(),
        title=metric,
        with_spans=not is_share and len(models_of(figure)) <= _FEW and "low" in figure.records()[0],
    )


def trade_off(figure: Figure, looks: Looks) -> Any:
    """Draw accuracy against something else, each point with its name."""
    rows, labels = figure.records(), models_of(figure)
    metric, across_name = str(figure.notes["metric"]), str(figure.notes["across"])
    values = [float(row["value"] or 0) for row in rows]
    domain = domain_of(values)
    places = spread(values, domain, HEIGHT, LABEL_GAP)
    reach = [float(row["across"] or 0) for row in rows]
    is_wide = min(reach) > 0 and max(reach) > 8 * min(reach)
    across = [min(reach) / 1.4, min(1.0, max(reach) * 1.4)] if is_wide else [0, max(reach) * 1.1 or 1]
    axis = share_axis(across_name)
    if is_wide:
        axis.values = [mark for mark in _MARKS if across[0] <= mark <= across[1]]
    x = alt.X(
        "across:Q",
        scale=alt.Scale(
            type="log" if is_wide else "linear", domain=across, range=with_room(labels), nice=False
        ),
        axis=axis,
    )
    tips = [
        alt.Tooltip("model:N"),
        tip("value", metric),
        tip("across", across_name, ".2~%"),
    ]
    scale = alt.Scale(domain=domain, nice=False)
    placed = [{**row, "at": place} for row, place in zip(rows, places, strict=True)]
    tone = colour(labels, looks)
    base = alt.Chart(data(placed)).encode(x=x, color=tone, tooltip=tips)
    dots = base.mark_point(filled=True, size=120).encode(
        y=alt.Y("value:Q", scale=scale, axis=score_axis()), opacity=weight(labels, looks)
    )
    # Names stand in a column, a thin line to each: beside their points they would cover one another.
    y = alt.Y("value:Q", scale=scale, axis=score_axis())
    threads = base.mark_rule(strokeWidth=0.8, strokeDash=[1, 3], opacity=0.45).encode(
        y=y, x2=alt.value({"expr": f"width - {room(labels)} + 4"}), y2="at"
    )
    names = names_at_end(labels, looks, places, scale, score_axis())
    return apart(alt.layer(threads, dots, names)).properties(height=HEIGHT, title=metric)


def convergence(figure: Figure, looks: Looks) -> Any:
    """Draw what each sweep gained, on a scale of powers."""
    rows = [row for row in figure.records() if float(row["gain"] or 0) >= LEAST_GAIN]
    labels = models_of(figure)
    looks = {label: replace(look, opacity=1.0) for label, look in looks.items()}  # lines are few
    ends = {str(row["model"]): math.log10(float(row["gain"] or 1)) for row in rows}
    low = min(-1, math.floor(min(math.log10(float(row["gain"] or 1)) for row in rows)))
    axis = alt.Axis(title=None, format="~p", values=[10.0**power for power in range(low, 1)])
    scale = alt.Scale(type="log", domain=[10.0**low, 1.0], nice=False)
    stops = {label: f"{label} · {rule}" for label, rule in figure.notes["stopped"].items()}
    last = max(float(row["sweep"] or 1) for row in rows)
    # From a sweep to a sweep there are whole numbers only.
    marks = [n for n in (2, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000, 10_000) if n <= last]
    x = alt.X(
        "sweep:Q",
        scale=alt.Scale(type="log", range=with_room(list(stops.values())), nice=False),
        axis=alt.Axis(title="sweeps", format="d", values=marks, **SPARSE),
    )
    tips = [
        alt.Tooltip("model:N"),
        tip("sweep", "sweep", "d"),
        tip("seconds", "seconds", ".2f"),
        tip("objective", "objective", ",.6~g"),
        tip("gain", "gain", ".2~%"),
    ]
    line = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2.2, strokeJoin="round", point=alt.OverlayMarkDef(size=18, filled=True))
        .encode(
            x=x,
            y=alt.Y("gain:Q", scale=scale, axis=axis),
            color=colour(labels, looks),
            strokeDash=dashes(labels, looks),
            tooltip=tips,
        )
    )
    places = spread([ends.get(label, 0.0) for label in labels], [low, 0.0], HEIGHT, LABEL_GAP)
    names = names_at_end(labels, looks, [10.0**place for place in places], scale, axis, stops)
    return alt.layer(line, names).properties(height=HEIGHT, title="gain of a sweep, of the fall so far")


def long_tail(figure: Figure, looks: Looks) -> Any:
    """Draw which share of all pairs the largest items and users have, and where half is reached."""
    tone = alt.Color(
        "side:N",
        scale=alt.Scale(domain=["items", "users"], range=["var(--accent)", "var(--soft)"]),
        legend=None,
    )
    x = alt.X(
        "share:Q",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=share_axis("of items, or of users, the largest first"),
    )
    y = alt.Y("value:Q", scale=alt.Scale(domain=[0, 1]), axis=share_axis())
    tips = [alt.Tooltip("side:N"), tip("share", "the largest", ".1%"), tip("value", "have of all", ".1%")]
    line = alt.Chart(data(figure.records())).mark_line(strokeWidth=2.2)
    even = alt.Chart(data([{"share": 0, "value": 0}, {"share": 1, "value": 1}])).mark_line(
        strokeDash=[3, 4], strokeWidth=1, color="var(--soft)"
    )
    # The curve that bends less stands below, and its words below it.
    halves = sorted(figure.notes["halves"].items(), key=lambda side: float(side[1]), reverse=True)
    marks = [
        {
            "side": side,
            "share": half,
            "value": 0.5,
            "at": at,
            "text": f"{100 * half:.1f}\u00a0% of {side} have half",
        }
        for (side, half), at in zip(halves, (0.27, 0.12), strict=True)
    ]
    dots = alt.Chart(data(marks)).mark_point(filled=True, size=60, opacity=1)
    words = alt.Chart(data(marks)).mark_text(**{**LABEL, "align": "right", "dx": 0})
    return alt.layer(
        even.encode(x=x, y=y),
        line.encode(x=x, y=y, color=tone, tooltip=tips),
        dots.encode(x=x, y=y, color=tone),
        words.encode(x=alt.value("width"), y=alt.Y("at:Q"), color=tone, text="text:N"),
    ).properties(height=HEIGHT, title="of all training pairs")
