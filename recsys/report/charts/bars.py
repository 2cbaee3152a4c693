"""Charts of bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from recsys.report.charts.parts import (
    LABEL,
    SPARSE,
    Looks,
    Record,
    count_axis,
    data,
    models_of,
    share_axis,
    tip,
)
from recsys.report.log_figures import HELD_OUT, TRAINING
from recsys.report.tables import Figure

_STEP = 26  # pixels of a row
_THICK = {"band": 0.72}


def _rows(labels: Sequence[str]) -> Any:
    axis = alt.Axis(title=None, labelLimit=130, labelColor="var(--ink)")
    return alt.Y("model:N", sort=list(labels), axis=axis)


def places(figure: Figure, looks: Looks) -> Any:
    """Draw how places are shared out among groups of items, a bar a model."""
    labels, names = models_of(figure), list(figure.notes["groups"])
    rows = [{**row, "order": names.index(str(row["group"]))} for row in figure.records()]
    return (
        alt.Chart(data(rows))
        .mark_bar(height=_THICK, stroke="var(--line)", strokeWidth=0.75)
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


def cost(figure: Figure, looks: Looks) -> Any:
    """Draw seconds, those of fitting and those of scoring end to end."""
    rows, labels = figure.records(), models_of(figure)
    kinds = {"fit": "fit", "score": "score and measure"}
    parts = [
        {"model": row["model"], "what": words, "amount": row[key], "order": n}
        for row in rows
        for n, (key, words) in enumerate(kinds.items())
    ]
    tone = alt.Color(
        "what:N",
        scale=alt.Scale(domain=list(kinds.values()), range=["var(--q0)", "var(--q2)"]),
        legend=alt.Legend(symbolType="square", symbolSize=120),
    )
    amounts = [{"model": row["model"], "amount": row["seconds"]} for row in rows]
    return _amounts(labels, parts, amounts, "seconds", tone)


def memory(figure: Figure, looks: Looks) -> Any:
    """Draw the most memory that each fit took, in MiB."""
    labels = models_of(figure)
    parts = [
        {"model": row["model"], "what": "fit", "amount": float(row["peak"] or 0) / 2**20, "order": 0}
        for row in figure.records()
    ]
    return _amounts(labels, parts, parts, "MiB", alt.value("var(--q1)"))


def _amounts(
    labels: Sequence[str], parts: Sequence[Record], amounts: Sequence[Record], unit: str, tone: Any
) -> Any:
    """Draw a bar a model, of parts end to end, with the whole in numbers at its end."""
    x = alt.X(
        "amount:Q",
        scale=alt.Scale(range=[0, {"expr": "width - 64"}], nice=False),
        axis=alt.Axis(title=unit, tickCount=5, format="~s", **SPARSE),
    )
    bars = (
        alt.Chart(data(parts))
        .mark_bar(height=_THICK)
        .encode(
            x=x,
            y=_rows(labels),
            color=tone,
            order="order:O",
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("what:N", title="for"),
                tip("amount", unit, ",.3~f"),
            ],
        )
    )
    totals = (
        alt.Chart(data(amounts))
        .mark_text(**{**LABEL, "fontWeight": 400, "color": "var(--soft)", "dx": 5})
        .encode(
            x=x, y=_rows(labels), text=alt.Text("amount:Q", format=",.2~f" if unit == "seconds" else ",.0f")
        )
    )
    return alt.layer(bars, totals).properties(height=_STEP * len(labels) + 8)


def over_time(figure: Figure, looks: Looks) -> Any:
    """Draw events by time; those held out have a colour of their own."""
    is_time = figure.notes["kind"] == "timestamp"
    kind = "T" if is_time else "Q"
    form: Any = {"format": "%Y-%m-%d %H:%M"} if is_time else {}
    legend = alt.Legend(symbolType="square", symbolSize=120) if figure.notes["has_window"] else None
    return (
        alt.Chart(data(figure.records()))
        .mark_rect(stroke="var(--paper)", strokeWidth=0.5)
        .encode(
            x=alt.X(
                f"start:{kind}",
                axis=alt.Axis(title=None, tickCount=5, **SPARSE),
                scale=alt.Scale(nice=False, zero=False) if kind == "Q" else alt.Scale(nice=False),
            ),
            x2="end",
            y=alt.Y("value:Q", axis=count_axis()),
            y2=alt.datum(0),
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=[TRAINING, HELD_OUT], range=["var(--q2)", "var(--q0)"]),
                legend=legend,
            ),
            tooltip=[
                alt.Tooltip(f"start:{kind}", title="from", **form),
                alt.Tooltip(f"end:{kind}", title="to", **form),
                alt.Tooltip("part:N"),
                tip("value", "events", ",d"),
            ],
        )
        .properties(height=180, title="events")
    )
