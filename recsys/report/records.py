"""The report for programs: one JSON object, and a table of every user's values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from recsys.data.ids import Ids
from recsys.evaluate.measurements import Measurements
from recsys.report.page import Page

FORMAT = 2


def record(page: Page) -> dict[str, Any]:
    """Return a page as plain values, ready for JSON; what is not a number is null."""
    found: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "title": page.title,
            "subtitle": page.subtitle,
            "main_metric": page.main_metric,
            # A comparison's own record: results, comparisons, answer, split and splits, as it prints them.
            **page.source,
            "answer": list(page.answer),
            "remarks": list(page.remarks),
            "ranking": [row.label for row in page.rows],
            "best": {metric: _labels(page, at, "is_best") for at, metric in enumerate(page.metrics)},
            "not_clearly_worse": {
                metric: _labels(page, at, "is_level") for at, metric in enumerate(page.metrics)
            },
            "figures": {
                figure.name: {
                    "title": figure.title,
                    "caption": figure.caption,
                    "rows": figure.records(),
                }
                for figure in page.all_figures
            },
            "themes": [
                {
                    "label": found.label,
                    "n_themes": found.n_themes,
                    "themes": [theme.to_json() for theme in found.themes],
                }
                for found in page.themes
            ],
            "told_by": page.told_by,
            "stories": [
                {
                    "user": story.user,
                    "n_history": story.n_history,
                    "history": [{"name": name, "value": value} for name, value in story.history],
                    "n_held_out": story.n_later,
                    "list": [
                        {
                            "rank": rank,
                            "name": name,
                            "score": score,
                            "theme": theme or None,
                            "theme_share": share if theme else None,
                            "because": list(story.because.get(rank, ())),
                            "taken_later": None if story.n_later is None else rank in story.hits,
                        }
                        for rank, name, score, theme, share in story.listed
                    ],
                }
                for story in page.stories
            ],
            "provenance": dict(page.provenance),
            "versions": dict(page.versions),
            "command": page.command,
            "plan": dict(page.plan),
        }
    )
    return found


def _labels(page: Page, at: int, mark: str) -> list[str]:
    """Return the models whose cell of a metric has a mark."""
    return [row.label for row in page.rows if row.error is None and getattr(row.cells[at], mark)]


def to_json(page: Page) -> str:
    """Return a page as JSON text."""
    return json.dumps(record(page), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def per_user(measured: Mapping[str, Measurements], user_ids: Ids | None) -> pd.DataFrame:
    """Return the columns model, user and one a metric: every user's values.

    Parameters
    ----------
    measured : mapping of label to Measurements
    user_ids : Ids
        The ids behind the measurements' row numbers.
    """
    tables = []
    for label, at in measured.items():
        columns = {name: values for name, values in at.per_user.items() if len(values) == len(at.users)}
        users = at.users if user_ids is None else user_ids.values[at.users]
        tables.append(pd.DataFrame({"model": [label] * len(users), "user": users, **columns}))
    if not tables:
        return pd.DataFrame({"model": [], "user": []})
    return pd.concat(tables, ignore_index=True)


def plain(value: Any) -> Any:
    """Return a value with its mappings, sequences and numbers as JSON knows them."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(part) for part in value]
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
