"""What an evaluation reads beside a log: categories of items, groups of users."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.ids import Ids
from recsys.data.label_table import label_table
from recsys.data.labels import Labels, UserGroups
from recsys.data.loaded_log import LoadedLog
from recsys.errors import ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.metrics import ListMetric, Metric, parse_metrics, registered
from recsys.experiment.prepared_split import PreparedSplit, default_metrics
from recsys.recommend.last_events import LastEvents
from recsys.recommend.rules import Rules


@dataclass(frozen=True)
class SidePlan:
    """What is to be read beside a log, and how much memory scoring may take.

    Attributes
    ----------
    items, groups : str, Path or table, optional
        Files or tables of items and of users.
    item_id, group_id : str, optional
        Their columns of ids; the usual names, and that of the log's users, are taken by default.
    item_category, group : str, optional
        Their columns of labels. An item may have several categories, split by ``|``.
    block_mib : int, optional
        Most MiB of scores and lists held at a time.
    rules : Rules, optional
        What lists keep to, so that they are measured as they will be used. A held-out item that may not be
        listed counts as missed.
    """

    items: Any = None
    item_id: str | None = None
    item_category: str | None = None
    groups: Any = None
    group: str | None = None
    group_id: str | None = None
    block_mib: int | None = None
    rules: Rules | None = None

    def __post_init__(self) -> None:
        if self.rules is not None and not isinstance(self.rules, Rules):
            raise ParameterError(f"rules is {self.rules!r:.80}; expected recsys.Rules(...).")
        if self.rules is not None and (self.rules.include_seen or self.rules.bought_before):
            raise ParameterError(
                "include_seen and bought_before cannot be measured: what a user has in training is not "
                "among the held-out pairs."
            )
        if self.block_mib is not None and self.block_mib < 1:
            raise ParameterError(f"block_mib is {self.block_mib}; expected 1 or more.")


@dataclass(frozen=True, eq=False)
class SideInputs:
    """What an evaluation reads beside a log, by the ids of that log.

    Attributes
    ----------
    user_ids, item_ids : Ids
    categories : Labels or None
        Of the items.
    groups : Labels or None
        Of the users, one each.
    block_bytes : int or None
    rules : Rules or None
    """

    user_ids: Ids
    item_ids: Ids
    categories: Labels | None = None
    groups: Labels | None = None
    block_bytes: int | None = None
    rules: Rules | None = None

    def measuring(self, prepared: PreparedSplit) -> Mapping[str, Any]:
        """Return arguments of `recsys.evaluation.evaluator.evaluate`, in the row numbers of a split."""
        arguments: dict[str, Any] = {}
        if self.categories is not None:
            items = self.item_ids.rows(prepared.train.item_ids.values)
            arguments["catalogue"] = Catalogue(
                prepared.train.by_user, self.categories.select(items), counts=prepared.train.item_counts
            )
        if self.groups is not None:
            users = self.user_ids.rows(prepared.user_ids.values)
            arguments["groups"] = UserGroups.from_labels(self.groups.select(users))
        if self.block_bytes is not None:
            arguments["block_bytes"] = self.block_bytes
        if self.rules is not None and not self.rules.is_empty:
            train = prepared.train
            kind = None if prepared.log is None else prepared.log.log.time_kind
            arguments["rules"] = self.rules.restriction(
                prepared.user_ids,
                train.item_ids,
                train.item_counts,
                last_events=LastEvents.of(train, kind),
                item_vectors=lambda: prepared.catalogue.pattern_vectors,
            )
        return arguments

    @property
    def context(self) -> dict[str, str]:
        """A digest of each thing that results depend on."""
        labels = {"categories": self.categories, "groups": self.groups}
        digests = {name: _digest(of) for name, of in labels.items() if of is not None}
        if self.rules is not None and not self.rules.is_empty:
            digests["rules"] = self.rules.digest
        return digests


def check_side(plan: SidePlan, asked: Sequence[Metric] | None, *, names_are_shown: bool = True) -> None:
    """Raise ParameterError, before a log is read, where parts of a plan lack one another or a metric.

    Parameters
    ----------
    plan : SidePlan
    asked : sequence of Metric, or None for those of a default
    names_are_shown : bool
        Whether the command has a use for --items without categories.
    """
    if plan.items is not None and plan.item_category is None and not names_are_shown:
        raise ParameterError(
            "--items is of use here for its categories; name their column by --item-category."
        )
    if plan.item_id is not None and plan.items is None:
        raise ParameterError("--item-id names a column of --items; give --items too.")
    if plan.item_category is not None and plan.items is None:
        raise ParameterError("--item-category names a column of --items; give --items too.")
    if (plan.groups is None) != (plan.group is None):
        raise ParameterError("--groups and --group belong together: a file and its column of groups.")
    if plan.group_id is not None and plan.groups is None:
        raise ParameterError("--group-id names a column of --groups; give --groups too.")
    if asked is None:
        return
    if plan.groups is not None and not any(metric.is_gap for metric in asked):
        raise ParameterError("no metric asked for compares --groups; add e.g. ndcg-gap@10 to --metrics.")
    ruled = plan.rules is not None and plan.rules.uses_categories
    if plan.item_category is not None and not ruled and not any(metric.uses_categories for metric in asked):
        those = " or ".join(
            f"{name}@10" for name in registered(ListMetric) if Metric(name, 10).uses_categories
        )
        raise ParameterError(f"no metric asked for uses --item-category; add {those} to --metrics.")


def read_side(plan: SidePlan, loaded: LoadedLog, n_threads: int | None = None) -> SideInputs:
    """Read the tables that a plan names.

    Raises
    ------
    InputError
        If there is no such file or column, or a user is in two groups.
    """
    log = loaded.log
    categories = groups = None
    if plan.item_category is not None:
        categories = label_table(
            plan.items,
            log.item_ids,
            label=plan.item_category,
            id_column=plan.item_id,
            n_threads=n_threads,
        )
    if plan.groups is not None:
        assert plan.group is not None
        groups = label_table(
            plan.groups,
            log.user_ids,
            label=plan.group,
            id_column=plan.group_id or loaded.columns.user,
            separator=None,
            n_threads=n_threads,
        )
        UserGroups.from_labels(groups)  # nobody is in two
    block_bytes = None if plan.block_mib is None else plan.block_mib * 2**20
    return SideInputs(log.user_ids, log.item_ids, categories, groups, block_bytes, plan.rules)


def default_metrics_for(plan: SidePlan, loaded: LoadedLog) -> tuple[Metric, ...]:
    """Return the metrics to show when none are asked for, those of categories and groups among them."""
    more = [
        *(["diversity@10", "calibration@10"] if plan.item_category is not None else []),
        *(["ndcg-gap@10"] if plan.groups is not None else []),
        *_moved_by(plan.rules),
    ]
    return parse_metrics([*default_metrics(loaded.log.feedback).split(","), *more])


def _moved_by(rules: Rules | None) -> list[str]:
    """Return the metrics that a re-ranking is made to move, so that its gain stands beside its cost."""
    if rules is None:
        return []
    return [
        *(["diversity@10"] if rules.diversity else []),
        *(["calibration@10"] if rules.calibration else []),
        *(["novelty@10", "popularity-lift@10"] if rules.popularity_discount else []),
    ]


def _digest(labels: Labels) -> str:
    state = hashlib.sha256("\0".join(labels.names).encode())
    for array in (labels.indptr, labels.columns):
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
