"""What charts share: data, colours, axes, and names that stand at the end of their lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import altair as alt

from recsys.models.registry import model_has_themes
from recsys.report.context import Row
from recsys.report.tables import Figure

HEIGHT = 250
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
LABEL: Mapping[str, Any] = {
    "font": FONT, "fontSize": 12, "fontWeight": 600, "align": "left", "baseline": "middle", "dx": 8,
}  # fmt: skip
LABEL_GAP = 16
_LONGEST = 175
_LETTER = 7.6  # pixels of a letter, about

SPARSE: Mapping[str, Any] = {"labelOverlap": "greedy", "labelSeparation": 6, "labelFlush": False}
"""Labels of an axis that has little room: fewer rather than touching."""

_N_STRONG = 5
_MANY = 7
_FAINT = 0.35
_READABLE = 0.65
_DASHES = ([1, 0], [7, 3], [2, 2], [9, 3, 2, 3])

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """How a model looks in every chart of a page: number of its colour, dashes, and how faint it is."""

    colour: int
    dash: tuple[int, ...] = (1, 0)
    opacity: float = 1.0


Looks: TypeAlias = Mapping[str, Look]


def looks(rows: Sequence[Row]) -> dict[str, Look]:
    """Return the look of each model; rows have the best first.

    Among many models the best five, those of non-negative factors and the floor stand out. Dashes tell
    apart what colours alone would not: from the sixth colour on.
    """
    look_of = {}
    for position, row in enumerate(rows):
        is_strong = position < _N_STRONG or row.colour == 0 or model_has_themes(row.model)
        look_of[row.label] = Look(
            row.colour,
            tuple(_DASHES[max(0, row.colour - 1) // 5 % len(_DASHES)]),
            1.0 if is_strong or len(rows) <= _MANY else _FAINT,
        )
    return look_of


def data(rows: Sequence[Record]) -> alt.Data:
    """Return records as a chart's own data."""
    return alt.Data(values=[dict(row) for row in rows])  # type: ignore[no-untyped-call]


def models_of(figure: Figure) -> list[str]:
    """Return the models of a figure in their order."""
    return list(dict.fromkeys(str(row["model"]) for row in figure.records()))


def colour(labels: Sequence[str], looks: Looks) -> Any:
    """Return the colour of each model, without a legend."""
    tones = [f"var(--m{_look(label, looks).colour})" for label in labels]
    return alt.Color("model:N", scale=alt.Scale(domain=list(labels), range=tones), legend=None)


def weight(labels: Sequence[str], looks: Looks, least: float = 0.0) -> Any:
    """Return how strong each model stands out, ``least`` at least."""
    opacities = [max(least, _look(label, looks).opacity) for label in labels]
    scale = alt.Scale(type="ordinal", domain=list(labels), range=opacities)
    return alt.Opacity("model:O", scale=scale, legend=None)


def apart(layers: Any) -> Any:
    """Let names be less faint than the lines they name."""
    return layers.resolve_scale(opacity="independent")


def dashes(labels: Sequence[str], looks: Looks) -> Any:
    """Return the dashes of each model's line."""
    patterns = [list(_look(label, looks).dash) for label in labels]
    return alt.StrokeDash("model:N", scale=alt.Scale(domain=list(labels), range=patterns), legend=None)


def _look(label: str, looks: Looks) -> Look:
    return looks.get(label, Look(0))


def tip(field: str, title: str, form: str = ".4f") -> Any:
    """Return a line of a tooltip."""
    return alt.Tooltip(f"{field}:Q", title=title, format=form)


def score_axis() -> Any:
    """Return the axis of a metric; its name stands above the chart."""
    return alt.Axis(title=None, format="~g", tickCount=5)


def share_axis(title: str | None = None) -> Any:
    """Return an axis in per cent."""
    return alt.Axis(title=title, format="~p", tickCount=5, **SPARSE)


def count_axis() -> Any:
    """Return an axis of whole numbers, thousands as k; a plain 0."""
    return alt.Axis(title=None, labelExpr="datum.value ? format(datum.value, '~s') : '0'", tickCount=4)


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
    for label in sorted(range(len(values)), key=lambda index: values[index]):
        blocks.append([label])
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
    looks: Looks,
    heights: Sequence[float],
    scale: Any,
    axis: Any,
    words: Mapping[str, str] | None = None,
) -> Any:
    """Return the models' names, or other words, at the right, at given heights."""
    shown = {label: (words or {}).get(label, label) for label in labels}
    rows = [
        {"model": label, "text": shown[label], "at": height}
        for label, height in zip(labels, heights, strict=True)
    ]
    return (
        alt.Chart(data(rows))
        .mark_text(**LABEL, limit=_LONGEST)
        .encode(
            x=alt.value({"expr": f"width - {room(list(shown.values()))}"}),
            y=alt.Y("at:Q", scale=scale, axis=axis),
            color=colour(labels, looks),
            opacity=weight(labels, looks, _READABLE),
            text="text:N",
        )
    )


def named_lines(
    figure: Figure,
    looks: Looks,
    x: Any,
    *,
    last: Callable[[Record], Any],
    tooltip: Sequence[Any],
    axis: Any,
    title: str,
    with_spans: bool = False,
) -> Any:
    """Return a line of ``value`` for each model, with its name at its end instead of a legend.

    With ``with_spans``, a thin rule from ``low`` to ``high`` stands through each point.
    """
    rows, labels = figure.records(), models_of(figure)
    ends = [max((row for row in rows if row["model"] == label), key=last) for label in labels]
    edges = ("value", "low", "high") if with_spans else ("value",)
    domain = domain_of([float(row[edge] or 0) for row in rows for edge in edges])
    scale = alt.Scale(domain=domain, nice=False)
    tone, opacity = colour(labels, looks), weight(labels, looks)
    base = alt.Chart(data(rows)).encode(
        x=x,
        y=alt.Y("value:Q", scale=scale, axis=axis),
        color=tone,
        opacity=opacity,
        tooltip=list(tooltip),
    )
    layers = [
        base.mark_line(strokeWidth=2.2, strokeJoin="round").encode(strokeDash=dashes(labels, looks)),
        base.mark_point(filled=True, size=42).encode(),
    ]
    if with_spans:
        spans = alt.Chart(data(rows)).mark_rule(strokeWidth=4, opacity=0.22, strokeCap="round")
        layers.insert(0, spans.encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high", color=tone))
    heights = spread([float(end["value"] or 0) for end in ends], domain, HEIGHT, LABEL_GAP)
    layers.append(names_at_end(labels, looks, heights, scale, axis))
    return apart(alt.layer(*layers)).properties(height=HEIGHT, title=title)
