"""The report as Markdown, for a repository, a merge request or a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from recsys.report import blocks, numbers, panels, tables
from recsys.report.page import Page
from recsys.report.pivot import figure_table

_MOST_ROWS = 24


def render(page: Page, images: Mapping[str, str] | None = None) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    page : Page
    images : mapping of figure to path, optional
        Drawn charts; a figure without one is a table.
    """
    parts = [f"# {_text(page.title)}", _text(page.subtitle)]
    for built in page.shown:
        if built.section.heading:
            parts.append(f"## {_text(built.section.heading)}")
        parts += _blocks(built.blocks, images or {})
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(contents: Sequence[blocks.Block], images: Mapping[str, str]) -> list[str]:
    return [part for block in contents for part in _block(block, images)]


def _block(block: blocks.Block, images: Mapping[str, str]) -> list[str]:
    """Return a block as paragraphs, some of them perhaps empty."""
    match block:
        case blocks.Text():
            return ["".join(_text(p) if isinstance(p, str) else f"**{_text(p.text)}**" for p in block.parts)]
        case blocks.Lead():
            first, rest = block.sentences[:1], block.sentences[1:]
            return [*(f"> {_sentence(sentence)}" for sentence in first), _list(map(_sentence, rest))]
        case blocks.Notes():
            return [_list(_text(line) for line in block.lines)]
        case blocks.Facts():
            return [_list(f"**{_text(name)}**: {_text(value)}" for name, value in block.pairs)]
        case tables.Table():
            return [_table(block)]
        case blocks.Figures():
            return [part for figure in block.figures for part in _figure(figure, images)]
        case blocks.IntervalPlot():
            values = _list(f"{_text(line.label)}: {_text(line.text)}" for line in block.lines)
            return [_text(block.caption), values]
        case blocks.HeatMap():
            pairs = [
                f"{_text(first)} and {_text(second)}: {value:.2f}" for first, second, value in block.closest()
            ]
            return [f"{_text(block.title)}, the closest pairs:", _list(pairs)]
        case panels.Panels():
            name = images.get(block.name)
            return [_text(block.caption), f"![{_text(block.title)}]({name})"] if name else []
        case blocks.Cards():
            return [part for card in block.cards for part in _card(card)]
        case blocks.Code():
            return [f"{_text(block.name)}:" if block.name else "", _fenced(block.text)]
        case blocks.Heading():
            return [f"### {_text(block.text)}"]
        case blocks.Folded():
            return [f"### {_text(block.summary)}", *_blocks(block.blocks, images)]
        case blocks.SideBySide():
            # The first part stands right below the heading of the section, and needs none of its own.
            parts = []
            for number, (title, contents) in enumerate(block.parts):
                parts += [f"### {_text(title)}" if number else "", *_blocks(contents, images)]
            return parts
        case blocks.Only():
            return _blocks(block.blocks, images) if block.form == "markdown" else []
        case _:
            assert_never(block)


def _figure(figure: tables.Figure, images: Mapping[str, str]) -> list[str]:
    head = [f"### {_text(figure.title)}", _text(figure.caption)]
    if figure.name in images:
        return [*head, f"![{_text(figure.title)}]({images[figure.name]})"]
    return [*head, _table(figure_table(figure, _MOST_ROWS))]


def _card(card: blocks.Card) -> list[str]:
    tag = f" ({_text(card.tag)})" if card.tag else ""
    parts = [f"### {_text(card.title)}{tag}"]
    for entries in card.lists:
        parts += [_text(entries.intro), _card_list(entries)]
    return [*parts, _text(card.note)]


def _card_list(entries: blocks.CardList) -> str:
    lines = []
    for number, entry in enumerate(entries.entries, 1):
        details = "; ".join(detail for detail in (entry.mark, entry.tag, entry.note) if detail)
        bullet = f"{number}." if entries.is_ordered else "-"
        lines.append(f"{bullet} {_text(entry.text)}" + (f" ({_text(details)})" if details else ""))
    return "\n".join(lines)


def _table(table: tables.Table) -> str:
    width = len(table.columns)
    heads = [_text(column.heading) for column in table.columns]
    rule = ["---", *["---:" if table.style == "results" else "---"] * (width - 1)]
    rows = [
        [_cell(value, column) for value, column in zip(row, table.columns, strict=False)]
        for row in table.rows
    ]
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *padded])


def _cell(value: tables.Cell, column: tables.Column) -> str:
    match value:
        case tables.Label():
            return _text(value.text)
        case tables.Failure():
            return f"failed: {_text(value.text)}"
        case tables.Estimate():
            return _estimate(value)
    written = numbers.write(value, column.kind)
    # What is written of a number marks nothing up, and its spaces keep it with its unit.
    return written if column.kind in ("seconds", "bytes") else _text(written)


def _estimate(cell: tables.Estimate) -> str:
    value = numbers.score(cell.value)
    value = f"**{value}**" if cell.is_best else f"≈ {value}" if cell.is_level else value
    if cell.low is None or cell.high is None:
        return value
    return f"{value} ({numbers.span(cell.low, cell.high)})"


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _sentence(text: str) -> str:
    return _text(numbers.typeset(text))


def _text(text: str) -> str:
    """Return text that Markdown takes as text: one line, nothing that marks up, no HTML."""
    plain = " ".join(str(text).split())
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|~#!])", r"\\\1", plain)


def _fenced(text: str) -> str:
    """Return text as a code block, its fence longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text}\n{fence}"
