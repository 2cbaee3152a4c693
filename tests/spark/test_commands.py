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
        (("--engine", "spark", "--model", "slim"), "does not train slim"),
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


def test_train_writes_the_bundle_and_says_what_was_read(spark, purchases: Path, tmp_path: Path, capsys):
    options = ["--set", "n_components=4", "--set", "max_iter=2", "--engine", "spark", "--partitions", "2"]
    assert run(["train", str(purchases), "--out", str(tmp_path / "model"), *options]) == 0
    assert "weighted-nmf (the engine's model for lists; --model names another)" in capsys.readouterr().out
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 4, "max_iter": 2})
    expected = recsys.train(spec, purchases)
    bundle = recsys.load_bundle(tmp_path / "model")
    np.testing.assert_array_equal(bundle.model.item_factors_, expected.model.item_factors_)
    assert run(["train", str(purchases), "--out", str(tmp_path / "model"), *options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["engine"] == "spark"
