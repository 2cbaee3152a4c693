"""Two trained models measured on the same events, those of pairs that neither was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from recsys.data.ids import Ids
from recsys.data.log import Log
from recsys.errors import InputError
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.significance import PairTest, compare_pairs
from recsys.experiment.bundle_quality import ServedLists, list_metrics, rows_since
from recsys.experiment.evaluation_plan import GivenMetrics, metrics_of
from recsys.experiment.given_logs import GivenLog, loaded_of
from recsys.experiment.updating import read_like
from recsys.progress import SILENT, GivenProgress, listener
from recsys.recommend.bundle import Bundle
from recsys.typing import BoolArray, Int64Array

DEFAULT_METRICS = "ndcg@10,recall@10,precision@10,coverage@10"
OLD, NEW = "old", "new"


@dataclass(frozen=True, eq=False)
class Quality:
    """Both models' lists on the same held-out events.

    Attributes
    ----------
    measurements : mapping of "old", "new" to Measurements
    tests : mapping of metric to PairTest
        The metrics that users have.
    n_pairs : int
    """

    measurements: Mapping[str, Measurements]
    tests: Mapping[str, PairTest]
    n_pairs: int

    def is_clearly_worse(self, metric: str) -> bool:
        """Return whether the new model is worse, and the 95 % interval of the difference leaves out 0."""
        test = self.tests[metric]
        return test.better == OLD and test.low > 0

    def to_json(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "n_pairs": self.n_pairs,
            **{label: dict(measured.metrics) for label, measured in self.measurements.items()},
            "tests": {metric: asdict(test) for metric, test in self.tests.items()},
        }


def quality_of_both(
    old: Bundle,
    new: Bundle,
    log: GivenLog,
    *,
    since: str | None = None,
    metrics: GivenMetrics = DEFAULT_METRICS,
    seed: int = 0,
    threads: int | None = None,
    progress: GivenProgress = SILENT,
) -> Quality:
    """Measure the lists of two models on the events of pairs that neither was trained on.

    Parameters
    ----------
    old, new : Bundle
    log : path, data frame or LogPlan
        Where nothing else is said, read as the log of the new model was.
    since : str, optional
        The first moment that counts, as a date.
    metrics : str or sequence of str
        Metrics of lists.
    seed : int
        Of tests and intervals.
    threads : int, optional
    progress : bool, callable or Progress

    Raises
    ------
    InputError
        If no event is of a pair that is new to both models.
    ParameterError
        If a metric is not one of lists.
    """
    asked, listening = list_metrics(metrics_of(metrics)), listener(progress)
    loaded, _ = loaded_of(read_like(new, log), n_threads=threads, progress=listening)
    rows = rows_since(loaded.log, since, source=loaded.source)
    for bundle in (old, new):
        rows = rows[~_is_known(bundle, loaded.log, rows)]
    if len(rows) == 0:
        raise InputError(
            f"{loaded.source} has no event of a pair that is new to both models; give events from after "
            f"both were trained."
        )
    n = max(metric.k or 1 for metric in asked)
    measured = {}
    for label, bundle in ((OLD, old), (NEW, new)):
        served = ServedLists.of(bundle, loaded.log, rows, n, progress=listening)
        of_bundle = served.measure(rows, asked)
        assert of_bundle is not None  # all its pairs are new
        measured[label] = (of_bundle, served.known.user_ids)
    by_label = _same_users(measured, loaded.log.user_ids)
    tests = {}
    for metric in map(str, asked):
        if metric in by_label[OLD].per_user:
            (tests[metric],) = compare_pairs(by_label, metric, seed=seed)
    return Quality(by_label, tests, len(np.unique(loaded.log.pairs[rows])))


def _same_users(measured: Mapping[str, tuple[Measurements, Ids]], ids: Ids) -> dict[str, Measurements]:
    """Return measurements by the users of a log, in its order; who was measured by one alone is left out."""
    rows = {
        label: ids.rows(user_ids.values[of_bundle.users]) for label, (of_bundle, user_ids) in measured.items()
    }
    common = np.intersect1d(rows[OLD], rows[NEW])
    aligned = {}
    for label, (of_bundle, _) in measured.items():
        order = np.argsort(rows[label], kind="stable")
        order = order[np.isin(rows[label][order], common)]
        per_user = {name: values[order] for name, values in of_bundle.per_user.items()}
        aligned[label] = replace(of_bundle, users=common, per_user=per_user, n_users=len(common))
    return aligned


def _is_known(bundle: Bundle, log: Log, rows: Int64Array) -> BoolArray:
    """Return which events are of pairs that a bundle was trained on."""
    users = bundle.user_ids.rows(log.user_ids.values)[log.users[rows]]
    items = bundle.item_ids.rows(log.item_ids.values)[log.items[rows]]
    n_items = len(bundle.item_ids)
    seen = bundle.seen.row_numbers.astype(np.int64) * n_items + bundle.seen.columns
    keys = users.astype(np.int64) * n_items + items
    return (users >= 0) & (items >= 0) & np.isin(keys, seen)
