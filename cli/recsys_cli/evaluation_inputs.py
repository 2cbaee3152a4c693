"""Categories of items, groups of users and the size of a block, from options to the evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.data.ids import Ids
from recsys.data.labels import Labels, UserGroups, label_table
from recsys.data.load import LoadedLog
from recsys.errors import ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.metrics import ListMetric, Metric, parse_metrics, registered
from recsys.experiment.prepared_split import PreparedSplit, default_metrics
from recsys_cli.options import EvaluationOptions


@dataclass(frozen=True, eq=False)
class EvaluationInputs:
    """What an evaluation reads beside a log, by the ids of that log.

    Attributes
    ----------
    user_ids, item_ids : Ids
    categories : Labels or None
        Of the items.
    groups : Labels or None
        Of the users, one each.
    block_bytes : int or None
    """

    user_ids: Ids
    item_ids: Ids
    categories: Labels | None = None
    groups: Labels | None = None
    block_bytes: int | None = None

    def measuring(self, prepared: PreparedSplit) -> Mapping[str, Any]:
        """Return arguments of `recsys.evaluation.evaluator.evaluate`, in the row numbers of a split."""
        arguments: dict[str, Any] = {}
        if self.categories is not None:
            items = self.item_ids.rows(prepared.train.item_ids.values)
            arguments["catalogue"] = Catalogue(prepared.train.by_user, self.categories.select(items))
        if self.groups is not None:
            users = self.user_ids.rows(prepared.user_ids.values)
            arguments["groups"] = UserGroups.from_labels(self.groups.select(users))
        if self.block_bytes is not None:
            arguments["block_bytes"] = self.block_bytes
        return arguments

    @property
    def context(self) -> dict[str, str]:
        """A digest of each thing that results depend on."""
        labels = {"categories": self.categories, "groups": self.groups}
        return {name: _digest(of) for name, of in labels.items() if of is not None}


def check_options(
    options: EvaluationOptions, asked: Sequence[Metric] | None, *, names_are_shown: bool = True
) -> None:
    """Raise ParameterError, before a log is read, where options lack one another or a metric.

    Parameters
    ----------
    options : EvaluationOptions
    asked : sequence of Metric, or None for those of a default
    names_are_shown : bool
        Whether the command has a use for --items without categories.
    """
    if options.items is not None and options.item_category is None and not names_are_shown:
        raise ParameterError(
            "--items is of use here for its categories; name their column by --item-category."
        )
    if options.item_id is not None and options.items is None:
        raise ParameterError("--item-id names a column of --items; give --items too.")
    if options.item_category is not None and options.items is None:
        raise ParameterError("--item-category names a column of --items; give --items too.")
    if (options.groups is None) != (options.group is None):
        raise ParameterError("--groups and --group belong together: a file and its column of groups.")
    if options.group_id is not None and options.groups is None:
        raise ParameterError("--group-id names a column of --groups; give --groups too.")
    if asked is None:
        return
    if options.groups is not None and not any(metric.is_gap for metric in asked):
        raise ParameterError("no metric asked for compares --groups; add e.g. ndcg-gap@10 to --metrics.")
    if options.item_category is not None and not any(metric.uses_categories for metric in asked):
        those = " or ".join(
            f"{name}@10" for name in registered(ListMetric) if Metric(name, 10).uses_categories
        )
        raise ParameterError(f"no metric asked for uses --item-category; add {those} to --metrics.")


def read_inputs(
    options: EvaluationOptions, loaded: LoadedLog, n_threads: int | None = None
) -> EvaluationInputs:
    """Read the tables that the options name.

    Raises
    ------
    InputError
        If there is no such file or column, or a user is in two groups.
    """
    log = loaded.log
    categories = groups = None
    if options.item_category is not None:
        categories = label_table(
            options.items,
            log.item_ids,
            label=options.item_category,
            id_column=options.item_id,
            n_threads=n_threads,
        )
    if options.groups is not None:
        assert options.group is not None
        groups = label_table(
            options.groups,
            log.user_ids,
            label=options.group,
            id_column=options.group_id or loaded.columns.user,
            separator=None,
            n_threads=n_threads,
        )
        UserGroups.from_labels(groups)  # nobody is in two
    block_bytes = None if options.block_mib is None else options.block_mib * 2**20
    return EvaluationInputs(log.user_ids, log.item_ids, categories, groups, block_bytes)


def default_metrics_for(options: EvaluationOptions, loaded: LoadedLog) -> tuple[Metric, ...]:
    """Return the metrics to show when none are asked for, those of categories and groups among them."""
    more = [
        *(["diversity@10", "calibration@10"] if options.item_category is not None else []),
        *(["ndcg-gap@10"] if options.groups is not None else []),
    ]
    return parse_metrics([*default_metrics(loaded.log.feedback).split(","), *more])


def _digest(labels: Labels) -> str:
    state = hashlib.sha256("\0".join(labels.names).encode())
    for array in (labels.indptr, labels.columns):
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()
