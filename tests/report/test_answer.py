from __future__ import annotations

import numpy as np

from recsys.evaluation.evaluator import Measurements
from recsys.evaluation.pair_tests import PairTests
from recsys.report.answer import main_metric, sentences


def measured(values, metric="ndcg@10"):
    values = np.asarray(values, dtype=float)
    return Measurements(
        {metric: values.mean()}, {metric: values}, np.arange(len(values)), len(values), 0, 0.0, ()
    )


def answer(models):
    return sentences(PairTests(models, seed=0))


def test_a_clear_lead_is_called_one():
    noise = np.random.default_rng(0).random(400)
    found = answer({"b": measured(noise * 0.1), "a": measured(noise * 0.1 + 0.2)})
    assert found[0] == "a is best on ndcg@10."
    assert found[1].startswith("a has 0.")
    assert found[1].endswith("400 users.")
    assert found[2:] == ["a is better than b on ndcg@10 by 0.2000 (0.2000 to 0.2000)."]


def test_models_that_differ_by_chance_are_not_told_apart():
    draw = np.random.default_rng(1)
    found = answer({"a": measured(draw.random(50)), "b": measured(draw.random(50))})
    assert found[0] == "There is no clear difference between a and b on ndcg@10."
    assert found[2].startswith("No clear difference between ")


def test_every_other_model_has_its_sentence():
    draw = np.random.default_rng(2)
    base = draw.random(200)
    found = answer(
        {
            "c": measured(base - 0.5),
            "a": measured(base),
            "b": measured(base + draw.normal(0, 0.01, 200)),
        }
    )
    assert len(found) == 4
    assert "c" not in found[0].split("on ndcg@10")[0].split()
    assert sum("is better than c" in sentence for sentence in found) == 1


def test_a_model_alone_has_nothing_to_be_compared_with():
    found = answer({"a": measured(np.random.default_rng(3).random(30))})
    assert found[0].startswith("a has ndcg@10 0.")
    assert "no other model" in found[1]


def test_without_values_of_users_there_is_no_answer():
    errors_only = Measurements({"rmse": 1.0}, {}, np.zeros(0, int), 3, 3, 0.0, ())
    assert answer({"a": errors_only}) == []
    assert main_metric([errors_only]) is None
    assert answer({}) == []


def several(scale, rmse=None):
    users = np.arange(200)
    values = np.random.default_rng(5).random(200) * 0.1
    per_user = {"recall@5": values + scale, "precision@5": values, "ndcg@5": values - scale}
    metrics = {name: float(of.mean()) for name, of in per_user.items()} | {"coverage@5": scale, "rmse": rmse}
    return Measurements(metrics, per_user, users, 200, 0, 0.0, ())


def test_the_first_metric_asked_for_decides_and_the_others_have_one_sentence():
    measured = {"a": several(0.3), "b": several(0.1, rmse=0.93), "c": several(0.0)}
    assert main_metric(list(measured.values())) == "recall@5"
    found = answer(measured)
    assert found[0] == "a is best on recall@5."
    assert "there is no clear difference between" in found[2].lower()
    assert "on ndcg@5 c is best" in found[2]
    assert "a has the best coverage@5" in found[2]
    assert "only b has rmse (0.9300)" in found[2]
    assert len(found) == 5
