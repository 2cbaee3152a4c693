"""Score, rank and measure, block by block."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys import threads
from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.evaluate.metrics import CATALOGUE, ERRORS, PER_USER, Metric
from recsys.evaluate.metrics.coverage import coverage
from recsys.kernels.hits import mark_hits
from recsys.models.base import Model
from recsys.progress import SILENT, Progress, task
from recsys.recommend.ranking import BLOCK_BYTES, ranked_blocks
from recsys.typing import BoolArray, Float64Array, Int64Array


@dataclass(frozen=True, eq=False)
class Measurements:
    """What was measured of one model on one split.

    Attributes
    ----------
    metrics : mapping of str to float or None
        In the order asked for; None where the model cannot answer (see ``remarks``).
    per_user : mapping of str to float64, (n_users,)
        Values of the per-user metrics.
    users : int64, (n_users,)
        Row numbers of the users measured: those with training and held-out items.
    n_users : int
        How many were averaged; without ranking metrics, how many have held-out entries, users
        unknown to training among them.
    n_pairs : int
        Held-out entries behind rmse and mae.
    seconds : float
        Time of scoring, ranking and measuring.
    remarks : tuple of str
    """

    metrics: Mapping[str, float | None]
    per_user: Mapping[str, Float64Array]
    users: Int64Array
    n_users: int
    n_pairs: int
    seconds: float
    remarks: tuple[str, ...]


def evaluate(
    model: Model,
    seen: CompressedRows,
    held_out: HeldOut,
    metrics: Sequence[Metric],
    *,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress = SILENT,
) -> Measurements:
    """Measure a fitted model on held-out pairs; all unseen items are ranked, none are sampled.

    Parameters
    ----------
    model : Model
    seen : CompressedRows, (n_users, n_items)
        The training pattern.
    held_out : HeldOut
    metrics : sequence of Metric
        Users without held-out items or without training items are not averaged.
    block_bytes : int
        Bound on the memory of a block of scores.
    progress : Progress

    Raises
    ------
    InputError
        If nobody has both training and held-out items, or nothing is held out.
    """
    began = time.perf_counter()
    if held_out.n_pairs == 0:
        raise InputError("nothing is held out that is not also in training; there is nothing to measure.")
    ranked = [metric for metric in metrics if metric.k is not None]
    users = np.flatnonzero(held_out.n_held_out > 0) if ranked else np.zeros(0, dtype=np.int64)
    results: dict[str, float | None] = {}
    per_user: dict[str, Float64Array] = {}
    remarks: list[str] = []

    if ranked:
        if len(users) == 0:
            raise InputError("no user has both training and held-out items; choose another split.")
        longest = max(metric.k for metric in ranked if metric.k is not None)
        hits, best_place = _hits(model, seen, held_out, users, longest, block_bytes, progress)
        counts = held_out.n_held_out[users]
        for metric in ranked:
            assert metric.k is not None
            if metric.name in CATALOGUE:
                results[str(metric)] = coverage(best_place, metric.k)
            else:
                per_user[str(metric)] = PER_USER[metric.name](hits, counts, metric.k)
                results[str(metric)] = float(np.mean(per_user[str(metric)]))

    errors = [metric for metric in metrics if metric.k is None]
    if errors and model.predicts_values:
        predicted = model.predict(held_out.users, held_out.items)
        for metric in errors:
            results[str(metric)] = ERRORS[metric.name](predicted, held_out.values)
    elif errors:
        remarks.append(f"{model.name} ranks items but predicts no values, so it has no rmse or mae.")
        results.update({str(metric): None for metric in errors})

    return Measurements(
        metrics={str(metric): results[str(metric)] for metric in metrics},
        per_user=per_user,
        users=users,
        n_users=len(users) if ranked else int(np.count_nonzero(held_out.n_held_out)) + held_out.n_cold_users,
        n_pairs=held_out.n_pairs,
        seconds=time.perf_counter() - began,
        remarks=tuple(remarks),
    )


def _hits(
    model: Model,
    seen: CompressedRows,
    held_out: HeldOut,
    users: Int64Array,
    longest: int,
    block_bytes: int,
    progress: Progress,
) -> tuple[BoolArray, Int64Array]:
    """Return the marks of all lists and the best place of each item."""
    width = min(longest, model.n_items_)
    hits = np.zeros((len(users), width), dtype=np.bool_)
    best_place = np.full(model.n_items_, np.iinfo(np.int64).max)
    done = 0
    with task(progress, f"evaluate {model.name}", len(users)) as running:
        for block in ranked_blocks(model, users, width, seen, block_bytes=block_bytes):
            part = hits[done : done + len(block.users)]
            with threads.launch():
                mark_hits(
                    block.items,
                    block.n_listed,
                    block.users,
                    held_out.by_user.indptr,
                    held_out.by_user.columns,
                    part,
                )
            for place in range(width):
                listed = block.items[block.n_listed > place, place]
                best_place[listed] = np.minimum(best_place[listed], place)
            done += len(block.users)
            running.advance(len(block.users))
    return hits, best_place
