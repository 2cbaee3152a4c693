"""Sentences that a report says in each of its forms."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsys.evaluation.metrics import higher_is_better, parse_metric
from recsys.evaluation.significance import PairTest
from recsys.report.context import ReportContext
from recsys.report.numbers import count, in_words

# Names that say nothing of what is in a file; its folder may.
_GENERIC = frozenset(
    {"data", "events", "interactions", "log", "logs", "plays", "purchases", "ratings", "train", "training"}
)


def log_in_words(description: Mapping[str, Any]) -> str:
    """Return a log's size and time as a line."""
    events = "ratings" if description["feedback"] == "explicit" else "events"
    parts = [
        f"{count(description['n_users'])} users",
        f"{count(description['n_items'])} items",
        f"{count(description['n_events'])} {events}",
    ]
    first, last = (_month(description[key]) for key in ("first_time", "last_time"))
    if first and last:
        parts.append(first if first == last else f"{first} to {last}")
    return f"{', '.join(parts)}."


def name_of_log(source: str) -> str:
    """Return what people call a log: the file's name, or its folder's where that says nothing."""
    path = Path(source)
    stem = path.name.partition(".")[0]
    return path.parent.name if stem.lower() in _GENERIC and path.parent.name else stem or source


def measured_as(context: ReportContext) -> str:
    """Return how values came about: what was ranked, and who is averaged."""
    metrics = [parse_metric(name) for name in context.metrics]
    errors = [metric.name for metric in metrics if metric.is_error]
    said = []
    if len(errors) < len(metrics):
        said.append(
            "All unseen items are ranked, none are sampled; means run over users who have both training "
            "and held-out items."
        )
    if errors:
        runs = "runs" if len(errors) == 1 else "run"
        said.append(f"{in_words(errors)} {runs} over held-out entries, intervals over users.")
    return " ".join(said)


def verdict(pair: PairTest) -> str:
    """Return what a test says of a pair, in a word or two."""
    if not pair.is_significant:
        return "no clear difference"
    return "clear" if higher_is_better(pair.metric) is not None else "higher"


def stability(context: ReportContext) -> str:
    """Return what stands beside the themes of the first model about other starts."""
    if not context.theme_sets:
        return ""
    first = context.theme_sets[0]
    if any(theme.stability is not None for theme in first.themes):
        return "Stability says how alike a theme is in other starts: 1 is the same."
    n_init = dict(context.configs).get(first.label, {}).get("n_init")
    one_start = " (n_init = 1)" if n_init == 1 else ""
    return f"Stability is not measured: there was one start{one_start}."


def versions_line(context: ReportContext) -> list[tuple[str, str]]:
    """Return all versions as one fact, or none."""
    versions = ", ".join(f"{name} {version}" for name, version in context.versions.items())
    return [("versions", versions)] if versions else []


def _month(moment: object) -> str:
    year_month = re.match(r"(\d{4})-(\d{2})", str(moment)) if isinstance(moment, str) else None
    if year_month is None:
        return ""
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{months[int(year_month[2]) - 1]} {year_month[1]}"
