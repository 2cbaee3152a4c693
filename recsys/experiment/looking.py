"""The figures of a report for which models rank once more, and those of groups of users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsys.evaluate.measurements import Measurements
from recsys.evaluate.metrics import ListMetric, Metric, Need, parse_metric
from recsys.experiment.result import Result
from recsys.experiment.trial import Trial
from recsys.progress import SILENT, Progress
from recsys.report import figures
from recsys.report.closeup import Closeup, held_out_shares, look_closer
from recsys.report.groups import by_activity, by_popularity
from recsys.report.page import Figure
from recsys.typing import Int64Array

_ALWAYS = ("ndcg", "recall", "precision")


def figures_of_models(
    trial: Trial,
    results: Sequence[Result],
    main: str | None,
    *,
    seed: int,
    progress: Progress = SILENT,
) -> dict[str, list[Figure]]:
    """Return the figures of the sections "quality" and "groups".

    Parameters
    ----------
    trial : Trial
        The first, if there are several; models at hand are those of it.
    results : sequence of Result
        The best first.
    main : str or None
        The metric that puts models in order.
    seed : int
        Of intervals.
    progress : Progress
    """
    measured: dict[str, Measurements] = {}
    for result in results:
        at = result.parts[0].measurements if result.parts else result.measurements
        if at is not None:
            measured[result.label] = at
    found: dict[str, list[Figure]] = {"quality": [], "groups": []}
    if main is not None:
        users = _users(measured)
        groups = by_activity(trial.seen.counts[users])
        activity = figures.by_activity(measured, main, users, groups, seed=seed)
        found["groups"] += [] if activity is None else [activity]
    for name, more in _of_lists(trial, results, measured, main, progress).items():
        found[name] += more
    found["groups"] += figures.gaps(measured)
    return {name: several for name, several in found.items() if several}


def _of_lists(
    trial: Trial,
    results: Sequence[Result],
    measured: Mapping[str, Measurements],
    main: str | None,
    progress: Progress,
) -> dict[str, list[Figure]]:
    metric = None if main is None else parse_metric(main)
    if main is None or metric is None or metric.k is None or not _is_worth_a_curve(metric):
        return {}
    family, k = metric.name, min(metric.k, trial.train.n_items)
    items = by_popularity(trial.train.item_counts)
    closeups: dict[str, Closeup] = {}
    values: dict[str, float] = {}
    for result in results:
        at = measured.get(result.label)
        value = None if at is None else at.metrics[main]
        if value is None or result.model is None:
            continue
        values[result.label] = value
        closeups[result.label] = look_closer(
            trial.answering(result.model),
            trial.seen,
            trial.held_out,
            metrics=list(dict.fromkeys([family, *_ALWAYS])),
            k=k,
            catalogue=trial.catalogue,
            items=items,
            progress=progress,
        )
    if not closeups:
        return {}
    shares = held_out_shares(trial.held_out, items)
    of_items = figures.by_popularity(closeups, items, k), figures.places(closeups, shares, items, k)
    # One point is no trade-off.
    trade_offs = figures.trade_offs(closeups, main, values, k) if len(closeups) > 1 else ()
    return {
        "quality": [*figures.curves(closeups), *trade_offs],
        "groups": [figure for figure in of_items if figure is not None],
    }


def _is_worth_a_curve(metric: Metric) -> bool:
    """Return whether a metric is one of hits alone, whose value by length of list says something."""
    kind = metric.kind
    return isinstance(kind, ListMetric) and not metric.is_gap and Need.HISTORY not in kind.needs


def _users(measured: Mapping[str, Measurements]) -> Int64Array:
    """Return the users of whom there is a value, of lists or of errors."""
    for at in measured.values():
        if len(at.users):
            return at.users
        if at.entry_errors is not None:
            return at.entry_errors.users[at.entry_errors.users >= 0]
    return np.zeros(0, dtype=np.int64)
