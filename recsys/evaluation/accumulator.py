"""Accumulates metrics of lists block by block; of a block, only a number per metric and user is kept."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.labels import UserGroups
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.gap import GroupMean, gap, group_means
from recsys.evaluation.list_block import ListBlock, descending_values
from recsys.evaluation.metrics import CatalogueMetric, ListMetric, Metric, Need, ScoreMetric
from recsys.remarks import Remark, RemarkCode
from recsys.typing import AnyArray, Float32Array, Float64Array, Int32Array, Int64Array

_EXPOSURE = "exposure@"


class MetricAccumulator:
    """Metrics of lists, accumulated over blocks of users.

    Parameters
    ----------
    metrics : sequence of Metric
        Errors of predicted values are ignored.
    users : int64, (n_users,)
        The users whom the blocks will bring, in this order; each has a held-out item.
    held_out : HeldOut
    catalogue : Catalogue
    seen : CompressedRows or None
        Histories; None where they are not known.
    groups : UserGroups or None
        For gaps; None: quarters by activity.
    n_catalogue : int
        Items, the first so many, that coverage and Gini index are over.
    has_scores : bool
        Whether blocks bring scores.

    Attributes
    ----------
    needs_scores : bool
    width : int
        Positions of a list that are looked at.
    """

    def __init__(
        self,
        metrics: Sequence[Metric],
        users: Int64Array,
        held_out: HeldOut,
        *,
        catalogue: Catalogue,
        seen: CompressedRows | None,
        groups: UserGroups | None = None,
        n_catalogue: int | None = None,
        has_scores: bool = True,
    ) -> None:
        self.users, self.held_out = users, held_out
        self.catalogue, self.seen = catalogue, seen
        self.groups = groups
        self.n_catalogue = catalogue.n_items if n_catalogue is None else n_catalogue
        self.remarks: list[Remark] = []
        self._asked = [metric for metric in metrics if not metric.is_error]
        self._answered = [metric for metric in self._asked if self._can_answer(metric, has_scores)]
        bases = list(dict.fromkeys(metric.base for metric in self._answered))
        self._of_users = [metric for metric in bases if not isinstance(metric.kind, CatalogueMetric)]
        self.per_user: dict[str, Float64Array] = {
            str(metric): np.empty(len(users)) for metric in self._of_users
        }
        cuts = {metric.k for metric in bases if isinstance(metric.kind, CatalogueMetric)}
        self._exposure = {
            k: np.zeros(self.n_catalogue, dtype=np.int64) for k in sorted(k for k in cuts if k is not None)
        }
        needs = {need for m in bases if isinstance(m.kind, ListMetric) for need in m.kind.needs}
        self._largest = descending_values(held_out) if Need.SORTED_VALUES in needs else None
        self.needs_scores = any(isinstance(metric.kind, ScoreMetric) for metric in bases)
        self.width = max((metric.k for metric in bases if metric.k is not None), default=1)
        self._partly: dict[int, list[str]] = {}
        self._n_done = 0

    def part(self, users: Int64Array) -> MetricAccumulator:
        """Return an accumulator of the same metrics for some of the users, to be merged into this one."""
        part = copy.copy(self)
        part.users, part._n_done = users, 0
        part.per_user = {name: np.empty(len(users)) for name in self.per_user}
        part._exposure = {k: np.zeros_like(exposure) for k, exposure in self._exposure.items()}
        return part

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return what `merge` takes, by name."""
        exposures = {f"{_EXPOSURE}{k}": exposure for k, exposure in self._exposure.items()}
        return {**self.per_user, **exposures}

    def merge(self, n_users: int, arrays: Mapping[str, AnyArray]) -> None:
        """Take over what a `part` measured of the next ``n_users`` users, as if they had been blocks here."""
        rows = slice(self._n_done, self._n_done + n_users)
        for name, values in self.per_user.items():
            values[rows] = arrays[name]
        for k, exposure in self._exposure.items():
            exposure += arrays[f"{_EXPOSURE}{k}"].astype(np.int64)
        self._n_done = rows.stop

    def _can_answer(self, metric: Metric, has_scores: bool) -> bool:
        kind, why = metric.kind, ""
        needs = kind.needs if isinstance(kind, ListMetric) else frozenset()
        if isinstance(kind, ScoreMetric) and not has_scores:
            why = "needs the scores of all items, and lists hold some only"
        elif Need.HISTORY in needs and self.seen is None:
            why = f"needs {Need.HISTORY.value}"
        elif Need.CATEGORIES in needs and self.catalogue.categories is None:
            why = f"needs {Need.CATEGORIES.value}"
        elif metric.is_gap and self.groups is None and self.seen is None:
            why = "needs groups of users, or the training data to tell the active from the others"
        if why:
            self.remarks.append(_without_value(metric, f"it {why}"))
        return not why

    def update(
        self,
        users: Int64Array,
        items: Int32Array,
        n_listed: Int64Array,
        scores: Float32Array | None = None,
    ) -> None:
        """Measure the lists of the next users; see `ListBlock`.

        Raises
        ------
        ParameterError
            If a metric returns anything but a number for each user.
        """
        block = ListBlock(
            users, items, n_listed, self.held_out, self.catalogue, self.seen, scores, self._largest
        )
        rows = slice(self._n_done, self._n_done + len(block))
        for metric in self._of_users:
            self.per_user[str(metric)][rows] = _values(metric, block)
        for k, exposure in self._exposure.items():
            listed = items[:, :k][np.arange(block.counted(k)) < n_listed[:, None]]
            inside = (listed >= 0) & (listed < self.n_catalogue)
            exposure += np.bincount(listed[inside], minlength=self.n_catalogue)
        self._n_done = rows.stop

    def compute(self) -> tuple[dict[str, float | None], dict[str, tuple[GroupMean, ...]]]:
        """Return the metrics by name, and the group means behind each gap."""
        assert self._n_done == len(self.users)
        values: dict[str, float | None] = dict.fromkeys(map(str, self._asked))
        means: dict[str, tuple[GroupMean, ...]] = {}
        for metric in self._answered:
            name, kind = str(metric), metric.kind
            if isinstance(kind, CatalogueMetric):
                assert metric.k is not None
                value = float(kind.function(self._exposure[metric.k]))
                why = "nothing is listed"
            elif metric.is_gap:
                if self.groups is None:
                    assert self.seen is not None
                    self.groups = UserGroups.by_activity(self.seen.counts)
                means[name] = group_means(self.per_user[str(metric.base)], self.users, self.groups)
                value, why = gap(means[name]), "there are fewer than two groups of users to compare"
            else:
                value, why = self._mean(name), "it is not defined for any user"
            values[name] = None if np.isnan(value) else value
            if np.isnan(value):
                self.remarks.append(_without_value(metric, why))
        for n_defined, names in self._partly.items():
            self.remarks.append(
                Remark(
                    RemarkCode.PARTLY_DEFINED,
                    f"defined for {n_defined:,} of {len(self.users):,} users, and averaged over these: "
                    f"{', '.join(names)}.",
                )
            )
        shown = set(map(str, self._asked))
        self.per_user = {name: values for name, values in self.per_user.items() if name in shown}
        return values, means

    def _mean(self, name: str) -> float:
        values = self.per_user[name]
        is_defined = ~np.isnan(values)
        n_defined = int(is_defined.sum())
        if 0 < n_defined < len(values):
            self._partly.setdefault(n_defined, []).append(name)
        return float(np.mean(values[is_defined])) if n_defined else float("nan")


def _without_value(metric: Metric, why: str) -> Remark:
    return Remark(RemarkCode.METRIC_WITHOUT_VALUE, f"{metric} has no value: {why}.")


def _values(metric: Metric, block: ListBlock) -> Float64Array:
    """Return the values of a metric for the users of a block, (n_block,)."""
    kind = metric.kind
    if isinstance(kind, ScoreMetric):
        values = kind.function(block)
    else:
        assert isinstance(kind, ListMetric)
        assert metric.k is not None
        values = kind.function(block, metric.k)
    if np.shape(values) != (len(block),):
        raise ParameterError(
            f"the function of metric {metric.name!r} returned an array of shape {np.shape(values)} for "
            f"{len(block):,} users; expected a number for each user, shape ({len(block)},)."
        )
    return values
