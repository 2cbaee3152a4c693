"""All that a report shows, as plain data; every form of it is written from this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recsys.data.ids import Id
from recsys.evaluate.significance import PairTest
from recsys.recommend.themes import Theme
from recsys.report.numbers import Kind

Value = str | float | int | None


@dataclass(frozen=True)
class Cell:
    """One model's value of one metric.

    Attributes
    ----------
    value : float or None
    low, high : float or None
        Its 95 % interval, where the metric has one value a user.
    is_best : bool
    is_level : bool
        Not clearly worse than the best.
    share : float
        Length of its bar: how it stands to the best.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    is_best: bool = False
    is_level: bool = False
    share: float = 0.0


@dataclass(frozen=True)
class Row:
    """One model's line in the table.

    Attributes
    ----------
    label : str
    colour : int
        Number of its colour in the charts, 0 for the floor.
    cells : tuple of Cell
        One a metric.
    fit_seconds, score_seconds : float
    peak_bytes : int or None
    error : str or None
    model : str
        Its name on the command line.
    """

    label: str
    colour: int
    cells: tuple[Cell, ...]
    fit_seconds: float | None
    score_seconds: float | None
    peak_bytes: int | None = None
    error: str | None = None
    model: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a figure's numbers: its key, its heading and how its values are written."""

    key: str
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Figure:
    """A chart's numbers and words; the table of the numbers stands for it where nothing can be drawn.

    Attributes
    ----------
    name : str
        Its own, for links and files.
    title, caption : str
    columns : tuple of Column
        The last one is what bars of the table show.
    rows : tuple of tuple
    notes : mapping
        What the drawing needs besides, e.g. the metric's name.
    chart : str
        Which chart draws it, see `recsys.report.charts`, where that is not told by the name.
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


@dataclass(frozen=True)
class Story:
    """A user's history beside the list made for them.

    Attributes
    ----------
    user : id
    history : tuple of (name, value)
        What they took most of.
    n_history : int
    listed : tuple of (rank, name, score, theme or 0, theme's share)
    because : mapping of rank to tuple of str
        What of their history is closest to the item in the themes that speak for it.
    hits : frozenset of int
        Ranks of items that the user did take later.
    n_later : int or None
        How many items were held out; None where nothing is held out from this model.
    """

    user: Id
    history: tuple[tuple[str, float], ...]
    n_history: int
    listed: tuple[tuple[int, str, float, int, float], ...]
    because: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    hits: frozenset[int] = frozenset()
    n_later: int | None = None


@dataclass(frozen=True)
class ThemeSet:
    """The themes of one model: those shown, and how many there are."""

    label: str
    themes: tuple[Theme, ...]
    n_themes: int


@dataclass(frozen=True)
class Page:
    """All that a report shows; text is escaped when it is written.

    Attributes
    ----------
    title, subtitle : str
    answer : sequence of str
        Plain sentences, the most important first.
    remarks : sequence of str
    main_metric : str or None
        The one that puts the models in order.
    metrics : sequence of str
    rows : sequence of Row
        The models, the best first.
    pairs : sequence of PairTest
    figures : mapping of section to sequence of Figure
        Sections are "quality", "groups", "cost" and "log".
    themes : sequence of ThemeSet
        The first is that of the model behind the stories.
    stories : sequence of Story
    told_by : str
        Whose lists the stories are, and what that model was trained on.
    facts : sequence of (name, value)
        The log.
    audit : sequence of (name, value)
        The split, and what it does to whom.
    configs : sequence of (name, mapping)
        Each model's parameters.
    provenance : sequence of (name, value)
        Time, machine, seeds, digests; each name once.
    versions : mapping of name to version
    command : str
        What makes the page again.
    plan : mapping of name to text
        The files that the command reads its settings from.
    feedback : str
        "explicit" if histories are of ratings.
    source : mapping
        The records behind the page, for programs.
    """

    title: str
    subtitle: str
    answer: Sequence[str]
    remarks: Sequence[str]
    main_metric: str | None
    metrics: Sequence[str]
    rows: Sequence[Row]
    pairs: Sequence[PairTest]
    figures: Mapping[str, Sequence[Figure]]
    themes: Sequence[ThemeSet]
    stories: Sequence[Story]
    facts: Sequence[tuple[str, str]]
    audit: Sequence[tuple[str, str]]
    configs: Sequence[tuple[str, Mapping[str, Any]]]
    provenance: Sequence[tuple[str, str]]
    command: str
    feedback: str = "implicit"
    told_by: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    plan: Mapping[str, str] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)

    @property
    def all_figures(self) -> list[Figure]:
        """All charts, in the order of the page."""
        return [figure for figures in self.figures.values() for figure in figures]
