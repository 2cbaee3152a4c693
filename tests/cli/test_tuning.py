"""``recsys tune`` from its flags to a config that is trained."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from recsys.experiment.tuning import measuring
from recsys_cli.main import run

pytest.importorskip("optuna")


@pytest.fixture
def log(tmp_path):
    generator = np.random.default_rng(0)
    cells = generator.choice(40 * 30, 500, replace=False)
    frame = pd.DataFrame({"user": cells // 30, "item": cells % 30, "rating": generator.integers(1, 6, 500)})
    path = tmp_path / "ratings.csv"
    frame.to_csv(path, index=False)
    return str(path)


def test_a_tuning_is_shown_kept_and_trained(log, tmp_path, capsys):
    flags = ["--model", "item-knn", "--model", "popularity", "--trials", "4", "--split", "random-user:0.2"]
    out = str(tmp_path / "tuned")
    assert run(["tune", log, *flags, "--set", "popularity.x=1..2"]) == 2
    assert "popularity has no parameter 'x'" in capsys.readouterr().err
    flags = ["--model", "item-knn", "--trials", "4", "--split", "random-user:0.2", "--final", "--out", out]
    assert run(["tune", log, *flags]) == 0
    shown = capsys.readouterr().out
    assert "item-knn: 4 settings, measured by ndcg@10 on random-user:0.2" in shown
    assert "without tuning" in shown
    assert "by luck alone" in shown
    assert "On the test part, measured once:" in shown
    assert f"--config {out}/item-knn.toml" in shown
    assert run(["train", log, "--config", f"{out}/item-knn.toml", "--out", str(tmp_path / "model")]) == 0


def test_json_is_the_whole_record_and_the_same_again(log, tmp_path, capsys):
    flags = ["--model", "item-knn", "--set", "n_neighbors=2,5,9", "--trials", "5", "--json"]
    records = []
    for _ in range(2):
        assert run(["tune", log, *flags, "--out", str(tmp_path / "tuned")]) == 0
        records.append(json.loads(capsys.readouterr().out))
    assert records[0] == records[1]
    (model,) = records[0]["models"]
    assert [trial["number"] for trial in model["trials"]] == list(range(5))
    assert all(trial["params"]["n_neighbors"] in (2, 5, 9) for trial in model["trials"][1:])
    assert model["best"]["value"] == max(trial["value"] for trial in model["trials"])


def test_an_interrupt_keeps_what_is_done_and_says_so(log, tmp_path, monkeypatch, capsys):
    run_one, calls = measuring.run, []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run_one(*args, **options)

    monkeypatch.setattr(measuring, "run", interrupted)
    flags = ["--model", "item-knn", "--model", "slim", "--trials", "4", "--out", str(tmp_path / "tuned")]
    assert run(["tune", log, *flags, "--split", "random:0.2", "--final"]) == 130
    out, err = capsys.readouterr()
    assert "item-knn: 2 settings, measured by" in out
    assert "slim" not in out
    assert "Interrupted; the same command goes on from here." in out
    assert err == "recsys: interrupted; every file is whole, old or new.\n"
    assert (tmp_path / "tuned" / "item-knn.toml").is_file()


def test_a_budget_for_one_setting_says_that_nothing_was_tuned(log, capsys):
    assert run(["tune", log, "--model", "item-knn", "--time-limit", "0.001s"]) == 0
    shown = capsys.readouterr().out
    assert "item-knn: 1 setting, measured by" in shown
    assert "nothing was tuned: measuring the model as it is, " in shown


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model", "popularity"], "popularity: no parameter is searched (it declares none)"),
        (
            ["--model", "als", "--model", "slim", "--set", "l2=1..2"],
            "--set l2: there are 2 models; say which",
        ),
        (["--model", "als", "--final"], "give --split or --test with --final"),
        (["--model", "als", "--time-limit", "1d"], "expected e.g. 90s, 10m or 2h"),
        (["--model", "als", "--metric", "rmse"], "als predicts no values"),
        (["--model", "als", "--set", "l2=x..2"], "'x' is no number; expected e.g. l2=16..512"),
    ],
)
def test_wrong_usage_has_one_message(log, flags, message, capsys):
    assert run(["tune", log, *flags]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_grid_is_compared_and_nothing_else_takes_one(log, tmp_path, capsys):
    grid = ["--model", "item-knn", "--set", "n_neighbors=2,9"]
    assert run(["compare", log, *grid, "--json"]) == 0
    labels = [result["label"] for result in json.loads(capsys.readouterr().out)["results"]]
    assert labels == ["item-knn n_neighbors=2", "item-knn n_neighbors=9", "popularity"]
    assert run(["train", log, *grid, "--out", str(tmp_path / "model")]) == 2
    assert "--set gives 2 settings; expected one" in capsys.readouterr().err
