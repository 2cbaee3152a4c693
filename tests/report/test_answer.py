from __future__ import annotations

import numpy as np

from recsys.evaluate.evaluator import Measurements
from recsys.report.answer import main_metric, sentences


def measured(values, metric="ndcg@10"):
    values = np.asarray(values, dtype=float)
    return Measurements(
        {metric: values.mean()}, {metric: values}, np.arange(len(values)), len(values), 0, 0.0, ()
    )


def test_a_clear_lead_is_called_one():
    noise = np.random.default_rng(0).random(400)
    found = sentences({"b": measured(noise * 0.1), "a": measured(noise * 0.1 + 0.2)}, seed=0)
    assert found[0].startswith("a is best on ndcg@10: 0.2")
    assert found[0].endswith("400 users.")
    assert found[1:] == ["a is better than b on ndcg@10 by 0.2000 (0.2000 to 0.2000)."]


def test_models_that_differ_by_chance_are_level():
    draw = np.random.default_rng(1)
    found = sentences({"a": measured(draw.random(50)), "b": measured(draw.random(50))}, seed=0)
    assert " are level on ndcg@10" in found[0]
    assert found[1].startswith("No clear difference between ")


def test_every_other_model_has_its_sentence():
    draw = np.random.default_rng(2)
    base = draw.random(200)
    found = sentences(
        {
            "c": measured(base - 0.5),
            "a": measured(base),
            "b": measured(base + draw.normal(0, 0.01, 200)),
        },
        seed=0,
    )
    assert len(found) == 3
    assert "c" not in found[0].split("on ndcg@10")[0].split()
    assert sum("is better than c" in sentence for sentence in found) == 1


def test_a_model_alone_has_nothing_to_be_compared_with():
    (found,) = sentences({"a": measured(np.random.default_rng(3).random(30))}, seed=0)
    assert found.startswith("a has ndcg@10 0.")
    assert "no other model" in found


def test_without_values_of_users_there_is_no_answer():
    errors_only = Measurements({"rmse": 1.0}, {}, np.zeros(0, int), 3, 3, 0.0, ())
    assert sentences({"a": errors_only}, seed=0) == []
    assert main_metric([errors_only]) is None
    assert sentences({}, seed=0) == []
