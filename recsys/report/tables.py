"""Tables and figures: numbers with the words around them, whatever form they are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeAlias

from recsys.report.numbers import Kind

Value: TypeAlias = str | float | int | None


@dataclass(frozen=True)
class Column:
    """A column of a table or figure.

    Attributes
    ----------
    key : str
        Its name in JSON.
    heading : str
    kind : str
        How its values are written, see `recsys.report.numbers.Kind`.
    is_main : bool
        Whether the rows are ordered by it.
    """

    key: str
    heading: str
    kind: Kind = "text"
    is_main: bool = False


@dataclass(frozen=True)
class Label:
    """The name of a model, with the number of its colour in the charts (0: the baseline's grey)."""

    text: str
    colour: int


@dataclass(frozen=True)
class Estimate:
    """A measured value with its 95 % interval, and how it compares with the best of its column.

    Attributes
    ----------
    value : float or None
    low, high : float or None
    is_best : bool
    is_level : bool
        Not clearly worse than the best.
    share : float
        Length of its bar: how it compares with the best.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    is_best: bool = False
    is_level: bool = False
    share: float = 0.0


@dataclass(frozen=True)
class Failure:
    """Why a row has no values; shown in place of all of them."""

    text: str


Cell: TypeAlias = Value | tuple[float, float] | Label | Estimate | Failure
"""The content of a table's cell; a pair is an interval."""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes
    ----------
    title : str
        For readers who do not see it; not shown.
    columns : tuple of Column
    rows : tuple of tuple of Cell
        One cell a column; fewer only where the last is a `Failure`.
    style : {"numbers", "results", "parameters"}
        Small numbers; measured values with intervals and bars; settings by name.
    has_bars : bool
        Whether bars are shown beside the values of the last column.
    n_rows : int or None
        How many rows there are, where only some are shown.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    style: Literal["numbers", "results", "parameters"] = "numbers"
    has_bars: bool = False
    n_rows: int | None = None
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Figure:
    """A chart's numbers and words; shown as the table of the numbers where nothing can be drawn.

    Attributes
    ----------
    name : str
        Unique in a report; for links and files.
    title, caption : str
    columns : tuple of Column
        The last one is what bars of the table show.
    rows : tuple of tuple
    notes : mapping
        What else the chart needs, e.g. the metric's name.
    chart : str
        Which chart draws it, see `recsys.report.charts`; by default that of its name. A figure without a
        chart is a table.
    across : str
        The column whose values become columns of the table, for what has a row for each of them.
    """

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    chart: str = ""
    across: str = ""

    def records(self) -> list[dict[str, Value]]:
        """Return one plain record a row."""
        keys = [column.key for column in self.columns]
        return [dict(zip(keys, row, strict=True)) for row in self.rows]
