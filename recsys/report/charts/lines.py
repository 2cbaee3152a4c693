"""Charts of lines and of points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt

from recsys.report.charts.parts import (
    HEIGHT,
    LABEL,
    LABEL_GAP,
    colour,
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
    with_room,
)
from recsys.report.page import Figure

_LEAST = 1e-5


def curve(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw a metric by length of the list; lengths stand as far apart as their logarithms."""
    metric = str(figure.notes["metric"])
    lengths = sorted({float(row["k"] or 0) for row in figure.records()})
    x = alt.X(
        "k:Q",
        scale=alt.Scale(type="log", range=with_room(models_of(figure)), nice=False),
        axis=alt.Axis(title="length of the list, k", values=lengths, format="d", labelOverlap="greedy"),
    )
    tips = [alt.Tooltip("model:N"), tip("k", "k", "d"), tip("value", metric)]
    return named_lines(
        figure, colours, x, last=lambda row: row["k"], tooltip=tips, axis=score_axis(), title=metric
    )


def by_group(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw a value by group of users or of items."""
    metric, names = str(figure.notes["metric"]), list(figure.notes["groups"])
    is_share = figure.name == "popularity"
    # On a phone there is room for numbers only: the axis says of what.
    short = "replace(replace(datum.label, / items?$/, ''), / to /, '–')"
    x = alt.X(
        "group:N",
        scale=alt.Scale(domain=names, range=with_room(models_of(figure)), type="point", padding=0.4),
        axis=alt.Axis(
            title=figure.notes["title"],
            labelAngle=0,
            labelExpr=f"replace({short}, /^(top|next|last) /, '')" if is_share else short,
        ),
    )
    tips = [alt.Tooltip("model:N"), alt.Tooltip("group:N", title="group")]
    if is_share:
        tips.append(tip("value", "found", ".2%"))
    else:
        tips += [tip("value", metric), tip("low", "from"), tip("high", "to"), tip("n_users", "users", ",d")]
    return named_lines(
        figure,
        colours,
        x,
        last=lambda row: names.index(row["group"]),
        tooltip=tips,
        axis=share_axis() if is_share else score_axis(),
        title=metric,
    )


def trade_off(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw accuracy against something else, each point with its name."""
    rows, labels = figure.records(), models_of(figure)
    metric, across_name = str(figure.notes["metric"]), str(figure.notes["across"])
    values = [float(row["value"] or 0) for row in rows]
    domain = domain_of(values)
    places = spread(values, domain, HEIGHT, LABEL_GAP)
    reach = [float(row["across"] or 0) for row in rows]
    is_wide = min(reach) > 0 and max(reach) > 8 * min(reach)
    across = [min(reach) / 1.4, min(1.0, max(reach) * 1.4)] if is_wide else [0, max(reach) * 1.1 or 1]
    x = alt.X(
        "across:Q",
        scale=alt.Scale(
            type="log" if is_wide else "linear", domain=across, range=with_room(labels), nice=False
        ),
        axis=share_axis(across_name),
    )
    tips = [
        alt.Tooltip("model:N"),
        tip("value", metric),
        tip("across", across_name, ".2~%"),
    ]
    scale = alt.Scale(domain=domain, nice=False)
    placed = [{**row, "at": place} for row, place in zip(rows, places, strict=True)]
    tone = colour(labels, colours)
    base = alt.Chart(data(placed)).encode(x=x, color=tone, tooltip=tips)
    dots = base.mark_point(filled=True, size=120, opacity=1).encode(
        y=alt.Y("value:Q", scale=scale, axis=score_axis())
    )
    # Names stand in a column, a thin line to each: beside their points they would cover one another.
    y = alt.Y("value:Q", scale=scale, axis=score_axis())
    threads = base.mark_rule(strokeWidth=0.8, opacity=0.5).encode(
        y=y, x2=alt.value({"expr": f"width - {room(labels)} + 4"}), y2="at"
    )
    names = names_at_end(labels, colours, places, scale, score_axis())
    return alt.layer(threads, dots, names).properties(height=HEIGHT, title=metric)


def convergence(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw what is still to come of each objective's fall, on a scale of powers."""
    rows = [row for row in figure.records() if float(row["left"] or 0) >= _LEAST]
    labels = models_of(figure)
    ends = {str(row["model"]): math.log10(float(row["left"] or 1)) for row in rows}
    low = min(-1, math.floor(min(ends.values())))
    axis = alt.Axis(title=None, format="~p", values=[10.0**power for power in range(low, 1)])
    scale = alt.Scale(type="log", domain=[10.0**low, 1.0], nice=False)
    x = alt.X(
        "sweep:Q",
        scale=alt.Scale(type="log", range=with_room(labels), nice=False),
        axis=alt.Axis(title="sweeps", format="d", tickCount=6, labelOverlap="greedy"),
    )
    tips = [
        alt.Tooltip("model:N"),
        tip("sweep", "sweep", "d"),
        tip("seconds", "seconds", ".2f"),
        tip("objective", "objective", ",.6~g"),
        tip("left", "still to come", ".2~%"),
    ]
    line = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2.2, strokeJoin="round")
        .encode(x=x, y=alt.Y("left:Q", scale=scale, axis=axis), color=colour(labels, colours), tooltip=tips)
    )
    places = spread([ends[label] for label in labels], [low, 0.0], HEIGHT, LABEL_GAP)
    names = names_at_end(labels, colours, [10.0**place for place in places], scale, axis)
    return alt.layer(line, names).properties(height=HEIGHT, title="of the fall still to come")


def long_tail(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw which share of all pairs the largest items and users have, and where half is reached."""
    tone = alt.Color(
        "side:N",
        scale=alt.Scale(domain=["items", "users"], range=["var(--m1)", "var(--m2)"]),
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
