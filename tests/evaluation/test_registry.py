"""Metrics of one's own: registered once, then known by name; what cannot be registered is refused."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import ParameterError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import (
    CatalogueMetric,
    ErrorMetric,
    ListMetric,
    MetricDefinition,
    Need,
    ScoreMetric,
    definitions,
    higher_is_better,
    parse_metric,
    parse_metrics,
    register_metric,
    registered,
    unregister_metric,
)
from recsys.evaluation.significance import compare_pairs, interval
from recsys.models.registry import make
from tests.logs import random_log


@pytest.fixture
def register():
    """Register metrics for one test."""
    names = []

    def call(metric):
        register_metric(metric)
        names.append(metric.name)

    yield call
    for name in names:
        unregister_metric(name)


@pytest.fixture(scope="module")
def measure():
    log = random_log(300, n_users=20, n_items=12)
    is_held = np.arange(len(log)) % 3 == 0
    train = Interactions.from_log(log, np.flatnonzero(~is_held))
    held_out = HeldOut.from_log(log, np.flatnonzero(is_held), train)
    models = {name: make(name, {}).fit(train) for name in ("bias", "popularity")}

    def call(names, model="bias"):
        return evaluate(models[model], train.by_user, held_out, parse_metrics(names))

    return call


def list_metric(name="own", function=lambda block, k: block.n_hits(k) / k, **stated):
    return ListMetric(name=name, function=function, definition="share of hits", **stated)


def error_metric(name="own", function=lambda p, a: (p.astype(np.float64) - a) ** 2, **stated):
    return ErrorMetric(name=name, function=function, definition="squared error", **stated)


def test_a_metric_of_lists_has_intervals_gaps_and_tests(register, measure):
    register(list_metric())
    found = measure("own@3,precision@3,own-gap@3,precision-gap@3")
    assert found.metrics["own@3"] == found.metrics["precision@3"]
    assert found.metrics["own-gap@3"] == found.metrics["precision-gap@3"]
    assert interval(found, "own@3", seed=0) == interval(found, "precision@3", seed=0)
    both = {"a": found, "b": measure("own@3,precision@3", "popularity")}
    (own,), (precision,) = (compare_pairs(both, name, seed=0) for name in ("own@3", "precision@3"))
    assert own.difference == precision.difference
    assert own.p_value == precision.p_value


def test_metrics_of_scores_and_of_all_lists(register, measure):
    register(ScoreMetric(name="top", function=lambda block: block.scores.max(axis=1), definition="score"))
    register(CatalogueMetric(name="listed", function=lambda counts: counts.sum(), definition="positions"))
    found = measure("top,listed@2")
    assert found.metrics["listed@2"] == 2 * found.n_users
    assert found.metrics["top"] == pytest.approx(found.per_user["top"].mean())
    assert interval(found, "listed@2", seed=0) is None


def test_an_error_of_predicted_values(register, measure):
    register(error_metric(of_mean=np.sqrt))
    found = measure("own,rmse")
    assert found.metrics["own"] == found.metrics["rmse"]
    assert interval(found, "own", seed=0) == interval(found, "rmse", seed=0)
    without = measure("own,ndcg@3", "popularity")
    assert without.metrics["own"] is None
    assert str(without.remarks[-1]) == "popularity ranks items but predicts no values, so it has no own."


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            list_metric(function=lambda block, k: np.ones(2)),
            r"'own' returned an array of shape \(2,\) for 18 users; expected a number for each user",
        ),
        (
            error_metric(function=lambda p, a: np.mean(p - a)),
            r"'own' returned an array of shape \(\) for \d+ held-out entries; expected a number for each",
        ),
    ],
)
def test_a_function_that_returns_another_number_of_values_is_refused(register, measure, metric, message):
    register(metric)
    with pytest.raises(ParameterError, match=message):
        measure("own@3" if metric.takes_k else "own")


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (list_metric("ndcg"), r"already a metric 'ndcg': hits weighed .* call unregister_metric\('ndcg'\)"),
        (error_metric("ndcg"), "already a metric 'ndcg'"),
        (list_metric("ndcg-gap"), "cannot be named 'ndcg-gap': -gap stands for the gap"),
        (list_metric("Own"), "cannot be named 'Own'; expected lower-case letters"),
        (list_metric("own@3"), "cannot be named 'own@3'"),
        (list_metric("a,b"), "cannot be named 'a,b'"),
        (list_metric("own_metric"), "cannot be named"),
        (list_metric(""), "cannot be named ''"),
        (MetricDefinition(name="own", definition="nothing"), "a MetricDefinition is no metric to register"),
        ("ndcg", "a str is no metric to register; expected one of ListMetric"),
    ],
)
def test_what_cannot_be_registered_is_refused(metric, message):
    before = registered(MetricDefinition)
    with pytest.raises(ParameterError, match=message):
        register_metric(metric)
    assert registered(MetricDefinition) == before


def test_a_name_that_was_freed_can_be_taken_again(register):
    register_metric(list_metric())
    unregister_metric("own")
    register(error_metric())
    assert parse_metric("own").is_error
    with pytest.raises(ParameterError, match="there is no metric 'mystery'"):
        unregister_metric("mystery")


def test_what_is_stated_is_what_is_answered(register):
    register(list_metric("plain"))
    register(list_metric("mixed", higher_is_better=None, needs=frozenset({Need.CATEGORIES})))
    plain, gap, mixed = parse_metrics("plain@3,plain-gap@3,mixed@3")
    assert [metric.higher_is_better for metric in (plain, gap, mixed)] == [True, False, None]
    assert [metric.uses_categories for metric in (plain, gap, mixed)] == [False, False, True]
    assert higher_is_better("mixed@3") is None
    assert definitions(["plain@3", "plain@5", "plain-gap@3"]) == [
        ("plain", "share of hits"),
        ("plain-gap", "how far groups of users lie apart in plain"),
    ]


def test_metrics_are_presented_by_kind_and_then_by_name(register):
    register(list_metric("zzz"))
    register(list_metric("aaa"))
    register(error_metric("loss"))
    names = list(registered(MetricDefinition))
    lists = list(registered(ListMetric))
    assert lists[0] == "aaa"
    assert lists[-1] == "zzz"
    assert lists == sorted(lists)
    assert names[: len(lists)] == lists
    assert names[-3:] == ["loss", "mae", "rmse"]
