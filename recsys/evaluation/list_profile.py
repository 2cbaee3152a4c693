"""What a fitted model's lists look like: its metrics by list length, and which items the lists hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows
from recsys.evaluation.accumulator import MetricAccumulator
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import rankable
from recsys.evaluation.metrics import parse_metrics
from recsys.models.scorer import Scorer
from recsys.progress import SILENT, Progress, task
from recsys.recommend.filling import shown_blocks
from recsys.typing import BoolArray, Float64Array, Int64Array

LENGTHS = (1, 2, 3, 5, 10, 20, 30, 50)
"""List lengths k of the curves."""


@dataclass(frozen=True, eq=False)
class ListProfile:
    """What the lists of a model look like.

    Attributes
    ----------
    curves : mapping of str to mapping of int to float
        Metrics by list length, where they have a value.
    coverage : float
        Share of the catalogue that is in somebody's list.
    popularity : float
        Mean over all list positions of the share of training users who have the item listed there.
    group_shares : float64, (n_groups,)
        How the list positions are shared out among groups of items.
    group_recall : float64, (n_groups,)
        Share of the held-out pairs of each group that is listed; NaN without any.
    """

    curves: Mapping[str, Mapping[int, float]]
    coverage: float
    popularity: float
    group_shares: Float64Array
    group_recall: Float64Array


def profile_lists(
    model: Scorer,
    seen: CompressedRows,
    held_out: HeldOut,
    *,
    metrics: Sequence[str],
    k: int,
    catalogue: Catalogue,
    item_groups: Int64Array,
    progress: Progress = SILENT,
) -> ListProfile:
    """Rank all unseen items for the users with held-out items, and describe the lists.

    Parameters
    ----------
    model : Scorer
        Fitted.
    seen : CompressedRows, (n_users, n_items)
    held_out : HeldOut
    metrics : sequence of str
        Names of the metrics whose curves are wanted, e.g. "ndcg".
    k : int
        Length of the lists that coverage, popularity and the groups of items are of.
    catalogue : Catalogue
        What training says of the items.
    item_groups : int64, (n_items,)
        Number of each item's group, from 0.
    progress : Progress
    """
    n_items = seen.n_columns
    lengths = sorted({*(length for length in LENGTHS if length <= n_items), min(k, n_items)})
    asked = parse_metrics([f"{metric}@{length}" for metric in metrics for length in lengths])
    users = rankable(seen, held_out)
    accumulator = MetricAccumulator(asked, users, held_out, catalogue=catalogue, seen=seen)
    held_out_keys = held_out.by_user.row_numbers * n_items + held_out.by_user.columns  # ascending
    n_listed, n_hits = np.zeros(n_items, dtype=np.int64), np.zeros(n_items, dtype=np.int64)
    with task(progress, f"describe the lists of {model.name}", len(users)) as running:
        for block in shown_blocks(model, users, lengths[-1], seen, catalogue.shown_counts):
            accumulator.update(block.users, block.items, block.n_listed)
            row_lengths = np.minimum(block.n_listed, k)
            is_listed = np.arange(min(k, n_items)) < row_lengths[:, None]
            items = block.items[:, :k][is_listed].astype(np.int64)
            n_listed += np.bincount(items, minlength=n_items)
            keys = np.repeat(block.users, row_lengths) * n_items + items
            n_hits += np.bincount(items[_is_in(keys, held_out_keys)], minlength=n_items)
            running.advance(len(block.users))
    measured, _ = accumulator.compute()
    n_held_out = np.bincount(held_out.by_user.columns, minlength=n_items)
    n_positions = max(1, int(n_listed.sum()))
    return ListProfile(
        curves={metric: _known(measured, metric, lengths) for metric in metrics},
        coverage=float(np.mean(n_listed > 0)),
        popularity=float(n_listed @ catalogue.popularity) / n_positions,
        group_shares=_by_group(n_listed, item_groups) / n_positions,
        group_recall=_ratio(_by_group(n_hits, item_groups), _by_group(n_held_out, item_groups)),
    )


def held_out_shares(held_out: HeldOut, item_groups: Int64Array) -> Float64Array:
    """Return how the held-out pairs are shared out among groups of items, (n_groups,)."""
    n_held_out = np.bincount(held_out.by_user.columns, minlength=len(item_groups))
    return _by_group(n_held_out, item_groups) / max(1, int(n_held_out.sum()))


def _known(measured: Mapping[str, float | None], metric: str, lengths: Sequence[int]) -> dict[int, float]:
    values = {length: measured[f"{metric}@{length}"] for length in lengths}
    return {length: value for length, value in values.items() if value is not None}


def _is_in(keys: Int64Array, ordered: Int64Array) -> BoolArray:
    if len(ordered) == 0:
        return np.zeros(len(keys), dtype=np.bool_)
    nearest = np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)
    return np.asarray(ordered[nearest] == keys)


def _by_group(counts: Int64Array, item_groups: Int64Array) -> Float64Array:
    return np.bincount(item_groups, weights=counts).astype(np.float64)


def _ratio(part: Float64Array, whole: Float64Array) -> Float64Array:
    ratio: Float64Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
