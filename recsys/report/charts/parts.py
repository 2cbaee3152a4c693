"""What charts share: data, colours, axes, and names that stand at the end of their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt

from recsys.report.page import Figure

HEIGHT = 250
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
LABEL: Mapping[str, Any] = {
    "font": FONT, "fontSize": 12, "fontWeight": 600, "align": "left", "baseline": "middle", "dx": 8,
}  # fmt: skip
LABEL_GAP = 16
_LONGEST = 140
_LETTER = 7.3  # pixels of a letter, about

Record = Mapping[str, Any]


def data(rows: Sequence[Record]) -> alt.Data:
    """Return records as a chart's own data."""
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def models_of(figure: Figure) -> list[str]:
    """Return the models of a figure in their order."""
    return list(dict.fromkeys(str(row["model"]) for row in figure.records()))


def colour(labels: Sequence[str], colours: Mapping[str, int]) -> Any:
    """Return the colour of each model, without a legend."""
    scale = alt.Scale(domain=list(labels), range=[f"var(--m{colours.get(label, 0)})" for label in labels])
    return alt.Color("model:N", scale=scale, legend=None)


def tip(field: str, title: str, form: str = ".4f") -> Any:
    """Return a line of a tooltip."""
    return alt.Tooltip(f"{field}:Q", title=title, format=form)


def score_axis() -> Any:
    """Return the axis of a metric; its name stands above the chart."""
    return alt.Axis(title=None, format="~g", tickCount=5)


def share_axis(title: str | None = None) -> Any:
    """Return an axis in per cent."""
    return alt.Axis(title=title, format="~p", tickCount=5, labelOverlap="greedy")


def domain_of(values: Sequence[float]) -> list[float]:
    """Return a range that shows zero, all values and a little more."""
    low, high = min(0.0, *values), max(0.0, *values)
    reach = (high - low) or 1.0
    return [low - 0.08 * reach if low < 0 else 0.0, high + 0.08 * reach]


def room(labels: Sequence[str]) -> int:
    """Return how many pixels at the right the longest name needs."""
    return int(min(_LONGEST, _LETTER * max(len(label) for label in labels))) + 12


def with_room(labels: Sequence[str]) -> list[Any]:
    """Return a range of x that leaves room for names at the right, whatever the width."""
    return [0, {"expr": f"width - {room(labels)}"}]


def spread(values: Sequence[float], domain: Sequence[float], height: float, gap: float) -> list[float]:
    """Move labels apart until each has ``gap`` pixels, as little as need be, and keep them inside.

    Parameters
    ----------
    values : sequence of float
        Where they would stand, in the units of the axis.
    domain : (low, high)
    height : float
        Of the axis, in pixels; where labels do not fit, they share it evenly.
    gap : float
    """
    low, high = domain
    step = (high - low) / height * min(gap, height / max(1, len(values) - 1))
    blocks: list[list[int]] = []
    for at in sorted(range(len(values)), key=lambda place: values[place]):
        blocks.append([at])
        # Two blocks that touch become one, which stands around the mean of its members.
        while len(blocks) > 1:
            below, above = (_bottom(block, values, step, low, high) for block in blocks[-2:])
            if above - below >= step * len(blocks[-2]):
                break
            above_block = blocks.pop()
            blocks[-1] += above_block
    placed = [0.0] * len(values)
    for block in blocks:
        bottom = _bottom(block, values, step, low, high)
        for n, member in enumerate(block):
            placed[member] = bottom + step * n
    return placed


def _bottom(block: Sequence[int], values: Sequence[float], step: float, low: float, high: float) -> float:
    """Return where the lowest label of a block stands."""
    length = step * (len(block) - 1)
    centre = sum(values[member] for member in block) / len(block)
    return max(low, min(centre - length / 2, high - length))


def names_at_end(
    labels: Sequence[str],
    colours: Mapping[str, int],
    places: Sequence[float],
    scale: Any,
    axis: Any,
) -> Any:
    """Return the models' names at the right, at given heights."""
    rows = [{"model": label, "at": place} for label, place in zip(labels, places, strict=True)]
    return (
        alt.Chart(data(rows))
        .mark_text(**LABEL, limit=_LONGEST)
        .encode(
            x=alt.value({"expr": f"width - {room(labels)}"}),
            y=alt.Y("at:Q", scale=scale, axis=axis),
            color=colour(labels, colours),
            text="model:N",
        )
    )


def named_lines(
    figure: Figure,
    colours: Mapping[str, int],
    x: Any,
    *,
    last: Callable[[Record], Any],
    tooltip: Sequence[Any],
    axis: Any,
    title: str,
) -> Any:
    """Return a line of ``value`` for each model, with its name at its end instead of a legend."""
    rows, labels = figure.records(), models_of(figure)
    ends = [max((row for row in rows if row["model"] == label), key=last) for label in labels]
    domain = domain_of([float(row["value"] or 0) for row in rows])
    scale = alt.Scale(domain=domain, nice=False)
    base = alt.Chart(data(rows)).encode(
        x=x,
        y=alt.Y("value:Q", scale=scale, axis=axis),
        color=colour(labels, colours),
        tooltip=list(tooltip),
    )
    places = spread([float(end["value"] or 0) for end in ends], domain, HEIGHT, LABEL_GAP)
    return alt.layer(
        base.mark_line(strokeWidth=2.2, strokeJoin="round"),
        base.mark_point(filled=True, size=42, opacity=1),
        names_at_end(labels, colours, places, scale, axis),
    ).properties(height=HEIGHT, title=title)
