"""Evaluating and comparing from the command line."""

from __future__ import annotations

import pytest

FOLDS = range(1, 6)


def test_evaluate_prints_the_documented_object(as_json, ratings, tmp_path):
    flags = as_json(
        "evaluate", ratings, "--model", "masked-nmf", "--set", "n_components=4", "--set", "l2=0.05",
        "--split", "last:2", "--metrics", "ndcg@5,rmse",
    )  # fmt: skip
    assert {"model", "config", "metrics", "n_users", "seconds", "seed"} <= set(flags)
    assert set(flags["seconds"]) == {"load", "fit", "score"}
    assert flags["stored_per_row"] == 4
    assert list(flags["metrics"]) == ["ndcg@5", "rmse"]
    assert flags["n_users"] == 27

    config = tmp_path / "config.toml"
    config.write_text('[model]\nname = "masked-nmf"\nn_components = 4\nl2 = 0.05\n')
    from_file = as_json(
        "evaluate", ratings, "--config", config, "--split", "last:2", "--metrics", "ndcg@5,rmse"
    )
    assert from_file["metrics"] == flags["metrics"]
    assert from_file["config"] == flags["config"]


def test_results_do_not_depend_on_threads(as_json, ratings):
    one, two = (as_json("evaluate", ratings, "--seed", "3", "--threads", threads) for threads in (1, 2))
    assert one["metrics"] == two["metrics"]
    assert one["seed"] == 3
    assert one["config"]["random_state"] == 3


def test_compare_keeps_results_when_one_model_cannot_answer(as_json, recsys, ratings, tmp_path):
    report = tmp_path / "report.html"
    found = as_json(
        "compare", ratings, "--model", "masked-nmf", "--model", "als", "--model", "popularity",
        "--set", "masked-nmf.n_components=3", "--set", "als.n_components=3",
        "--metrics", "ndcg@5,rmse", "--report", report,
    )  # fmt: skip
    by_name = {result["model"]: result for result in found["results"]}
    assert by_name["masked-nmf"]["metrics"]["rmse"] > 0
    assert by_name["popularity"]["metrics"]["rmse"] is None
    assert "predicts no values" in by_name["popularity"]["remarks"][0]
    page = report.read_text()
    assert page.count('<th scope="row">') == 3
    assert "Theme 3" in page

    code, out, _ = recsys("compare", ratings, "--metrics", "ndcg@5")
    assert code == 0
    assert "on ndcg@5" in out


@pytest.mark.parametrize("fold", FOLDS)
def test_masked_nmf_on_the_official_folds(as_json, shared_data, fold):
    folder = shared_data / "ml-100k"
    found = as_json(
        "evaluate", folder / f"u{fold}_train.parquet", "--test", folder / f"u{fold}_test.parquet",
        "--model", "masked-nmf", "--set", "biases=true", "--metrics", "rmse,mae",
    )  # fmt: skip
    assert found["n_pairs"] == 20_000
    assert found["metrics"]["rmse"] <= 0.93


@pytest.mark.slow
def test_a_real_purchase_log(as_json, shared_data, tmp_path):
    found = as_json(
        "compare", shared_data / "online-retail" / "online_retail.csv.gz",
        "--where", "Quantity > 0 AND CustomerID IS NOT NULL AND regexp_matches(StockCode, '^[0-9]{5}')",
        "--split", "time:8w", "--model", "auto", "--model", "popularity", "--metrics", "ndcg@10,recall@10",
    )  # fmt: skip
    nmf, popularity = found["results"]
    assert nmf["model"] == "hybrid-nmf"
    assert nmf["metrics"]["ndcg@10"] > popularity["metrics"]["ndcg@10"]
