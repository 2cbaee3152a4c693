"""Score, rank and measure, block by block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeAlias

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.labels import UserGroups
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.accumulator import MetricAccumulator
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.definitions import ErrorMetric
from recsys.evaluation.entry_errors import EntryErrors, errors_of
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric
from recsys.models.scorer import Scorer
from recsys.progress import SILENT, Progress, task
from recsys.recommend.filling import shown_blocks
from recsys.recommend.ranking import BLOCK_BYTES
from recsys.recommend.restriction import Restriction
from recsys.remarks import Remark, RemarkCode
from recsys.typing import Float32Array, Int64Array

__all__ = ["Measurements", "evaluate"]


def evaluate(
    model: Scorer,
    seen: CompressedRows,
    held_out: HeldOut,
    metrics: Sequence[Metric],
    *,
    catalogue: Catalogue | None = None,
    groups: UserGroups | None = None,
    block_bytes: int = BLOCK_BYTES,
    rules: Restriction | None = None,
    progress: Progress = SILENT,
) -> Measurements:
    """Measure a fitted model on held-out pairs; all unseen items are ranked, none are sampled.

    Lists are those that `Bundle.recommend` shows: where a model has no score for an item, what is popular
    fills the place.

    Parameters
    ----------
    model : Scorer
    seen : CompressedRows, (n_users, n_items)
        The training pattern.
    held_out : HeldOut
    metrics : sequence of Metric
        Users without held-out items or without training items are not averaged.
    catalogue : Catalogue, optional
        What is known of the items, as their categories; by default what ``seen`` tells.
    groups : UserGroups, optional
        Groups whose means a gap compares; by default quarters by activity.
    block_bytes : int
        Bound on the memory of a block of scores with its lists; one user at a time is the least.
    rules : Restriction, optional
        What lists keep to; a held-out item that may not be listed counts as missed.
    progress : Progress

    Raises
    ------
    InputError
        If nobody has both training and held-out items, or nothing is held out.
    ParameterError
        If ``block_bytes`` is below 1.
    ModelError
        If a score or a predicted value is not finite.
    """
    began = time.perf_counter()
    if held_out.n_pairs == 0:
        zero = f"; {held_out.n_zero:,} held-out pairs have an amount of 0" if held_out.n_zero else ""
        raise InputError(
            f"nothing is held out that is not also in training{zero}; there is nothing to measure."
        )
    if block_bytes < 1:
        raise ParameterError(f"block_bytes is {block_bytes}; expected 1 or more.")
    catalogue = Catalogue(seen) if catalogue is None else catalogue
    ranked = [metric for metric in metrics if not metric.is_error]
    users = rankable(seen, held_out) if ranked else np.zeros(0, dtype=np.int64)
    accumulator = MetricAccumulator(
        metrics,
        users,
        held_out,
        catalogue=catalogue,
        seen=seen,
        groups=groups,
    )
    if ranked:
        if len(users) == 0:
            raise InputError(
                f"no user has both training and held-out items ({held_out.n_cold_users:,} held-out users are "
                f"not known to training); choose another split, or check that ids are written alike in both "
                f"logs."
            )
        _ranking.get()(model, seen, accumulator, catalogue.shown_counts, block_bytes, rules, progress)
    values, group_means = accumulator.compute()
    remarks = [*accumulator.remarks, *_too_long(ranked, model.n_items_)]
    if ranked and getattr(model, "ranks_by_value", False):  # an object of one's own need not say
        remarks.append(Remark(RemarkCode.RANKS_BY_VALUE, RANKS_BY_VALUE, subject=model.name))

    asked_errors = {metric.name: metric.kind for metric in metrics if isinstance(metric.kind, ErrorMetric)}
    entry_errors = None
    if asked_errors and model.predicts_values:
        predicted = _predicted(model, held_out)
        errors = {
            name: errors_of(metric, predicted, held_out.values) for name, metric in asked_errors.items()
        }
        entry_errors = EntryErrors.of(errors, held_out)
        for name, metric in asked_errors.items():
            values[name] = float(metric.of_mean(np.mean(errors[name])))
    elif asked_errors:
        text = f"ranks items but predicts no values, so it has no {' or '.join(asked_errors)}."
        remarks.append(Remark(RemarkCode.PREDICTS_NO_VALUES, text, subject=model.name))
        values.update(dict.fromkeys(asked_errors))

    return Measurements(
        metrics={str(metric): values[str(metric)] for metric in metrics},
        per_user=accumulator.per_user,
        users=users,
        n_users=len(users) if ranked else int(np.count_nonzero(held_out.n_held_out)) + held_out.n_cold_users,
        n_pairs=held_out.n_pairs,
        seconds=time.perf_counter() - began,
        remarks=tuple(remarks),
        groups=group_means,
        entry_errors=entry_errors,
    )


RANKS_BY_VALUE = (
    "predicts ratings, and lists in the order of predicted ratings are poor: what few people rated high "
    "comes first. For lists take a model that ranks, such as hybrid-nmf."
)


def rankable(seen: CompressedRows, held_out: HeldOut) -> Int64Array:
    """Return the users whose lists are measured: those with both training and held-out items."""
    return np.flatnonzero((held_out.n_held_out > 0) & (seen.counts > 0))


def _predicted(model: Scorer, held_out: HeldOut) -> Float32Array:
    predicted = model.predict_by_row(held_out.users, held_out.items)
    bad = ~np.isfinite(predicted)
    if bad.any():
        first = int(np.argmax(bad))
        raise ModelError(
            f"{model.name} predicted a value that is not finite for user row {held_out.users[first]} and "
            f"item row {held_out.items[first]} ({int(bad.sum()):,} of {len(bad):,} held-out pairs)."
        )
    return predicted


def rank(
    model: Scorer,
    seen: CompressedRows,
    accumulator: MetricAccumulator,
    shown_counts: Int64Array,
    block_bytes: int,
    rules: Restriction | None,
    progress: Progress,
) -> None:
    """Rank the users of an accumulator block by block, and measure each block.

    ``shown_counts`` is how popular items are, (n_items,): what places without a score are filled by.
    """
    n_items, keep_scores = model.n_items_, accumulator.needs_scores
    width = min(accumulator.width, n_items)
    # A row holds its scores, twice if they are kept for a metric while the next block is scored, and
    # for each position an item, a score, a held-out entry, a mark and a gain.
    row_bytes = 4 * n_items * (1 + keep_scores) + 21 * width
    scores_bytes = max(1, block_bytes * 4 * n_items // row_bytes)
    with task(progress, f"evaluate {model.name}", len(accumulator.users)) as running:
        blocks = shown_blocks(
            model,
            accumulator.users,
            width,
            seen,
            shown_counts,
            block_bytes=scores_bytes,
            keep_scores=keep_scores,
            rules=rules,
        )
        for block in blocks:
            accumulator.update(block.users, block.items, block.n_listed, block.unseen_scores)
            running.advance(len(block.users))


Ranking: TypeAlias = Callable[
    [Scorer, CompressedRows, MetricAccumulator, Int64Array, int, Restriction | None, Progress], None
]
"""Ranks and measures the users of an accumulator, as `rank` does."""
_ranking: ContextVar[Ranking] = ContextVar("recsys_ranking", default=rank)


@contextmanager
def ranking_by(ranking: Ranking) -> Iterator[None]:
    """Let evaluations inside the body rank and measure by something else than this process."""
    token = _ranking.set(ranking)
    try:
        yield
    finally:
        _ranking.reset(token)


def _too_long(ranked: Sequence[Metric], n_items: int) -> list[Remark]:
    """Return a remark for each length beyond the number of items."""
    beyond = sorted({metric.k for metric in ranked if metric.k is not None and metric.k > n_items})
    return [
        Remark(
            RemarkCode.LONGER_THAN_CATALOGUE,
            f"the catalogue has only {n_items:,} items, so that the places from there to {k:,} stay empty.",
        )
        for k in beyond
    ]
