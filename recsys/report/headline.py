"""The top of the report: a few figures and one line a model."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.report import numbers
from recsys.report.page import Page
from recsys.report.table import FLOOR, direction


@dataclass(frozen=True)
class Line:
    """A model on the strip of intervals; places are per cent of its width."""

    label: str
    colour: int
    at: str
    left: str | None
    width: str | None
    text: str


def strip(page: Page) -> list[Line]:
    """Return a line a model, the best first, on a common scale of the main metric."""
    if page.main_metric is None:
        return []
    at = list(page.metrics).index(page.main_metric)
    known = [(row, row.cells[at]) for row in page.rows if row.error is None]
    found = [(row, cell, cell.value) for row, cell in known if cell.value is not None]
    if not found:
        return []
    found.sort(key=lambda entry: entry[2], reverse=direction(page.main_metric) is not False)
    edges = [edge for _, cell, value in found for edge in (value, cell.low, cell.high) if edge is not None]
    low, reach = min(edges), (max(edges) - min(edges)) or 1.0

    def place(value: float) -> float:
        return 2 + 96 * (value - low) / reach

    lines = []
    for row, cell, value in found:
        has_span = cell.low is not None and cell.high is not None
        left = place(cell.low) if cell.low is not None else 0.0
        right = place(cell.high) if cell.high is not None else 0.0
        lines.append(
            Line(
                label=row.label,
                colour=row.colour,
                at=f"{place(value):.2f}",
                left=f"{left:.2f}" if has_span else None,
                width=f"{right - left:.2f}" if has_span else None,
                text=numbers.score(value),
            )
        )
    return lines


def tiles(page: Page) -> list[tuple[str, str]]:
    """Return the figures to remember, as (value, words)."""
    metric = page.main_metric
    if metric is None:
        return []
    at = list(page.metrics).index(metric)
    best = next((row for row in page.rows if row.error is None and row.cells[at].is_best), None)
    if best is None:
        return []
    value = best.cells[at].value
    found = [(numbers.score(value), f"{metric} of {best.label}")]
    own = [pair for pair in page.pairs if pair.metric == metric and best.label in (pair.better, pair.other)]
    against = {pair.other if pair.better == best.label else pair.better: pair for pair in own}
    second = min(own, key=lambda pair: abs(pair.difference), default=None)
    if second is not None:
        other = second.other if second.better == best.label else second.better
        sure = "a clear difference" if second.is_significant else "which may be chance"
        sign = 1 if direction(metric) is not False else -1
        found.append((numbers.signed(sign * abs(second.difference)), f"beside {other}, the next: {sure}"))
    floor = next((row for row in page.rows if row.label in against and row.label.startswith(FLOOR)), None)
    base = None if floor is None or floor is best else floor.cells[at].value
    if floor is not None and base and value is not None and direction(metric) is not None:
        gain = value / base - 1
        found.append((("+" if gain > 0 else "") + numbers.share(gain), f"beside {floor.label}, the floor"))
    n_users = page.source.get("n_users")
    if n_users:
        found.append((numbers.count(n_users), "users measured"))
    return found
