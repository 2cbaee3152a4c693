"""Charts of bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from recsys.report.charts.parts import LABEL, data, models_of, share_axis, tip
from recsys.report.page import Figure

_STEP = 26  # pixels of a row
_THICK = {"band": 0.72}


def _rows(labels: Sequence[str]) -> Any:
    axis = alt.Axis(title=None, labelLimit=130, labelColor="var(--ink)")
    return alt.Y("model:N", sort=list(labels), axis=axis)


def places(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw how places are shared out among groups of items, a bar a model."""
    labels, names = models_of(figure), list(figure.notes["groups"])
    rows = [{**row, "order": names.index(str(row["group"]))} for row in figure.records()]
    return (
        alt.Chart(data(rows))
        .mark_bar(height=_THICK)
        .encode(
            x=alt.X("value:Q", stack="normalize", axis=share_axis()),
            y=_rows(labels),
            color=alt.Color(
                "group:N",
                scale=alt.Scale(domain=names, range=[f"var(--q{n})" for n in range(len(names))]),
                legend=alt.Legend(columns=2, symbolType="square", symbolSize=120, labelLimit=110),
            ),
            order="order:O",
            tooltip=[
                alt.Tooltip("model:N", title="lists of"),
                alt.Tooltip("group:N", title="items"),
                tip("value", "share", ".1%"),
            ],
        )
        .properties(height=_STEP * len(labels) + 8)
    )


def cost(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw seconds, those of fitting and those of scoring end to end."""
    rows, labels = figure.records(), models_of(figure)
    kinds = {"fit": "fit", "score": "score and measure"}
    parts = [
        {"model": row["model"], "what": words, "seconds": row[key], "order": n}
        for row in rows
        for n, (key, words) in enumerate(kinds.items())
    ]
    x = alt.X(
        "seconds:Q",
        scale=alt.Scale(range=[0, {"expr": "width - 64"}], nice=False),
        axis=alt.Axis(title="seconds", tickCount=5),
    )
    spent = (
        alt.Chart(data(parts))
        .mark_bar(height=_THICK)
        .encode(
            x=x,
            y=_rows(labels),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=list(kinds.values()), range=["var(--q0)", "var(--q2)"]),
                legend=alt.Legend(symbolType="square", symbolSize=120),
            ),
            order="order:O",
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("what:N", title="for"),
                tip("seconds", "seconds", ".3f"),
            ],
        )
    )
    totals = (
        alt.Chart(data(rows))
        .mark_text(**{**LABEL, "fontWeight": 400, "color": "var(--soft)", "dx": 5})
        .encode(x=x, y=_rows(labels), text=alt.Text("seconds:Q", format=".2~f"))
    )
    return alt.layer(spent, totals).properties(height=_STEP * len(labels) + 8)


def over_time(figure: Figure, colours: Mapping[str, int]) -> Any:
    """Draw events by time; what is held out stands on a shade."""
    is_time = figure.notes["kind"] == "timestamp"
    kind = "T" if is_time else "Q"
    rows = figure.records()
    form: Any = {"format": "%Y-%m-%d %H:%M"} if is_time else {}
    x = alt.X(
        f"start:{kind}",
        axis=alt.Axis(title=None, tickCount=5, labelOverlap="greedy", labelFlush=True),
        scale=alt.Scale(nice=False, zero=False) if kind == "Q" else alt.Scale(nice=False),
    )
    bars = (
        alt.Chart(data(rows))
        .mark_rect(color="var(--m1)", stroke="var(--paper)", strokeWidth=0.5)
        .encode(
            x=x,
            x2="end",
            y=alt.Y("value:Q", axis=alt.Axis(title=None, format="~s", tickCount=4)),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip(f"start:{kind}", title="from", **form),
                alt.Tooltip(f"end:{kind}", title="to", **form),
                tip("value", "events", ",d"),
            ],
        )
    )
    layers = [bars]
    window = figure.notes["window"]
    if window is not None:
        shade = {
            "start": window[0] if is_time else float(window[0]),
            "end": rows[-1]["end"],
            "text": "held out",
        }
        base = alt.Chart(data([shade]))
        words = {**LABEL, "align": "right", "dx": -6, "color": "var(--soft)", "fontWeight": 400}
        layers = [
            base.mark_rect(color="var(--shade)").encode(x=x, x2="end"),
            bars,
            base.mark_text(**words).encode(x=x, y=alt.value(8), text="text:N"),
        ]
    return alt.layer(*layers).properties(height=180, title="events")
