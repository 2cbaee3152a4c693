"""The top of the report: a few figures and one line a model."""

from __future__ import annotations

from recsys.evaluation.metrics import higher_is_better
from recsys.report import numbers
from recsys.report.blocks import IntervalLine
from recsys.report.context import ReportContext


def ends(context: ReportContext) -> tuple[str, str] | None:
    """Return the lowest and the highest value of the strip's scale."""
    edges = _edges(context)
    return None if not edges else (numbers.score(min(edges)), numbers.score(max(edges)))


def strip(context: ReportContext) -> list[IntervalLine]:
    """Return a line a model, the best first, on a common scale of the main metric."""
    if context.main_metric is None:
        return []
    column = list(context.metrics).index(context.main_metric)
    known = [(row, row.cells[column]) for row in context.rows if row.error is None]
    measured = [(row, cell, cell.value) for row, cell in known if cell.value is not None]
    if not measured:
        return []
    measured.sort(key=lambda entry: entry[2], reverse=higher_is_better(context.main_metric) is not False)
    edges = _edges(context)
    low, reach = min(edges), (max(edges) - min(edges)) or 1.0

    def position(value: float) -> float:
        return 2 + 96 * (value - low) / reach

    lines = []
    for row, cell, value in measured:
        has_span = cell.low is not None and cell.high is not None
        left = position(cell.low) if cell.low is not None else 0.0
        right = position(cell.high) if cell.high is not None else 0.0
        lines.append(
            IntervalLine(
                label=row.label,
                colour=row.colour,
                position=f"{position(value):.2f}",
                left=f"{left:.2f}" if has_span else None,
                width=f"{right - left:.2f}" if has_span else None,
                text=numbers.score(value),
            )
        )
    return lines


def tiles(context: ReportContext) -> list[tuple[str, str]]:
    """Return the figures to remember, as (value, words)."""
    metric = context.main_metric
    if metric is None:
        return []
    column = list(context.metrics).index(metric)
    best = next((row for row in context.rows if row.error is None and row.cells[column].is_best), None)
    if best is None:
        return []
    value = best.cells[column].value
    figures = [(numbers.score(value), f"{metric} of {best.label}")]
    own = [
        pair for pair in context.pairs if pair.metric == metric and best.label in (pair.better, pair.other)
    ]
    against = {pair.other if pair.better == best.label else pair.better: pair for pair in own}
    second = min(own, key=lambda pair: abs(pair.difference), default=None)
    if second is not None and second.is_significant:
        other = second.other if second.better == best.label else second.better
        sign = 1 if higher_is_better(metric) is not False else -1
        figures.append((numbers.signed(sign * abs(second.difference)), f"beside {other}, the next: clear"))
    elif second is not None:  # noise is no figure to remember
        n_close = sum(not pair.is_significant for pair in own)
        words = "other model not clearly worse" if n_close == 1 else "other models not clearly worse"
        figures.append((numbers.count(n_close), words))
    floor = next((row for row in context.rows if row.label in against and row.colour == 0), None)
    base = None if floor is None or floor is best else floor.cells[column].value
    if floor is not None and base and value is not None and higher_is_better(metric) is not None:
        gain = value / base - 1
        sign_of = "+" if gain > 0 else ""
        figures.append((sign_of + numbers.rough_share(gain), f"beside {floor.label}, the floor"))
    n_users = context.record.get("n_users")
    if n_users:
        figures.append((numbers.count(n_users), "users measured"))
    return figures


def _edges(context: ReportContext) -> list[float]:
    if context.main_metric is None:
        return []
    column = list(context.metrics).index(context.main_metric)
    cells = [row.cells[column] for row in context.rows if row.error is None]
    ends_of = [(cell.value, cell.low, cell.high) for cell in cells if cell.value is not None]
    return [edge for three in ends_of for edge in three if edge is not None]
