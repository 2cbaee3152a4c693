"""What some users would see: their history, their list, and the reasons for it."""

from __future__ import annotations

from typing import Any

from recsys.recommend.examples import ListedItem, UserExample
from recsys.report import numbers
from recsys.report.blocks import Block, Card, CardEntry, CardList, Cards, Heading, Only, Text
from recsys.report.context import ReportContext
from recsys.report.section import Content, Section, register_section
from recsys.report.tables import Column, Table

_NOTE = (
    "A reason names the items of the user's own history that the score goes back to most: each was removed "
    "and the user fitted again. They are the reason where they make up three tenths of the score together; "
    "where not, it is a bit of many."
)
_COLUMNS = (
    Column("rank", "", "count"),
    Column("name", "recommended"),
    Column("reason", "reason"),
    Column("taken_later", "taken later"),
)


def build(context: ReportContext) -> Content:
    """Return a card a user, or in Markdown a table."""
    record = {"told_by": context.examples_intro, "stories": [_record(e) for e in context.examples]}
    if not context.examples:
        return Content((), record)
    is_rating = context.train.feedback == "explicit"
    intro: tuple[Block, ...] = (Text(context.examples_intro),) if context.examples_intro else ()
    cards = Cards(tuple(_card(example, is_rating=is_rating) for example in context.examples))
    tables = [block for example in context.examples for block in _markdown(example, is_rating=is_rating)]
    blocks = (*intro, Only("html", (cards, Text(_NOTE, style="note"))), Only("markdown", tuple(tables)))
    return Content(blocks, record)


def _taste(example: UserExample, *, is_rating: bool) -> str:
    verb = "Rates highest" if is_rating else "Takes most of"
    return f"{verb}, {numbers.count(example.n_history)} items in all"


def _card(example: UserExample, *, is_rating: bool) -> Card:
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
    listed = CardList(_entries(example), intro="Recommended, none of it seen before", is_ordered=True)
    return Card(f"User {example.user}", (history, listed), tag=tag)


def _entries(example: UserExample) -> tuple[CardEntry, ...]:
    return tuple(
        CardEntry(
            entry.name,
            mark="✓ taken later" if entry.rank in example.hits else "",
            note=_reason(entry),
        )
        for entry in example.listed
    )


def _reason(entry: ListedItem) -> str:
    return "" if entry.reason is None else entry.reason.text


def _markdown(example: UserExample, *, is_rating: bool) -> tuple[Block, ...]:
    history = "; ".join(f"{name} ({numbers.number(value)})" for name, value in example.history)
    rows = tuple(
        (entry.rank, entry.name, _reason(entry), "yes" if entry.rank in example.hits else "")
        for entry in example.listed
    )
    return (
        Heading(f"User {example.user}"),
        Text(f"{_taste(example, is_rating=is_rating)}: {history}"),
        Table(f"Recommended to user {example.user}", _COLUMNS, rows),
    )


def _record(example: UserExample) -> dict[str, Any]:
    return {
        "user": example.user,
        "n_history": example.n_history,
        "history": [{"name": name, "value": value} for name, value in example.history],
        "n_held_out": example.n_later,
        "list": [
            {
                "rank": entry.rank,
                "name": entry.name,
                "score": entry.score,
                "reason": None if entry.reason is None else entry.reason.to_json(),
                "taken_later": None if example.n_later is None else entry.rank in example.hits,
            }
            for entry in example.listed
        ],
    }


register_section(Section("users", "What some users would see", order=50, build=build, label="Users"))
