"""Reports from logs and fitted models, whatever the comparison was of."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from recsys.data.columns import Columns
from recsys.data.loaded_log import LoadedLog
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment import comparison
from recsys.experiment.comparison import Result, compare
from recsys.experiment.example_model import ExampleModel, best_with_themes, examples_intro
from recsys.experiment.prepared_split import prepare_all
from recsys.experiment.record import comparison_record
from recsys.experiment.reporting import write_comparison
from recsys.experiment.settings import ModelSpec
from recsys.report.context import Row
from tests.logs import log_of, random_log

NMF = ModelSpec("weighted-nmf", {"n_components": 3, "max_iter": 3})
POPULARITY = ModelSpec("popularity")


@pytest.fixture(autouse=True)
def no_precompiling(monkeypatch):
    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)


def loaded(log=None):
    log = log or random_log(300, n_users=20, n_items=15)
    return LoadedLog(log, "a log", Columns("user", "item", None, None), len(log), (), {})


def report(tmp_path, *, split="random:0.3", metrics="ndcg@3,coverage@3", specs=(NMF, POPULARITY), log=None):
    source = loaded(log)
    splits = prepare_all(source, split=split, seed=1)
    results = compare(specs, splits, parse_metrics(metrics), seed=0)
    for name in ("report.json", "report.md", "users.parquet"):
        write_comparison(
            tmp_path / name,
            source,
            splits,
            results,
            metrics.split(","),
            seed=0,
            command="recsys compare",
        )
    found = json.loads((tmp_path / "report.json").read_text())
    return found, splits, results, pd.read_parquet(tmp_path / "users.parquet")


def test_a_report_agrees_with_what_was_measured(tmp_path):
    found, splits, results, users = report(tmp_path, metrics="ndcg@3,coverage@3,rmse")
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
    assert set(users.user) <= set(splits[0].train.user_ids.values.tolist())
    assert found["log"]["n_events"] == 300
    assert found["splits"][0]["audit"]["n_users_evaluated"] > 0


@pytest.mark.parametrize("split", ["folds:3", "users:0.3", "last:1", "time:0.2"])
def test_every_kind_of_split_has_a_report(tmp_path, split):
    found, splits, results, users = report(tmp_path, split=split, metrics="recall@3,ndcg@3")
    assert set(found["ranking"]) == {"weighted-nmf", "popularity"}
    assert len(found["splits"]) == len(splits)
    assert users.groupby("model").size().tolist() == [results[0].measurements.n_users] * 2
    known = set().union(*(prepared.user_ids.values.tolist() for prepared in splits))
    assert set(users.user) <= known


@pytest.mark.parametrize("metrics", ["rmse", "coverage@3", "auc", "novelty@3"])
def test_metrics_without_a_curve_still_make_a_report(tmp_path, metrics):
    specs = (ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 3}), POPULARITY)
    found, *_ = report(tmp_path, metrics=metrics, specs=specs)
    assert "curve" not in found["figures"]
    assert "long-tail" in found["figures"]


def test_failed_and_unfitted_models_leave_the_rest_standing(tmp_path):
    source = loaded()
    splits = prepare_all(source, split="random:0.3", seed=1)
    done, floor = compare([NMF, POPULARITY], splits, parse_metrics("ndcg@3"), seed=0)
    failed = Result("als", ModelSpec("als"), 0, None, None, 0.0, 0.0, "MemoryError: no more")
    kept = Result("kept", ModelSpec("ease"), 0, None, done.measurements, 1.0, 0.0)
    path = tmp_path / "report.md"
    write_comparison(path, source, splits, [failed, kept, floor], ["ndcg@3"], seed=0, command="recsys")
    text = path.read_text()
    assert "failed: MemoryError: no more" in text
    assert "Short lists and long ones" in text
    assert "leave out kept" in text
    assert "themes" not in text  # no model has any
    write_comparison(path, source, splits, [failed], ["ndcg@3"], seed=0, command="recsys")
    assert "failed: MemoryError" in path.read_text()


def test_tiny_logs_have_a_report(tmp_path):
    log = log_of([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z")])
    found, *_ = report(tmp_path, split="last:1", metrics="ndcg@10", log=log)
    assert found["figures"]["curve"]["rows"]


def test_the_best_model_with_themes_is_shown():
    splits = prepare_all(loaded(), split="random:0.3", seed=1)
    specs = [ModelSpec(name, {"n_components": 2, "max_iter": 2}) for name in ("masked-nmf", "weighted-nmf")]
    results = compare([*specs, POPULARITY], splits, parse_metrics("ndcg@3"), seed=0)
    values = {r.label: r.measurements.metrics["ndcg@3"] for r in results if r.label != "popularity"}
    assert best_with_themes(results, "ndcg@3").label == max(values, key=values.get)
    assert best_with_themes(results[2:], "ndcg@3") is None


def test_the_report_for_programs_is_the_record_of_the_comparison_and_more(tmp_path):
    found, splits, results, _ = report(tmp_path)
    record = json.loads(json.dumps(comparison_record(results, splits, seed=0), default=str))
    assert {key: found[key] for key in record if key != "splits"} == record


def test_the_report_for_programs_has_the_keys_that_programs_read(tmp_path):
    found, *_ = report(tmp_path)
    assert set(found) == {
        "answer", "best", "command", "comparisons", "figures", "format", "log", "main_metric", "n_users",
        "not_clearly_worse", "plan", "provenance", "ranking", "remarks", "results", "split", "splits",
        "stories", "subtitle", "themes", "title", "told_by", "versions",
    }  # fmt: skip
    assert found["format"] == 2
    assert list(found["figures"]) == [
        "curve", "curve-recall", "curve-precision", "coverage", "crowd", "activity", "popularity", "places",
        "cost", "memory", "convergence", "long-tail", "time",
    ]  # fmt: skip
    assert all(set(figure) == {"title", "caption", "rows"} for figure in found["figures"].values())
    story = found["stories"][0]
    assert set(story) == {"user", "n_history", "history", "n_held_out", "list"}
    assert set(story["list"][0]) == {
        "rank", "name", "score", "reason", "taken_later",
    }  # fmt: skip
    (themes,) = found["themes"]
    assert set(themes) == {"label", "n_themes", "themes", "families", "likeness", "mixtures"}
    assert set(themes["themes"][0]) == {
        "theme", "name", "share", "n_users", "n_items", "sparsity", "stability", "items", "user_share",
        "concentration",
    }  # fmt: skip


def test_folds_keep_the_digest_of_each_split(tmp_path):
    found, splits, *_ = report(tmp_path, split="folds:3")
    digests = [found["provenance"][f"split {n}"].removeprefix("SHA-256 ") for n in (1, 2, 3)]
    assert digests == [prepared.split.digest for prepared in splits]
    assert {"made", "machine", "seed", "training data"} <= set(found["provenance"])
    assert {"altair", "scikit-learn", "vl-convert-python"} <= set(found["versions"])


def test_a_report_says_whose_lists_it_shows_and_what_they_were_trained_on(tmp_path):
    found, *_ = report(tmp_path)
    assert found["told_by"].startswith("Lists and reasons are those of weighted-nmf")
    assert "trained without what is held out" in found["told_by"]
    assert found["told_by"] in (tmp_path / "report.md").read_text()


def test_lists_of_another_than_the_best_say_why():
    rows = [Row("als", 1, (), 1.0, 1.0), Row("nmf", 2, (), 1.0, 1.0)]
    shown = ExampleModel("nmf", None, ("an example",), "trained on the whole log")
    assert examples_intro(shown, rows, "ndcg@10") == (
        "Lists and reasons are those of nmf, the best on ndcg@10 of the models that can give reasons, "
        "which als, ahead of it, cannot. It was trained on the whole log."
    )
    assert examples_intro(None, rows, "ndcg@10") == ""


def test_the_main_metric_is_the_first_asked_for_and_stands_first(tmp_path):
    found, *_ = report(tmp_path, metrics="coverage@3,recall@3,ndcg@3")
    assert found["main_metric"] == "recall@3"
    assert list(found["best"]) == ["recall@3", "coverage@3", "ndcg@3"]
    assert {"curve", "curve-ndcg", "curve-precision"} <= set(found["figures"])


def test_models_that_only_rank_are_told_of_together(tmp_path):
    knn = ModelSpec("item-knn", label="neighbours")
    found, *_ = report(tmp_path, metrics="ndcg@3,rmse,mae", specs=(NMF, knn, POPULARITY))
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
