"""What the sections of a report are made of: typed blocks of plain data.

Each form of the report (HTML, Markdown, JSON) knows once how to write each block. Text is plain text; it
is escaped where it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from recsys.report.panels import Panels
from recsys.report.tables import Figure, Table

Form: TypeAlias = Literal["html", "markdown", "json"]


@dataclass(frozen=True)
class Strong:
    """Emphasized words in a text."""

    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes
    ----------
    content : str, or tuple of str and Strong
    style : {"body", "note", "key"}
        Body text, a small remark, or the key to a table.
    """

    content: str | tuple[str | Strong, ...]
    style: Literal["body", "note", "key"] = "body"
    kind: ClassVar[str] = "text"

    @property
    def parts(self) -> tuple[str | Strong, ...]:
        """The content, always as a tuple."""
        return (self.content,) if isinstance(self.content, str) else self.content

    @property
    def plain(self) -> str:
        """The text without emphasis."""
        return "".join(part if isinstance(part, str) else part.text for part in self.parts)


@dataclass(frozen=True)
class Lead:
    """The sentences that a report begins with, the best first; those beyond ``n_shown`` fold away."""

    sentences: tuple[str, ...]
    n_shown: int = 5
    kind: ClassVar[str] = "lead"


@dataclass(frozen=True)
class Notes:
    """Remarks, one a line."""

    lines: tuple[str, ...]
    kind: ClassVar[str] = "notes"


@dataclass(frozen=True)
class Facts:
    """Names with values.

    Attributes
    ----------
    pairs : tuple of (name, value)
    layout : {"list", "run-in", "tiles"}
        A list, one paragraph, or a few large figures.
    """

    pairs: tuple[tuple[str, str], ...]
    layout: Literal["list", "run-in", "tiles"] = "list"
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Figures:
    """Figures side by side."""

    figures: tuple[Figure, ...]
    kind: ClassVar[str] = "figures"


@dataclass(frozen=True)
class IntervalLine:
    """A model's value and interval; positions are per cent of the width."""

    label: str
    colour: int
    position: str
    left: str | None
    width: str | None
    text: str


@dataclass(frozen=True)
class IntervalPlot:
    """Values with their intervals on one scale, one line a model.

    Attributes
    ----------
    title : str
        For readers who do not see it.
    lines : tuple of IntervalLine
    ends : (low, high)
        What the ends of the scale say.
    caption : str
    """

    title: str
    lines: tuple[IntervalLine, ...]
    ends: tuple[str, str]
    caption: str
    kind: ClassVar[str] = "interval_plot"


@dataclass(frozen=True)
class HeatMap:
    """How alike every two of some things are, as a picture of squares.

    Attributes
    ----------
    title, caption : str
    labels : tuple of str
        Of rows and columns alike.
    values : tuple of tuple of float
        From 0 to 1, symmetric.
    """

    title: str
    caption: str
    labels: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    kind: ClassVar[str] = "heat_map"

    @property
    def least(self) -> float:
        """The smallest value, which is drawn lightest."""
        return min((value for row in self.values for value in row), default=0.0)

    def shade(self, value: float) -> float:
        """Return how dark a value is drawn, 0 to 1."""
        return (value - self.least) / (1 - self.least) if self.least < 1 else 1.0

    def closest(self, n: int = 10) -> list[tuple[str, str, float]]:
        """Return the n pairs that are most alike."""
        pairs = [
            (self.labels[row], self.labels[column], self.values[row][column])
            for row in range(len(self.labels))
            for column in range(row)
        ]
        return sorted(pairs, key=lambda pair: -pair[2])[:n]


@dataclass(frozen=True)
class CardEntry:
    """A line of a card.

    Attributes
    ----------
    text : str
    mark : str
        Emphasized, beside the text.
    tag : str
        Small, beside the text.
    link : str
        Anchor of the card that the tag leads to.
    note : str
        Below the text.
    weight : float or None
        Length of a bar, from 0 to 1.
    """

    text: str
    mark: str = ""
    tag: str = ""
    link: str = ""
    note: str = ""
    weight: float | None = None


@dataclass(frozen=True)
class CardList:
    """A list on a card, with a line before it."""

    entries: tuple[CardEntry, ...]
    intro: str = ""
    is_ordered: bool = False


@dataclass(frozen=True)
class Card:
    """A card with one list, or two side by side.

    Attributes
    ----------
    title, tag : str
    lists : tuple of CardList
    meter : float or None
        Length of a bar below the title, from 0 to 1.
    note : str
    anchor : str
        Where links to it lead.
    """

    title: str
    lists: tuple[CardList, ...]
    tag: str = ""
    meter: float | None = None
    note: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Cards:
    """Cards of one kind."""

    cards: tuple[Card, ...]
    kind: ClassVar[str] = "cards"

    @property
    def is_grid(self) -> bool:
        """Return whether the cards are narrow enough for several in a row."""
        return all(len(card.lists) < 2 for card in self.cards)


@dataclass(frozen=True)
class Code:
    """A command, or the text of a file with its name."""

    text: str
    name: str = ""
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    text: str
    kind: ClassVar[str] = "heading"


@dataclass(frozen=True)
class Folded:
    """Blocks behind a line that opens them."""

    summary: str
    blocks: tuple[Block, ...]
    kind: ClassVar[str] = "folded"


@dataclass(frozen=True)
class SideBySide:
    """Two or more parts beside each other, each with its heading."""

    parts: tuple[tuple[str, tuple[Block, ...]], ...]
    kind: ClassVar[str] = "side_by_side"


@dataclass(frozen=True)
class Only:
    """Blocks for one form of the report, e.g. the key to marks that the others lack."""

    form: Form
    blocks: tuple[Block, ...]
    kind: ClassVar[str] = "only"


Block: TypeAlias = (
    Text
    | Lead
    | Notes
    | Facts
    | Table
    | Figures
    | IntervalPlot
    | HeatMap
    | Panels
    | Cards
    | Code
    | Heading
    | Folded
    | SideBySide
    | Only
)


def children(block: Block) -> tuple[Block, ...]:
    """Return the blocks inside a block."""
    if isinstance(block, (Folded, Only)):
        return block.blocks
    if isinstance(block, SideBySide):
        return tuple(inner for _, blocks in block.parts for inner in blocks)
    return ()


def pictures_of(blocks: Sequence[Block]) -> Iterator[Panels]:
    """Yield all pictures of panels among blocks, in the order of the page."""
    for block in blocks:
        if isinstance(block, Panels):
            yield block
        yield from pictures_of(children(block))


def figures_of(blocks: Sequence[Block]) -> Iterator[Figure]:
    """Yield all figures among blocks, in the order of the page."""
    for block in blocks:
        if isinstance(block, Figures):
            yield from block.figures
        yield from figures_of(children(block))
