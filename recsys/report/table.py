"""The table of models: values with intervals, and marks that say which differences are real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import higher_is_better
from recsys.evaluation.significance import PairTest, interval
from recsys.evaluation.uncertainty import Interval
from recsys.report.context import Row
from recsys.report.tables import Estimate

FLOOR = "popularity"
N_COLOURS = 14


def colours(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Give each model its colour: the floor is grey (0), beyond fourteen others colours come again."""
    colour_of, n = {}, 0
    for record in results:
        is_floor = record["model"] == FLOOR and len(results) > 1
        colour_of[record["label"]] = 0 if is_floor else 1 + n % N_COLOURS
        n += not is_floor
    return colour_of


def intervals(
    measured: Mapping[str, Measurements], metrics: Sequence[str], *, seed: int
) -> dict[tuple[str, str], Interval]:
    """Return the 95 % interval by (label, metric), where a metric is made of values of users."""
    spans = {}
    for label, measurements in measured.items():
        for metric in metrics:
            spread = interval(measurements, metric, seed=seed)
            if spread is not None:
                spans[label, metric] = spread
    return spans


def table_rows(
    results: Sequence[Mapping[str, Any]],
    metrics: Sequence[str],
    spans: Mapping[tuple[str, str], Interval] | None = None,
    pairs: Sequence[PairTest] = (),
) -> list[Row]:
    """Turn ``evaluate`` records into table rows.

    Parameters
    ----------
    results : sequence of mapping
    metrics : sequence of str
    spans : mapping of (label, metric) to Interval
    pairs : sequence of PairTest
        Who is level with the best: all that are not clearly worse.
    """
    colour = colours(results)
    best = {metric: _best(results, metric) for metric in metrics}
    rows = []
    for record in results:
        cells = []
        for metric in metrics:
            value = record["metrics"].get(metric)
            span = (spans or {}).get((record["label"], metric))
            is_best = value is not None and value == best[metric]
            cells.append(
                Estimate(
                    value=value,
                    low=None if span is None else span.low,
                    high=None if span is None else span.high,
                    is_best=is_best,
                    is_level=not is_best and _is_level(record["label"], metric, results, best, pairs),
                    share=_share(value, best[metric], metric),
                )
            )
        seconds = record.get("seconds", {})
        rows.append(
            Row(
                label=record["label"],
                model=record["model"],
                colour=colour[record["label"]],
                cells=tuple(cells),
                fit_seconds=seconds.get("fit"),
                score_seconds=seconds.get("score"),
                peak_bytes=record.get("peak_memory_bytes"),
                error=record.get("error"),
            )
        )
    return rows


def ranked(rows: Sequence[Row], metrics: Sequence[str], metric: str | None) -> list[Row]:
    """Return the rows by a metric, the best first; those without a value come last, as they stand."""
    if metric is None:
        return list(rows)
    column, sign = list(metrics).index(metric), 1 if higher_is_better(metric) is False else -1

    def sort_key(row: Row) -> float:
        value = row.cells[column].value
        return np.inf if value is None or row.error is not None else sign * value

    return sorted(rows, key=sort_key)


def _best(results: Sequence[Mapping[str, Any]], metric: str) -> float | None:
    known = [r["metrics"][metric] for r in results if r["metrics"].get(metric) is not None]
    known = [value for value in known if np.isfinite(value)]
    more = higher_is_better(metric)
    if not known or more is None:
        return None
    return float(max(known) if more else min(known))


def _share(value: float | None, best: float | None, metric: str) -> float:
    if value is None or best is None or value <= 0 or best <= 0:
        return 0.0
    return min(1.0, value / best if higher_is_better(metric) else best / value)


def _is_level(
    label: str,
    metric: str,
    results: Sequence[Mapping[str, Any]],
    best: Mapping[str, float | None],
    pairs: Sequence[PairTest],
) -> bool:
    """Return whether no best model is clearly better than this one."""
    leaders = {r["label"] for r in results if r["metrics"].get(metric) == best[metric]}
    met = [p for p in pairs if p.metric == metric and label in (p.better, p.other)]
    with_leaders = [p for p in met if leaders & {p.better, p.other}]
    return bool(with_leaders) and not any(p.is_significant and p.better in leaders for p in with_leaders)
