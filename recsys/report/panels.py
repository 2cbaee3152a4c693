"""Small charts below one another that share an axis, as one self-contained picture (SVG)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from recsys.report import numbers
from recsys.report.numbers import Kind

WIDTH = 352
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 26, 40
_TITLE, _GAP = 20, 12
_MOST_LABELS = 9


@dataclass(frozen=True)
class Point:
    """A value in units of the picture, with its interval where it has one."""

    x: float
    y: float
    low: float | None
    high: float | None
    text: str
    is_strong: bool


@dataclass(frozen=True)
class Panel:
    """One of the charts.

    Attributes
    ----------
    title : str
    values : tuple of float or None
        One a position of the axis.
    form : Kind
        How values are written.
    spans : tuple of (low, high)
        Their intervals, or empty.
    strong : tuple of bool
        Which points are filled; empty for all.
    height : int
    has_zero : bool
        Whether the scale begins at 0.
    """

    title: str
    values: tuple[float | None, ...]
    form: Kind
    spans: tuple[tuple[float, float], ...] = ()
    strong: tuple[bool, ...] = ()
    height: int = 52
    has_zero: bool = True

    @property
    def domain(self) -> tuple[float, float]:
        """The ends of the scale: all values and intervals, and 0 where asked for."""
        known = [value for value in self.values if value is not None]
        known += [end for span in self.spans for end in span]
        known += [0.0] if self.has_zero else []
        low, high = min(known, default=0.0), max(known, default=1.0)
        return (low, high) if high > low else (low, low + (abs(low) or 1.0))

    def text(self, position: int) -> str:
        """Return the value at a position as it is written."""
        return numbers.write(self.values[position], self.form)


@dataclass(frozen=True)
class Panels:
    """Charts of one width below one another, over the same positions.

    Attributes
    ----------
    name : str
        Unique in a report; of the file of its own.
    title, caption : str
    axis : str
        What the positions are.
    labels : tuple of str
        The positions, evenly spaced.
    panels : tuple of Panel
    marked : int
        The position that a line through all charts marks.
    mark : str
        What is said above that line.
    """

    name: str
    title: str
    caption: str
    axis: str
    labels: tuple[str, ...]
    panels: tuple[Panel, ...]
    marked: int
    mark: str
    kind: ClassVar[str] = "panels"

    @property
    def width(self) -> int:
        """The width of the picture."""
        return WIDTH

    @property
    def left(self) -> int:
        """Where the charts begin."""
        return _LEFT

    @property
    def right(self) -> int:
        """Where the charts end."""
        return WIDTH - _RIGHT

    @property
    def top(self) -> int:
        """Where the line through all charts begins."""
        return _TOP

    @property
    def bottom(self) -> int:
        """Where the last chart ends."""
        return _TOP + sum(_TITLE + panel.height + _GAP for panel in self.panels)

    @property
    def height(self) -> int:
        """The height of the picture."""
        return self.bottom + _BOTTOM

    def x(self, position: int) -> float:
        """Return where a position lies."""
        inset = 12
        reach = self.right - self.left - 2 * inset
        n_steps = max(1, len(self.labels) - 1)
        return self.left + inset + (reach * position / n_steps if len(self.labels) > 1 else reach / 2)

    def shown_labels(self) -> list[tuple[float, str]]:
        """Return as many labels as there is room for, the marked one among them, with where they stand."""
        step = math.ceil(len(self.labels) / _MOST_LABELS)
        return [
            (self.x(position), label)
            for position, label in enumerate(self.labels)
            if (position - self.marked) % step == 0
        ]

    def placed(self) -> list[tuple[int, Panel, list[Point]]]:
        """Return each chart with where its top lies and its points, in units of the picture."""
        charts, top = [], _TOP + _TITLE
        for panel in self.panels:
            charts.append((top, panel, self._points(panel, top)))
            top += panel.height + _GAP + _TITLE
        return charts

    def _points(self, panel: Panel, top: int) -> list[Point]:
        low, high = panel.domain

        def y(value: float) -> float:
            return top + panel.height * (1 - (value - low) / (high - low))

        return [
            Point(
                x=self.x(position),
                y=y(value),
                low=y(panel.spans[position][0]) if panel.spans else None,
                high=y(panel.spans[position][1]) if panel.spans else None,
                text=f"{self.labels[position]}: {panel.text(position)}",
                is_strong=panel.strong[position] if panel.strong else True,
            )
            for position, value in enumerate(panel.values)
            if value is not None
        ]
