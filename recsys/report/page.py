"""One self-contained HTML page: opens from disk, needs no network and no scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from recsys.data.ids import Id
from recsys.files import replacing
from recsys.recommend.themes import Theme


@dataclass(frozen=True)
class Row:
    """One model's line in the table.

    Attributes
    ----------
    label : str
    values : tuple of (text, share of the column's best, whether it is the best)
        One a metric.
    fit_seconds, score_seconds : float
    error : str or None
    """

    label: str
    values: tuple[tuple[str, float, bool], ...]
    fit_seconds: float
    score_seconds: float
    error: str | None = None


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
    """

    user: Id
    history: tuple[tuple[str, float], ...]
    n_history: int
    listed: tuple[tuple[int, str, float, int, float], ...]


@dataclass(frozen=True)
class Page:
    """All that a report shows; text is escaped when it is written.

    Attributes
    ----------
    title, subtitle : str
    answer : sequence of str
        Plain sentences, the most important first.
    remarks : sequence of str
    facts : sequence of (name, value)
        The log and the split.
    metrics : sequence of str
    rows : sequence of Row
    themes : sequence of Theme
    stories : sequence of Story
    provenance : sequence of (name, value)
        Configs, versions, seeds, digests.
    command : str
        What makes the page again.
    """

    title: str
    subtitle: str
    answer: Sequence[str]
    remarks: Sequence[str]
    facts: Sequence[tuple[str, str]]
    metrics: Sequence[str]
    rows: Sequence[Row]
    themes: Sequence[Theme]
    stories: Sequence[Story]
    provenance: Sequence[tuple[str, str]]
    command: str


def table_rows(results: Sequence[dict[str, Any]], metrics: Sequence[str]) -> list[Row]:
    """Turn ``evaluate`` records into table rows; for rmse and mae the lowest is the best."""
    best: dict[str, float] = {}
    for metric in metrics:
        known = [r["metrics"][metric] for r in results if r["metrics"].get(metric) is not None]
        if known:
            best[metric] = min(known) if metric in ("rmse", "mae") else max(known)
    rows = []
    for record in results:
        values = []
        for metric in metrics:
            value = record["metrics"].get(metric)
            if value is None:
                values.append(("–", 0.0, False))
                continue
            low = metric in ("rmse", "mae")
            share = (best[metric] / value if low else value / best[metric]) if best[metric] and value else 0.0
            values.append((f"{value:.4f}", share, value == best[metric]))
        seconds = record.get("seconds", {"fit": 0.0, "score": 0.0})
        rows.append(
            Row(record["label"], tuple(values), seconds["fit"], seconds["score"], record.get("error"))
        )
    return rows


def render(page: Page) -> str:
    """Return the page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("recsys.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(page=page)


def write_page(page: Page, path: Path) -> None:
    """Write the page; an older one at that place is replaced as a whole."""
    with replacing(path) as place:
        place.write_text(render(page), encoding="utf-8")
