from __future__ import annotations

import numpy as np
import pytest

from recsys.evaluate.evaluator import Measurements
from recsys.evaluate.uncertainty import bootstrap
from recsys.report.answer import main_metric, sentences


def measured(values, metric="ndcg@10"):
    values = np.asarray(values, dtype=float)
    return Measurements(
        {metric: values.mean()}, {metric: values}, np.arange(len(values)), len(values), 0, 0.0, ()
    )


def test_a_clear_lead_is_called_one():
    noise = np.random.default_rng(0).random(400)
    found = sentences({"b": measured(noise * 0.1), "a": measured(noise * 0.1 + 0.2)}, seed=0)
    assert found[0].startswith("a is best on ndcg@10")
    assert "a less b: +0.2000 (+0.2000 to +0.2000), a clear difference" in found[1]


def test_models_that_differ_by_chance_are_level():
    draw = np.random.default_rng(1)
    found = sentences({"a": measured(draw.random(50)), "b": measured(draw.random(50))}, seed=0)
    assert " are level on ndcg@10" in found[0]
    assert "no clear difference" in found[1]


def test_without_ranking_metrics_there_is_no_answer():
    errors_only = Measurements({"rmse": 1.0}, {}, np.zeros(0, int), 3, 3, 0.0, ())
    assert sentences({"a": errors_only}, seed=0) == []
    assert main_metric([errors_only]) is None


def test_bootstrap_covers_the_mean_and_is_seeded():
    draw = np.random.default_rng(2)
    covered = 0
    for seed in range(100):
        interval = bootstrap(draw.normal(1.0, 1.0, 200), seed=seed)
        covered += interval.low <= 1.0 <= interval.high
    assert 88 <= covered <= 99  # 95 expected, with the spread of a hundred tries
    values = draw.random(30)
    assert bootstrap(values, seed=5) == bootstrap(values, seed=5)
    assert bootstrap(values, seed=5) != bootstrap(values, seed=6)


def test_bootstrap_interval_is_that_of_theory():
    values = np.random.default_rng(3).normal(0.0, 1.0, 1000)
    interval = bootstrap(values, seed=0)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert interval.mean == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(2 * half, rel=0.1)
