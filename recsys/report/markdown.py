"""The report as Markdown, for a repository, a merge request or a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from recsys.evaluate.metrics import definitions, higher_is_better
from recsys.recommend.themes import Theme
from recsys.report import numbers
from recsys.report.page import Cell, Figure, Page, Story
from recsys.report.phrases import measured_as, stability, theme_names, verdict, versions_line
from recsys.report.pivot import parameters, shown

_SECTIONS = {
    "quality": "Quality of the lists",
    "groups": "For whom, and for what",
    "cost": "Time, memory and convergence",
}
_MOST_ROWS = 24


def render(page: Page, images: Mapping[str, str] | None = None) -> str:
    """Return the page as Markdown.

    Parameters
    ----------
    page : Page
    images : mapping of figure to path, optional
        Drawn charts; a figure without one is a table.
    """
    images = images or {}
    parts = [
        f"# {_text(page.title)}",
        _text(page.subtitle),
        *(f"> {_text(numbers.typeset(s))}" for s in page.answer[:1]),
    ]
    parts += [_list(_text(numbers.typeset(sentence)) for sentence in page.answer[1:])]
    parts += ["## How the models compare", _models(page)]
    parts.append(
        "Best of each column in bold; ≈ marks what is not clearly worse than the best; in brackets 95 % "
        "intervals over users; ↓ says that less is better. " + measured_as(page)
    )
    parts.append(_facts(definitions(page.metrics)))
    parts.append(_list(_text(remark) for remark in page.remarks))
    if page.pairs:
        parts += ["### Every pair of models", _pairs(page)]
    for section, heading in _SECTIONS.items():
        figures = page.figures.get(section, ())
        if figures:
            parts += [f"## {heading}", *(_figure(figure, images) for figure in figures)]
    if page.stories:
        parts += ["## What some users would see", _text(page.told_by)]
        parts += [_story(story, page.feedback, theme_names(page)) for story in page.stories]
    if page.themes:
        parts += ["## The themes of the model", _text(stability(page))]
        for found in page.themes:
            parts.append(f"{len(found.themes)} of {found.n_themes} themes of {_text(found.label)}:")
            parts.append(_themes(found.themes))
    parts += ["## The log and the split", _facts(page.facts), "### The split, audited", _facts(page.audit)]
    parts += [_figure(figure, images) for figure in page.figures.get("log", ())]
    parts += ["## How to make this again", _fenced(page.command)]
    parts += [f"{_text(name)}:\n\n{_fenced(text)}" for name, text in page.plan.items()]
    parts.append(_facts([*page.provenance, *versions_line(page)]))
    labels, rows = parameters(page.configs)
    if rows:
        parts += ["### Parameters", _table(["", *labels], [[name, *values] for name, values in rows])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _models(page: Page) -> str:
    arrows = [" ↓" if higher_is_better(metric) is False else "" for metric in page.metrics]
    has_memory = any(row.peak_bytes is not None for row in page.rows)
    heads = ["model", *(m + a for m, a in zip(page.metrics, arrows, strict=True))]
    heads += ["time to fit", "time to score"]
    lines = []
    for row in page.rows:
        if row.error is not None:
            lines.append([_text(row.label), f"failed: {_text(row.error)}"])
            continue
        times = [numbers.write(seconds, "seconds") for seconds in (row.fit_seconds, row.score_seconds)]
        memory = [numbers.write(row.peak_bytes, "bytes")] if has_memory else []
        lines.append([_text(row.label), *(_cell(cell) for cell in row.cells), *times, *memory])
    if has_memory:
        heads.append("peak memory")
    return _table(heads, lines, raw=True)


def _cell(cell: Cell) -> str:
    value = numbers.score(cell.value)
    value = f"**{value}**" if cell.is_best else f"≈ {value}" if cell.is_level else value
    return (
        value if cell.low is None or cell.high is None else f"{value} ({numbers.span(cell.low, cell.high)})"
    )


def _pairs(page: Page) -> str:
    heads = [
        "metric",
        "ahead",
        "other",
        "difference",
        "95 % interval",
        "p, adjusted",
        "effect size",
        "verdict",
    ]
    lines = [
        [
            pair.metric,
            pair.better,
            pair.other,
            numbers.score(pair.difference),
            numbers.span(pair.low, pair.high),
            numbers.probability(pair.p_adjusted),
            numbers.ABSENT if pair.effect_size is None else f"{pair.effect_size:.2f}",
            verdict(pair),
        ]
        for pair in page.pairs
    ]
    return _table(heads, lines)


def _figure(figure: Figure, images: Mapping[str, str]) -> str:
    head = f"### {_text(figure.title)}\n\n{_text(figure.caption)}"
    if figure.name in images:
        return f"{head}\n\n![{_text(figure.title)}]({images[figure.name]})"
    columns, rows, _ = shown(figure, _MOST_ROWS)
    lines = [
        [numbers.write(value, column.kind) for value, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    return f"{head}\n\n{_table([column.heading for column in columns], lines)}"


def _story(story: Story, feedback: str, names: Mapping[int, str]) -> str:
    taste = "Rates highest" if feedback == "explicit" else "Takes most of"
    history = "; ".join(f"{_text(name)} ({numbers.number(value)})" for name, value in story.history)
    lines = []
    for rank, name, _, theme, share in story.listed:
        named = f" · {names[theme]}" if theme in names else ""
        reason = f"theme {theme}{named}, {100 * share:.0f} %" if theme else ""
        because = "; ".join(story.because.get(rank, ()))
        later = "yes" if rank in story.hits else ""
        lines.append([str(rank), name, reason, because, later])
    listed = _table(["", "recommended", "theme", "close to", "taken later"], lines)
    return (
        f"### User {_text(str(story.user))}\n\n{taste}, {numbers.count(story.n_history)} items in all: "
        f"{history}\n\n{listed}"
    )


def _themes(themes: Sequence[Theme]) -> str:
    lines = [
        [
            str(theme.number),
            numbers.share(theme.share),
            numbers.ABSENT if theme.stability is None else f"{theme.stability:.2f}",
            "; ".join(name for _, name, _ in theme.items),
        ]
        for theme in themes
    ]
    return _table(["theme", "share", "stability", "strongest items"], lines)


def _facts(pairs: Iterable[tuple[str, str]]) -> str:
    return _list(f"**{_text(name)}**: {_text(value)}" for name, value in pairs)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]], *, raw: bool = False) -> str:
    width = len(heads)
    rows = [[*line, *[""] * (width - len(line))] for line in lines]
    written = [[cell if raw else _text(cell) for cell in row] for row in rows]
    rule = ["---", *["---:" if raw else "---"] * (width - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [[_text(head) for head in heads], rule, *written])


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
