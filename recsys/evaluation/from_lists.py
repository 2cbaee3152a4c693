"""Measure lists that were made elsewhere: no model is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from recsys.data.held_out import HeldOut
from recsys.data.ids import Ids, encode
from recsys.data.interactions import Interactions
from recsys.data.labels import Labels, UserGroups
from recsys.data.log import Feedback, Log
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.evaluation.accumulator import MetricAccumulator
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.given_lists import GivenLists, check_columns, check_gaps, ids_in, with_more_ids
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import Metric, parse_metrics
from recsys.evaluation.wording import counted
from recsys.kernels.given_lists import lay_out
from recsys.kernels.hits import find_hits
from recsys.progress import SILENT, Progress, task
from recsys.recommend.ranking import BLOCK_BYTES
from recsys.remarks import Remark, RemarkCode
from recsys.typing import BoolArray, Int64Array

_PLACE_BYTES = 32
"""Of a place: item, held-out entry, mark and gain, and what a metric takes on top while it is measured."""
_USER_BYTES = 128
"""Of a user: row, lengths, and counts and values that metrics of a block share."""


def evaluate_lists(
    lists: pd.DataFrame,
    held_out: pd.DataFrame,
    metrics: str | Sequence[Metric],
    *,
    train: Interactions | None = None,
    categories: Labels | None = None,
    groups: UserGroups | None = None,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress = SILENT,
) -> Measurements:
    """Measure lists of any recommender against what was held out.

    Parameters
    ----------
    lists : DataFrame
        Columns ``user``, ``item`` and ``rank`` or ``score``, as `Recommendations.to_frame` gives.
    held_out : DataFrame
        Columns ``user``, ``item`` and perhaps ``value``; repeats of a pair keep the last value. Where
        ``train`` is a log of amounts, a pair of amount 0 was not taken and is left out.
    metrics : str or sequence of Metric
        E.g. "ndcg@10,recall@10,coverage@10".
    train : Interactions, optional
        Pairs that also stand there are set aside. Metrics of popularity, categories and histories
        need it, and coverage is then over its items.
    categories : Labels, optional
        Categories of the items of ``train``.
    groups : UserGroups, optional
        Of the users of ``train``, for gaps; by default quarters by activity.
    block_bytes, progress
        See `measure_lists`.

    Returns
    -------
    Measurements
        Over all users with held-out items: one without a list counts with an empty one, unless
        training does not know the user either. Unlike by `evaluate`, a user unknown to training is
        measured where there is a list: somebody made it. What is odd about the lists stands in the remarks.

    Raises
    ------
    InputError
        If a column is missing or cannot be used (see `GivenLists.from_frame`), or nothing is held out.
    """
    missing = [name for name in ("user", "item") if name not in held_out.columns]
    if missing:
        raise InputError(f"what is held out has no column {missing[0]!r}; expected 'user' and 'item'.")
    if len(held_out) == 0:
        raise InputError("nothing is held out; there is nothing to measure.")
    check_columns(lists)
    log = _log(held_out, "explicit" if train is None else train.feedback)
    data = train
    if data is None:
        items = _all_items(lists, log)
        no_entries = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
        nothing = CompressedRows(np.zeros(len(log.user_ids) + 1, dtype=np.int64), *no_entries, len(items))
        data = Interactions(nothing, log.user_ids, items, "explicit")
    n_items, n_users = data.n_items, data.n_users
    data = with_more_ids(data, log.user_ids, log.item_ids)
    by_row = GivenLists.from_frame(lists, data.user_ids, data.item_ids)
    pairs = HeldOut.from_log(log, None, data, duplicates="last")
    if train is None:
        return measure_lists(
            by_row, pairs, metrics, groups=groups, block_bytes=block_bytes, progress=progress
        )
    catalogue = Catalogue(data.by_user, None if categories is None else categories.padded(data.n_items))
    if groups is not None:
        nobody = np.full(data.n_users - n_users, -1)
        groups = UserGroups(np.r_[groups.of_user, nobody], groups.names)
    return measure_lists(
        by_row,
        pairs,
        metrics,
        seen=data.by_user,
        catalogue=catalogue,
        groups=groups,
        n_catalogue=n_items,
        block_bytes=block_bytes,
        progress=progress,
    )


def measure_lists(
    lists: GivenLists,
    held_out: HeldOut,
    metrics: str | Sequence[Metric],
    *,
    seen: CompressedRows | None = None,
    catalogue: Catalogue | None = None,
    groups: UserGroups | None = None,
    n_catalogue: int | None = None,
    block_bytes: int = BLOCK_BYTES,
    progress: Progress = SILENT,
) -> Measurements:
    """Measure lists that are already row numbers; the fast way in for many users.

    Parameters
    ----------
    lists : GivenLists
        One list, perhaps empty, for each user of ``held_out``.
    held_out : HeldOut
    metrics : str or sequence of Metric
    seen : CompressedRows, (n_users, n_items), optional
        The training pattern.
    catalogue, groups
        See `recsys.evaluation.evaluator.evaluate`.
    n_catalogue : int, optional
        Items, the first so many, that coverage and Gini index are over.
    block_bytes : int
        Bound on the memory of a block of lists; one user at a time is the least.
    progress : Progress

    Raises
    ------
    InputError
        If nothing is held out, or the lists are not of as many users.
    ParameterError
        If ``block_bytes`` is below 1.
    """
    began = time.perf_counter()
    asked = parse_metrics(metrics) if isinstance(metrics, str) else tuple(metrics)
    n_users = held_out.by_user.n_rows
    if len(lists.lengths) != n_users:
        raise InputError(f"there are lists of {len(lists.lengths):,} users; expected {n_users:,}.")
    if block_bytes < 1:
        raise ParameterError(f"block_bytes is {block_bytes}; expected 1 or more.")
    has_held_out, has_list = held_out.n_held_out > 0, lists.lengths > 0
    is_known = np.ones(n_users, dtype=bool) if seen is None else seen.counts > 0
    users = np.flatnonzero(has_held_out & (has_list | is_known))
    if len(users) == 0:
        raise InputError("no user with a list has a held-out item that is not also in training.")
    accumulator = MetricAccumulator(
        asked,
        users,
        held_out,
        catalogue=Catalogue(held_out.by_user) if catalogue is None else catalogue,
        seen=seen,
        groups=groups,
        n_catalogue=n_catalogue,
        has_scores=False,
    )
    n_repeated, n_seen = _measure(lists, users, accumulator, seen, block_bytes, progress)
    values, group_means = accumulator.compute()
    remarks = [
        *(
            Remark(RemarkCode.ABOUT_LISTS, text)
            for text in (
                *lists.remarks,
                *_on_users(has_held_out, has_list, is_known),
                *_on_places(n_repeated, n_seen, asked, int(lists.lengths.max(initial=0))),
            )
        ),
        *accumulator.remarks,
    ]
    errors = [str(metric) for metric in asked if metric.is_error]
    if errors:
        need = "needs" if len(errors) == 1 else "need"
        text = f"{' and '.join(errors)} {need} predicted values, and lists hold none."
        remarks.append(Remark(RemarkCode.PREDICTS_NO_VALUES, text))
    return Measurements(
        metrics={str(metric): values.get(str(metric)) for metric in asked},
        per_user=accumulator.per_user,
        users=users,
        n_users=len(users),
        n_pairs=held_out.n_pairs,
        seconds=time.perf_counter() - began,
        remarks=tuple(remarks),
        groups=group_means,
    )


def _all_items(lists: pd.DataFrame, log: Log) -> Ids:
    """Return listed and held-out items, sorted: a tie must not fall to an item because it is held out."""
    if len(lists) == 0:
        return log.item_ids
    _, listed = encode(ids_in(lists, "item", "the lists"))
    joined, _ = log.item_ids.union(listed)
    return encode(joined.values)[1]


def _measure(
    lists: GivenLists,
    users: Int64Array,
    accumulator: MetricAccumulator,
    seen: CompressedRows | None,
    block_bytes: int,
    progress: Progress,
) -> tuple[int, int]:
    """Measure the lists; return how many positions hold a repeat, and a seen item."""
    width = max(1, min(accumulator.width, int(lists.lengths.max(initial=0))))
    step = max(1, block_bytes // (_PLACE_BYTES * width + _USER_BYTES))
    n_repeated = n_seen = 0
    with task(progress, "measure lists", len(users)) as running:
        for start in range(0, len(users), step):
            rows = users[start : start + step]
            items = np.empty((len(rows), width), dtype=np.int32)
            n_listed, repeated = np.empty((2, len(rows)), dtype=np.int64)
            lay_out(rows, lists.indptr, lists.items, items, n_listed, repeated)
            n_repeated += int(repeated.sum())
            if seen is not None:
                entries = np.empty(items.shape, dtype=np.int64)
                find_hits(items, n_listed, rows, seen.indptr, seen.columns, entries)
                n_seen += int(np.count_nonzero(entries >= 0))
                del entries  # before the metrics take as much
            accumulator.update(rows, items, n_listed)
            running.advance(len(rows))
    return n_repeated, n_seen


def _on_users(has_held_out: BoolArray, has_list: BoolArray, is_known: BoolArray) -> list[str]:
    remarks = []
    n_empty = int(np.count_nonzero(has_held_out & ~has_list & is_known))
    n_cold = int(np.count_nonzero(has_held_out & ~has_list & ~is_known))
    n_idle = int(np.count_nonzero(has_list & ~has_held_out))
    if n_empty:
        who = counted(
            n_empty,
            "user has held-out items and no list; it counts",
            "users have held-out items and no list; they count",
        )
        remarks.append(f"{who} as missed.")
    if n_cold:
        who = counted(n_cold, "user has", "users have")
        remarks.append(f"{who} held-out items, but neither training items nor a list.")
    if n_idle:
        what = counted(n_idle, "list is of a user", "lists are of users")
        remarks.append(f"{what} without held-out items, and {'is' if n_idle == 1 else 'are'} not measured.")
    return remarks


def _on_places(n_repeated: int, n_seen: int, asked: Sequence[Metric], longest: int) -> list[str]:
    remarks = []
    if n_repeated:
        what = counted(n_repeated, "place repeats", "places repeat")
        remarks.append(f"{what} an item of the same list; the first one counts, a repeat hits nothing.")
    if n_seen:
        what = counted(n_seen, "place holds an item", "places hold items")
        remarks.append(f"{what} that the user has in training, which is no hit.")
    beyond = max((metric.k for metric in asked if metric.k is not None), default=0)
    if beyond > longest:
        remarks.append(
            f"no list has more than {counted(longest, 'place', 'places')}, so that those from there to "
            f"{beyond:,} are empty."
        )
    return remarks


def _log(held_out: pd.DataFrame, feedback: Feedback) -> Log:
    check_gaps(held_out, "what is held out has")
    users, user_ids = encode(ids_in(held_out, "user", "what is held out"))
    items, item_ids = encode(ids_in(held_out, "item", "what is held out"))
    values = np.ones(len(users))
    if "value" in held_out.columns:
        try:
            values = held_out["value"].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise InputError(f"the held-out column 'value' holds no numbers: {error}.") from None
        if not np.isfinite(values).all():
            raise InputError("a held-out value is missing or not finite; expected a number for each.")
        if feedback == "implicit" and (values < 0).any():
            raise InputError("a held-out amount is negative; expected 0 or more.")
    return Log(users.astype(np.int32), items.astype(np.int32), values, user_ids, item_ids, feedback)
