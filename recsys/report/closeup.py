"""A second look at a fitted model: its metric place by place, and which items its lists are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.rows import CompressedRows
from recsys.evaluate.accumulator import MetricAccumulator
from recsys.evaluate.catalogue import Catalogue
from recsys.evaluate.evaluator import rankable
from recsys.evaluate.metrics import parse_metrics
from recsys.models.base import Model
from recsys.progress import SILENT, Progress, task
from recsys.recommend.ranking import ranked_blocks
from recsys.report.groups import Groups
from recsys.typing import BoolArray, Float64Array, Int64Array

PLACES = (1, 2, 3, 5, 10, 20, 30, 50)


@dataclass(frozen=True, eq=False)
class Closeup:
    """What a second look found.

    Attributes
    ----------
    curves : mapping of str to mapping of int to float
        Metrics by length of list, where they have a value.
    coverage : float
        Share of the catalogue that stands in somebody's list.
    popularity : float
        Mean over all places of the share of training users who have the item listed there.
    places : float64, (n_groups,)
        How the places of the lists are shared out among groups of items.
    recall : float64, (n_groups,)
        Found share of the held-out pairs of each group; NaN without any.
    """

    curves: Mapping[str, Mapping[int, float]]
    coverage: float
    popularity: float
    places: Float64Array
    recall: Float64Array


def look_closer(
    model: Model,
    seen: CompressedRows,
    held_out: HeldOut,
    *,
    metrics: Sequence[str],
    k: int,
    catalogue: Catalogue,
    items: Groups,
    progress: Progress = SILENT,
) -> Closeup:
    """Rank once more and look at what stands in the lists.

    Parameters
    ----------
    model : Model
        Fitted.
    seen : CompressedRows, (n_users, n_items)
    held_out : HeldOut
    metrics : sequence of str
        Names of the metrics whose curves are wanted, e.g. "ndcg".
    k : int
        Length of the lists that are looked at.
    catalogue : Catalogue
        What training tells of the items.
    items : Groups
        Of the items.
    progress : Progress
    """
    n_items = seen.n_columns
    lengths = sorted({*(place for place in PLACES if place <= n_items), min(k, n_items)})
    asked = parse_metrics([f"{metric}@{length}" for metric in metrics for length in lengths])
    users = rankable(seen, held_out)
    accumulator = MetricAccumulator(asked, users, held_out, catalogue=catalogue, seen=seen)
    wanted = held_out.by_user.row_numbers * n_items + held_out.by_user.columns  # ascending
    listed, found = np.zeros(n_items, dtype=np.int64), np.zeros(n_items, dtype=np.int64)
    with task(progress, f"look closer at {model.name}", len(users)) as running:
        for block in ranked_blocks(model, users, lengths[-1], seen):
            accumulator.update(block.users, block.items, block.n_listed)
            lengths_of = np.minimum(block.n_listed, k)
            chosen = block.items[:, :k][np.arange(min(k, n_items)) < lengths_of[:, None]].astype(np.int64)
            listed += np.bincount(chosen, minlength=n_items)
            pairs = np.repeat(block.users, lengths_of) * n_items + chosen
            found += np.bincount(chosen[_is_in(pairs, wanted)], minlength=n_items)
            running.advance(len(block.users))
    measured, _ = accumulator.compute()
    held = np.bincount(held_out.by_user.columns, minlength=n_items)
    n_places = max(1, int(listed.sum()))
    return Closeup(
        curves={metric: _known(measured, metric, lengths) for metric in metrics},
        coverage=float(np.mean(listed > 0)),
        popularity=float(listed @ catalogue.popularity) / n_places,
        places=_summed(listed, items) / n_places,
        recall=_ratio(_summed(found, items), _summed(held, items)),
    )


def _known(measured: Mapping[str, float | None], metric: str, lengths: Sequence[int]) -> dict[int, float]:
    values = {length: measured[f"{metric}@{length}"] for length in lengths}
    return {length: value for length, value in values.items() if value is not None}


def held_out_shares(held_out: HeldOut, items: Groups) -> Float64Array:
    """Return how the held-out pairs are shared out among groups of items, (n_groups,)."""
    held = np.bincount(held_out.by_user.columns, minlength=len(items.of))
    return _summed(held, items) / max(1, int(held.sum()))


def _is_in(keys: Int64Array, ordered: Int64Array) -> BoolArray:
    at = np.minimum(np.searchsorted(ordered, keys), max(0, len(ordered) - 1))
    return np.asarray(ordered[at] == keys) if len(ordered) else np.zeros(len(keys), dtype=np.bool_)


def _summed(counts: Int64Array, groups: Groups) -> Float64Array:
    summed: Float64Array = np.bincount(groups.of, weights=counts, minlength=len(groups)).astype(np.float64)
    return summed


def _ratio(part: Float64Array, whole: Float64Array) -> Float64Array:
    ratio: Float64Array = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio
