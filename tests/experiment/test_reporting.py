"""Reports from logs and fitted models, whatever the comparison was of."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from recsys.data.columns import Columns
from recsys.data.load import LoadedLog
from recsys.evaluate.metrics import parse_metrics
from recsys.experiment import comparison
from recsys.experiment.comparison import Result, compare
from recsys.experiment.record import comparison_record
from recsys.experiment.reporting import Shown, _told_by, write_comparison
from recsys.experiment.settings import ModelSpec
from recsys.experiment.showcase import best_with_themes, sample_users, stories
from recsys.experiment.trial import prepare_all
from recsys.models.bundle import Bundle
from recsys.models.registry import make
from recsys.recommend.recommender import Recommender
from recsys.report.page import Row
from tests.logs import log_of, random_log

NMF = ModelSpec("weighted-nmf", {"n_components": 3, "max_iter": 3})
POPULARITY = ModelSpec("popularity")


@pytest.fixture(autouse=True)
def no_warming_up(monkeypatch):
    monkeypatch.setattr(comparison, "warm_up", lambda *_, **__: None)


def loaded(log=None):
    log = log or random_log(300, n_users=20, n_items=15)
    return LoadedLog(log, "a log", Columns("user", "item", None, None), len(log), (), {})


def report(tmp_path, *, split="random:0.3", metrics="ndcg@3,coverage@3", specs=(NMF, POPULARITY), log=None):
    source = loaded(log)
    trials = prepare_all(source, split=split, seed=1)
    results = compare(specs, trials, parse_metrics(metrics), seed=0)
    for name in ("report.json", "report.md", "users.parquet"):
        write_comparison(
            tmp_path / name, source, trials, results, metrics.split(","), seed=0, command="recsys compare"
        )
    found = json.loads((tmp_path / "report.json").read_text())
    return found, trials, results, pd.read_parquet(tmp_path / "users.parquet")


def test_a_report_agrees_with_what_was_measured(tmp_path):
    found, trials, results, users = report(tmp_path, metrics="ndcg@3,coverage@3,rmse")
    for result in results:
        row = next(row for row in found["results"] if row["label"] == result.label)
        for name, value in result.measurements.metrics.items():
            assert row["metrics"][name] == value
        curve = [
            at["value"]
            for at in found["figures"]["curve"]["rows"]
            if (at["model"], at["k"]) == (result.label, 3)
        ]
        assert curve == [result.measurements.metrics["ndcg@3"]]
        (point,) = (at for at in found["figures"]["coverage"]["rows"] if at["model"] == result.label)
        assert point["across"] == pytest.approx(result.measurements.metrics["coverage@3"])
        assert users[users.model == result.label]["ndcg@3"].mean() == pytest.approx(point["value"])
    by_label = {row["label"]: row["metrics"]["ndcg@3"] for row in found["results"]}
    values = [by_label[label] for label in found["ranking"]]
    assert values == sorted(values, reverse=True)
    assert set(users.user) <= set(trials[0].train.user_ids.values.tolist())
    assert found["log"]["n_events"] == 300
    assert found["splits"][0]["audit"]["n_users_evaluated"] > 0


@pytest.mark.parametrize("split", ["folds:3", "users:0.3", "last:1", "time:0.2"])
def test_every_kind_of_split_has_a_report(tmp_path, split):
    found, trials, results, users = report(tmp_path, split=split, metrics="recall@3,ndcg@3")
    assert set(found["ranking"]) == {"weighted-nmf", "popularity"}
    assert len(found["splits"]) == len(trials)
    assert users.groupby("model").size().tolist() == [results[0].measurements.n_users] * 2
    known = set().union(*(trial.user_ids.values.tolist() for trial in trials))
    assert set(users.user) <= known


@pytest.mark.parametrize("metrics", ["rmse", "coverage@3", "auc", "novelty@3"])
def test_metrics_without_a_curve_still_make_a_report(tmp_path, metrics):
    specs = (ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 3}), POPULARITY)
    found, *_ = report(tmp_path, metrics=metrics, specs=specs)
    assert "curve" not in found["figures"]
    assert "long-tail" in found["figures"]


def test_failed_and_unfitted_models_leave_the_rest_standing(tmp_path):
    source = loaded()
    trials = prepare_all(source, split="random:0.3", seed=1)
    done, floor = compare([NMF, POPULARITY], trials, parse_metrics("ndcg@3"), seed=0)
    failed = Result("als", ModelSpec("als"), 0, None, None, 0.0, 0.0, "MemoryError: no more")
    kept = Result("kept", ModelSpec("ease"), 0, None, done.measurements, 1.0, 0.0)
    path = tmp_path / "report.md"
    write_comparison(path, source, trials, [failed, kept, floor], ["ndcg@3"], seed=0, command="recsys")
    text = path.read_text()
    assert "failed: MemoryError: no more" in text
    assert "Short lists and long ones" in text
    assert "leave out kept" in text
    assert "themes" not in text  # no model has any
    write_comparison(path, source, trials, [failed], ["ndcg@3"], seed=0, command="recsys")
    assert "failed: MemoryError" in path.read_text()


def test_tiny_logs_have_a_report(tmp_path):
    log = log_of([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z")])
    found, *_ = report(tmp_path, split="last:1", metrics="ndcg@10", log=log)
    assert found["figures"]["curve"]["rows"]


def test_stories_mark_what_was_taken_later_and_name_what_is_known():
    source = loaded()
    (trial,) = prepare_all(source, split="random:0.3", seed=1)
    model = make("weighted-nmf", {"n_components": 3, "max_iter": 5, "random_state": 0}).fit(trial.train)
    bundle = Bundle.of(model, trial.train)
    ids = trial.train.user_ids
    told = stories(bundle, Recommender(bundle).recommend(n=5), held_out=trial.held_out)
    assert len(told) == trial.train.n_users
    for row, story in enumerate(told):
        assert story.user == ids[row]
        later = {str(trial.train.item_ids[int(item)]) for item in trial.held_out.by_user.row(row)[0]}
        assert story.hits == {rank for rank, name, *_ in story.listed if name in later}
        assert story.n_later == trial.held_out.n_held_out[row]
        history = {str(trial.train.item_ids[int(item)]) for item in trial.train.by_user.row(row)[0]}
        assert all(set(names) <= history and len(names) <= 2 for names in story.because.values())
    assert any(story.hits for story in told)
    assert stories(bundle, Recommender(bundle).recommend(n=5))[0].n_later is None


def test_users_are_drawn_from_those_asked_for_and_the_same_again():
    train = prepare_all(loaded(), split="random:0.3", seed=1)[0].train
    among = np.arange(train.n_users) % 2 == 0
    drawn = sample_users(train, 3, seed=4, among=among)
    assert among[drawn].all()
    np.testing.assert_array_equal(drawn, sample_users(train, 3, seed=4, among=among))


def test_the_best_model_with_themes_is_shown():
    trials = prepare_all(loaded(), split="random:0.3", seed=1)
    specs = [ModelSpec(name, {"n_components": 2, "max_iter": 2}) for name in ("masked-nmf", "weighted-nmf")]
    results = compare([*specs, POPULARITY], trials, parse_metrics("ndcg@3"), seed=0)
    values = {r.label: r.measurements.metrics["ndcg@3"] for r in results if r.label != "popularity"}
    assert best_with_themes(results, "ndcg@3").label == max(values, key=values.get)
    assert best_with_themes(results[2:], "ndcg@3") is None


def test_the_report_for_programs_is_the_record_of_the_comparison_and_more(tmp_path):
    found, trials, results, _ = report(tmp_path)
    record = json.loads(json.dumps(comparison_record(results, trials, seed=0), default=str))
    assert {key: found[key] for key in record if key != "splits"} == record


def test_folds_keep_the_digest_of_each_split(tmp_path):
    found, trials, *_ = report(tmp_path, split="folds:3")
    digests = [found["provenance"][f"split {n}"].removeprefix("SHA-256 ") for n in (1, 2, 3)]
    assert digests == [trial.split["digest"] for trial in trials]
    assert {"made", "machine", "seed", "training data"} <= set(found["provenance"])
    assert {"altair", "scikit-learn", "vl-convert-python"} <= set(found["versions"])


def test_a_report_says_whose_lists_it_shows_and_what_they_were_trained_on(tmp_path):
    found, *_ = report(tmp_path)
    assert found["told_by"].startswith("Lists and reasons are those of weighted-nmf")
    assert "trained without what is held out" in found["told_by"]
    assert found["told_by"] in (tmp_path / "report.md").read_text()


def test_lists_of_another_than_the_best_say_why():
    rows = [Row("als", 1, (), 1.0, 1.0), Row("nmf", 2, (), 1.0, 1.0)]
    shown = Shown("nmf", None, ("a story",), "trained on the whole log")
    assert _told_by(shown, rows, "ndcg@10") == (
        "Lists and reasons are those of nmf, the best on ndcg@10 of the models that can give reasons, "
        "which als, ahead of it, cannot. It was trained on the whole log."
    )
    assert _told_by(None, rows, "ndcg@10") == ""


def test_the_main_metric_is_the_first_asked_for_and_stands_first(tmp_path):
    found, *_ = report(tmp_path, metrics="coverage@3,recall@3,ndcg@3")
    assert found["main_metric"] == "recall@3"
    assert list(found["best"]) == ["recall@3", "coverage@3", "ndcg@3"]
    assert {"curve", "curve-ndcg", "curve-precision"} <= set(found["figures"])


def test_models_that_only_rank_are_told_of_together(tmp_path):
    knn = ModelSpec("item-knn", label="neighbours")
    found, *_ = report(tmp_path, metrics="ndcg@3,rmse", specs=(NMF, knn, POPULARITY))
    assert "weighted-nmf, neighbours and popularity only rank items: no rmse or mae." in found["remarks"]


@pytest.mark.parametrize("metric", ["rmse", "auc"])
def test_users_by_activity_stay_whatever_the_metric(tmp_path, metric):
    specs = (ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 3}), POPULARITY)
    found, *_ = report(tmp_path, metrics=metric, specs=specs)
    rows = found["figures"]["activity"]["rows"]
    assert rows
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)


def test_one_model_has_no_trade_off(tmp_path):
    found, *_ = report(tmp_path, specs=(POPULARITY,))
    assert "coverage" not in found["figures"]
    assert "curve" in found["figures"]
    assert found["title"] == "a log: popularity measured"


def test_items_of_one_name_are_told_apart_by_their_ids():
    source = loaded()
    (trial,) = prepare_all(source, split="random:0.3", seed=1)
    model = make("weighted-nmf", {"n_components": 3, "max_iter": 5, "random_state": 0}).fit(trial.train)
    same = dict.fromkeys(trial.train.item_ids.values.tolist(), "soup")
    bundle = Bundle.of(model, trial.train, item_names=same)
    for story in stories(bundle, Recommender(bundle).recommend(n=5)):
        names = [name for _, name, *_ in story.listed] + [name for name, _ in story.history]
        assert len(set(names)) == len(names)
        assert all(name.startswith("soup (") for name in names)
        assert all(name.startswith("soup (") for reasons in story.because.values() for name in reasons)
