"""The evidence for numbers of components as a page: one picture, one table, and how to make it again."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import ParameterError
from recsys.experiment.provenance import provenance, versions
from recsys.report.blocks import Block, Code, Facts, Lead, Text
from recsys.report.facts import about_log, about_split
from recsys.report.numbers import Kind
from recsys.report.page import BuiltSection, Page
from recsys.report.panels import Panel, Panels
from recsys.report.phrases import log_in_words, name_of_log
from recsys.report.section import Content, Section
from recsys.report.tables import Column, Table
from recsys.report.writing import FORMS, check_report, write_report

if TYPE_CHECKING:
    from recsys.experiment.tuning.rank_evidence import RankEvidence, Ranks

_KEY = (
    "Behind: how far from the best, with the standard error of that difference, from the same users in "
    "both. Spread: largest less smallest value over the starts, what is due to the start alone. "
    "Reconstruction: what a fit minimises on the training data, as a part of the first row's; it falls with "
    "every component, whether that helps or not. Stability: how alike the components are in the other starts "
    "(cosine, weighted by what they explain; 1: the same). Stored: numbers for a user or an item."
)


def check_rank_report(path: Path) -> None:
    """Raise ParameterError, before anything is computed, if no report of ranks can be written to a path."""
    forms = [form for form in FORMS if form != ".parquet"]  # there are no values of users
    if path.suffix and path.suffix.lower() not in forms and not path.is_dir():
        raise ParameterError(
            f"a report of ranks {path.name!r} has no known form; expected .html, .md, .json, or a name "
            f"without a suffix for a folder with all of them."
        )
    check_report(path)


def write_rank_report(evidence: Ranks, path: Path, *, command: str | None = None) -> Path:
    """Write the evidence for numbers of components; see `Ranks.report`."""
    check_rank_report(path)
    if evidence.loaded is None or not evidence.splits:
        raise ParameterError("the evidence is of no log; recsys.ranks gives one that has a report.")
    write_report(rank_page(evidence, command or _call(evidence)), path)
    return path


def rank_page(evidence: Ranks, command: str) -> Page:
    """Return the page of a log's evidence for numbers of components.

    Parameters
    ----------
    evidence : Ranks
        Of a log.
    command : str
        How it was made.
    """
    assert evidence.loaded is not None
    description = evidence.loaded.describe()
    again: tuple[Block, ...] = (
        Code(command),
        Facts((*about_log(description), *about_split(evidence.splits[0].split))),
        Facts(tuple(_origin(evidence))),
    )
    sections = (
        _section("answer", "", (Lead(tuple(_sentences(evidence))),)),
        _section("evidence", "The evidence", (_picture(evidence), _table(evidence), Text(_KEY, "key"))),
        _section("again", "How to make this again", again),
    )
    return Page(
        title=f"{name_of_log(evidence.loaded.source)}: how many components {evidence.model} needs",
        subtitle=f"{log_in_words(description)} {evidence.splits[0].split.description.text}",
        rows=(),
        sections=sections,
        record={
            "title": f"How many components {evidence.model} needs",
            "log": description,
            "split": evidence.splits[0].split.to_json(),
            "command": command,
            "versions": versions(),
            **evidence.to_json(),
        },
    )


def _section(name: str, heading: str, blocks: tuple[Block, ...]) -> BuiltSection:
    content = Content(blocks, {})
    return BuiltSection(Section(name, heading, 0, lambda _: content), content.blocks, content.record)


def _sentences(evidence: Ranks) -> list[str]:
    chosen = evidence.chosen
    interval = f"{chosen.value:.4f} (95 % interval {chosen.low:.4f} to {chosen.high:.4f})"
    sentences = [evidence.answer, f"{chosen.n_components} components reach {evidence.metric} {interval}."]
    if evidence.is_at_edge:
        sentences.append("The best is the largest number tried: try larger ones.")
    return sentences


def _picture(evidence: Ranks) -> Panels:
    rows, marked = evidence.rows, evidence.rows.index(evidence.chosen)

    def panel(title: str, name: str, form: Kind) -> Panel | None:
        values = tuple(getattr(row, name) for row in rows)
        return None if all(value is None for value in values) else Panel(title, values, form)

    quality = Panel(
        evidence.metric,
        tuple(row.value for row in rows),
        "score",
        spans=tuple((row.low, row.high) for row in rows),
        strong=tuple(row.is_level for row in rows),
        height=120,
        has_zero=False,
    )
    others = (
        panel("reconstruction error, part of the first", "objective", "ratio"),
        panel("stability across starts", "stability", "ratio"),
        panel("stored numbers a user or item", "stored_per_row", "number"),
        panel("seconds of a fit", "fit_seconds", "ratio"),
    )
    return Panels(
        name="ranks",
        title=f"{evidence.metric} and what goes with it, by number of components",
        caption=f"Bars are 95 % intervals of {evidence.metric} on held-out data; filled points are within "
        f"one standard error of the best; at the right of each chart its value at the number chosen.",
        axis="number of components",
        labels=tuple(str(row.n_components) for row in rows),
        panels=(quality, *(other for other in others if other is not None)),
        marked=marked,
        mark=f"{evidence.chosen.n_components} chosen",
    )


_COLUMNS = (
    Column("n_components", "components", "count"),
    Column("note", "", "text"),
    Column("value", "", "score"),
    Column("interval", "95 % interval", "interval"),
    Column("behind", "behind", "score"),
    Column("behind_error", "standard error", "score"),
    Column("spread", "spread", "score"),
    Column("objective", "reconstruction", "ratio"),
    Column("stability", "stability", "ratio"),
    Column("stored_per_row", "stored", "number"),
    Column("fit_seconds", "fit", "seconds"),
)


def _table(evidence: Ranks) -> Table:
    columns = tuple(
        Column(column.key, evidence.metric, column.kind) if column.key == "value" else column
        for column in _COLUMNS
    )
    rows = tuple(tuple(_cell(evidence, row, column.key) for column in columns) for row in evidence.rows)
    return Table("Evidence by number of components", columns, rows)


def _cell(evidence: Ranks, row: RankEvidence, key: str) -> Any:
    if key == "interval":
        return (row.low, row.high)
    if key == "note":
        notes = ["chosen"] * (row is evidence.chosen) + ["best"] * (row is evidence.best)
        return ", ".join(notes)
    assert key in {field.name for field in fields(row)}
    return getattr(row, key)


def _origin(evidence: Ranks) -> list[tuple[str, str]]:
    splits = [prepared.split for prepared in evidence.splits]
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    made = provenance(splits, evidence.splits[0].train.digest, seed=evidence.seed)
    return [*made, ("versions", packages)]


def _call(evidence: Ranks) -> str:
    """Return the call from Python, as far as it is known."""
    assert evidence.loaded is not None
    numbers = [row.n_components for row in evidence.rows]
    return (
        f"recsys.ranks({evidence.model!r}, {evidence.loaded.source!r}, {numbers}, "
        f"metric={evidence.metric!r}, validation={evidence.validation!r}, n_starts={evidence.n_starts}, "
        f"seed={evidence.seed})"
    )
