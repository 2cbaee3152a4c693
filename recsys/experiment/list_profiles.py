"""Which fitted models of a comparison have their lists described, and how."""

from __future__ import annotations

from collections.abc import Sequence

from recsys.evaluation.list_profile import ListProfile, profile_lists
from recsys.evaluation.metrics import ListMetric, Metric, Need, parse_metric
from recsys.experiment.prepared_split import PreparedSplit
from recsys.experiment.result import Result
from recsys.progress import SILENT, Progress
from recsys.report.groups import by_popularity

_ALWAYS = ("ndcg", "recall", "precision")


def list_length(metric: str | None, n_items: int) -> int | None:
    """Return the k of a metric with a curve, at most the number of items; None for any other metric."""
    asked = None if metric is None else parse_metric(metric)
    if asked is None or asked.k is None or not _has_curve(asked):
        return None
    return min(asked.k, n_items)


def _has_curve(metric: Metric) -> bool:
    """Return whether a metric is one of hits alone, whose value by list length is worth a curve."""
    kind = metric.kind
    return isinstance(kind, ListMetric) and not metric.is_gap and Need.HISTORY not in kind.needs


def profile_models(
    prepared: PreparedSplit, results: Sequence[Result], metric: str | None, *, progress: Progress = SILENT
) -> dict[str, ListProfile]:
    """Describe the lists of each model at hand that has a value of the main metric.

    Parameters
    ----------
    prepared : PreparedSplit
        The first, if there are several; models at hand are those of it.
    results : sequence of Result
        The best first.
    metric : str or None
        The one that puts models in order; without a curve of it there are no profiles.
    progress : Progress

    Returns
    -------
    dict of label to ListProfile
    """
    k = list_length(metric, prepared.train.n_items)
    if metric is None or k is None:
        return {}
    curves = list(dict.fromkeys([parse_metric(metric).name, *_ALWAYS]))
    item_groups = by_popularity(prepared.train.item_counts).of
    profiles = {}
    for result in results:
        measured = result.on_first_split
        if measured is None or measured.metrics[metric] is None or result.model is None:
            continue
        profiles[result.label] = profile_lists(
            prepared.scorer_for(result.model),
            prepared.seen,
            prepared.held_out,
            metrics=curves,
            k=k,
            catalogue=prepared.catalogue,
            item_groups=item_groups,
            progress=progress,
        )
    return profiles
