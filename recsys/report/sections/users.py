"""What some users would see: their history, their list, and the reasons for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recsys.recommend.examples import UserExample
from recsys.report import numbers
from recsys.report.blocks import Block, Card, CardEntry, CardList, Cards, Heading, Only, Text
from recsys.report.context import ReportContext
from recsys.report.phrases import theme_names
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Column, Table

_NOTE = (
    "The theme that adds most to a score is named, with its share of what all themes add; the theme is "
    "called by its strongest item. Below stands, once for a run of the same, what of the user's own history "
    "is closest to the item in the themes that speak for it."
)
_COLUMNS = (
    Column("rank", "", "count"),
    Column("name", "recommended"),
    Column("theme", "theme"),
    Column("because", "close to"),
    Column("taken_later", "taken later"),
)


def build(context: ReportContext) -> Content:
    """Return a card a user, or in Markdown a table."""
    record = {"told_by": context.examples_intro, "stories": [_record(e) for e in context.examples]}
    if not context.examples:
        return Content((), record)
    is_rating, names = context.train.feedback == "explicit", theme_names(context)
    intro: tuple[Block, ...] = (Text(context.examples_intro),) if context.examples_intro else ()
    cards = Cards(tuple(_card(example, names, is_rating=is_rating) for example in context.examples))
    tables = [
        block for example in context.examples for block in _markdown(example, names, is_rating=is_rating)
    ]
    blocks = (*intro, Only("html", (cards, Text(_NOTE, style="note"))), Only("markdown", tuple(tables)))
    return Content(blocks, record)


def _taste(example: UserExample, *, is_rating: bool) -> str:
    verb = "Rates highest" if is_rating else "Takes most of"
    return f"{verb}, {numbers.count(example.n_history)} items in all"


def _card(example: UserExample, names: Mapping[int, str], *, is_rating: bool) -> Card:
    unit = "rated" if is_rating else "×"
    history = CardList(
        tuple(CardEntry(name, tag=f"{unit} {numbers.number(value)}") for name, value in example.history),
        intro=_taste(example, is_rating=is_rating),
    )
    tag = ""
    if example.n_later is not None:
        tag = (
            f"{len(example.hits)} of {len(example.listed)} listed were taken later, of "
            f"{numbers.count(example.n_later)} held out"
        )
    listed = CardList(_entries(example, names), intro="Recommended, none of it seen before", is_ordered=True)
    return Card(f"User {example.user}", (history, listed), tag=tag)


def _entries(example: UserExample, names: Mapping[int, str]) -> tuple[CardEntry, ...]:
    """Return the list; a reason stands once for a run of the same ones."""
    entries = []
    last_reason: list[str] = []
    is_repeated = False
    for rank, name, _, theme, share in example.listed:
        because = example.because.get(rank, ())
        note = ""
        if because:
            if sorted(because) != last_reason:
                note, is_repeated = f"close to {'; '.join(because)}", False
            elif not is_repeated:
                note, is_repeated = "as above", True
            last_reason = sorted(because)
        called = f" · {names[theme]}" if theme in names else ""
        entries.append(
            CardEntry(
                name,
                mark="✓ taken later" if rank in example.hits else "",
                tag=f"theme {theme}{called}, {100 * share:.0f}\u00a0%" if theme else "",
                link=f"theme-{theme}" if theme else "",
                note=note,
            )
        )
    return tuple(entries)


def _markdown(example: UserExample, names: Mapping[int, str], *, is_rating: bool) -> tuple[Block, ...]:
    history = "; ".join(f"{name} ({numbers.number(value)})" for name, value in example.history)
    rows = []
    for rank, name, _, theme, share in example.listed:
        called = f" · {names[theme]}" if theme in names else ""
        reason = f"theme {theme}{called}, {100 * share:.0f} %" if theme else ""
        because = "; ".join(example.because.get(rank, ()))
        rows.append((rank, name, reason, because, "yes" if rank in example.hits else ""))
    return (
        Heading(f"User {example.user}"),
        Text(f"{_taste(example, is_rating=is_rating)}: {history}"),
        Table(f"Recommended to user {example.user}", _COLUMNS, tuple(rows)),
    )


def _record(example: UserExample) -> dict[str, Any]:
    return {
        "user": example.user,
        "n_history": example.n_history,
        "history": [{"name": name, "value": value} for name, value in example.history],
        "n_held_out": example.n_later,
        "list": [
            {
                "rank": rank,
                "name": name,
                "score": score,
                "theme": theme or None,
                "theme_share": share if theme else None,
                "because": list(example.because.get(rank, ())),
                "taken_later": None if example.n_later is None else rank in example.hits,
            }
            for rank, name, score, theme, share in example.listed
        ],
    }


register_section(Section("users", "What some users would see", order=50, build=build, label="Users"))
