"""``--engine spark`` on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

import recsys
from recsys_cli.main import run


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--engine", "flink"), "expected local or spark"),
        (("--spark-master", "local[2]"), "--spark-master is for --engine spark"),
        (("--sample-users", "10%"), "--sample-users is for --engine spark"),
        (("--engine", "spark", "--measure"), "--measure is not for --engine spark"),
        (("--engine", "spark", "--min-user", "3"), "--min-user is not for --engine spark"),
        (("--engine", "spark", "--model", "als"), "does not train als"),
        (("--engine", "spark", "--where", "amount > 0"), "--where is not for --engine spark"),
        (("--engine", "spark", "--spark-conf", "memory"), "expected a setting of Spark"),
    ],
)
def test_options_that_do_not_go_together_are_refused(more, message: str, tmp_path: Path, capsys):
    log = tmp_path / "log.csv"
    log.write_text("user,item\na,x\n")
    assert run(["train", str(log), "--out", str(tmp_path / "model"), *more]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("command", "more", "message"),
    [
        ("recommend", ("--all-users", "--engine", "spark"), "--engine spark writes a folder"),
        ("recommend", ("--user", "7", "--engine", "spark"), "--user is not for --engine spark"),
        ("recommend", ("--all-users", "--partitions", "2"), "--partitions is for --engine spark"),
        ("evaluate", ("--engine", "spark", "--threads", "2"), "--threads is not for --engine spark"),
        ("evaluate", ("--engine", "spark", "--since", "2024-01-01"), "--since is not for --engine spark"),
    ],
)
def test_options_of_other_commands_are_checked(command: str, more, message: str, tmp_path: Path, capsys):
    assert run([command, str(tmp_path), *more]) == 2
    assert message in capsys.readouterr().err


def test_train_recommend_and_evaluate_say_what_they_did(spark, purchases: Path, tmp_path: Path, capsys):
    model, engine = str(tmp_path / "model"), ["--engine", "spark", "--partitions", "2"]
    options = ["--set", "n_components=4", "--set", "max_iter=1", *engine]
    assert run(["train", str(purchases), "--out", model, *options, "--resume"]) == 0
    assert "Trained hybrid-nmf (chosen for lists; --model names another)" in capsys.readouterr().out
    assert not (tmp_path / "model.checkpoint").exists()
    expected = recsys.train(recsys.ModelSpec("auto", {"n_components": 4, "max_iter": 1}), purchases)
    bundle = recsys.load_bundle(model)
    arrays, alone = bundle.model.to_arrays(), expected.model.to_arrays()
    assert arrays.keys() == alone.keys()
    for name, array in alone.items():
        np.testing.assert_array_equal(arrays[name], array)
    folder = f"{tmp_path}/lists/"
    assert run(["recommend", model, "--all-users", "--out", folder, "-n", "3", *engine]) == 0
    assert f"for {len(bundle.user_ids)} users to {tmp_path}/lists" in capsys.readouterr().out
    assert len(list((tmp_path / "lists").glob("*.parquet"))) == 2
    assert run(["recommend", model, "--all-users", "--out", folder, "-n", "3", *engine, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["notes"] == ["2 parts were there from an earlier run"]
    new = ["--histories", str(purchases), "--out", f"{tmp_path}/new/"]
    assert run(["recommend", model, *new, "-n", "3", *engine, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_users"] == len(bundle.user_ids)

    asked = [
        "evaluate",
        str(purchases),
        "--model",
        "weighted-nmf",
        *options[:4],
        "--metrics",
        "ndcg@10",
        "--json",
    ]
    assert run([*asked, *engine]) == 0
    by_spark = json.loads(capsys.readouterr().out)
    assert run(asked) == 0
    assert by_spark["metrics"] == json.loads(capsys.readouterr().out)["metrics"]
