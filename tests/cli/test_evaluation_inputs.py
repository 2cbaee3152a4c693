"""Categories, groups and the size of a block on the command line."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from recsys.evaluation.metrics import MetricDefinition, registered


@pytest.fixture
def items(tmp_path):
    """Three categories, by taste; some items bear two."""
    path = tmp_path / "items.csv"
    rows = [
        (f"i{item:02d}", f"the {item}", "abc"[item % 3] + ("|rare" if item % 7 == 0 else ""))
        for item in range(18)
    ]
    pd.DataFrame(rows, columns=["movieId", "title", "genre"]).to_csv(path, index=False)
    return path


@pytest.fixture
def groups(tmp_path):
    """Two groups; the last users are in none."""
    path = tmp_path / "users.csv"
    rows = [(f"u{user:02d}", "odd" if user % 2 else "even") for user in range(20)]
    pd.DataFrame(rows, columns=["user_id", "kind"]).to_csv(path, index=False)
    return path


def test_categories_and_groups_reach_the_metrics(as_json, ratings, items, groups):
    asked = "ndcg@5,ndcg-gap@5,calibration@10,diversity@5"
    plain = as_json("evaluate", ratings, "--metrics", asked)["metrics"]
    told = as_json(
        "evaluate", ratings, "--metrics", asked, "--items", items, "--item-category", "genre",
        "--groups", groups, "--group", "kind",
    )  # fmt: skip
    found = told["metrics"]
    assert plain["calibration@10"] is None
    assert found["calibration@10"] > 0
    assert found["ndcg@5"] == plain["ndcg@5"]
    assert found["diversity@5"] != plain["diversity@5"]
    assert found["ndcg-gap@5"] != plain["ndcg-gap@5"]


def test_diversity_is_by_category(as_json, ratings, items, tmp_path):
    """Where all items are of one category, no list is diverse."""
    table = pd.read_csv(items).assign(genre="all")
    table.to_csv(tmp_path / "same.csv", index=False)
    found = as_json(
        "evaluate", ratings, "--metrics", "diversity@5", "--items", tmp_path / "same.csv",
        "--item-category", "genre",
    )  # fmt: skip
    assert found["metrics"]["diversity@5"] == pytest.approx(0, abs=1e-6)


def test_metrics_that_need_them_are_shown_where_none_are_asked_for(as_json, ratings, items, groups):
    told = ("--items", items, "--item-category", "genre", "--groups", groups, "--group", "kind")
    found = as_json("evaluate", ratings, "--split", "users:0.4:0.5", *told)["metrics"]
    assert {"calibration@10", "diversity@10", "ndcg-gap@10"} <= set(found)
    assert all(value is not None for value in found.values())


def test_the_size_of_a_block_changes_no_number(as_json, ratings):
    asked = ("evaluate", ratings, "--metrics", "ndcg@5,auc,coverage@5")
    assert as_json(*asked)["metrics"] == as_json(*asked, "--block-mib", "1")["metrics"]


def test_a_plan_may_name_them_and_another_table_is_another_result(as_json, ratings, items, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f'[log]\nsource = "{ratings}"\nitems = "{items}"\nitem_category = "genre"\n'
        f'[metrics]\nnames = ["calibration@5"]\n[[models]]\nname = "popularity"\n'
        f'[run]\nout = "{tmp_path / "out"}"\nblock_mib = 2\n'
    )
    first, again = (as_json("compare", plan)["results"][0] for _ in range(2))
    assert (first["is_reused"], again["is_reused"]) == (False, True)
    pd.read_csv(items).assign(genre="all").to_csv(items, index=False)
    other = as_json("compare", plan)["results"][0]
    assert not other["is_reused"]
    assert first["metrics"]["calibration@5"] > other["metrics"]["calibration@5"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("command", ["evaluate", "compare"])
@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["--item-category", "genre"], "give --items too"),
        (2, ["--groups", "GROUPS"], "--groups and --group belong together"),
        (2, ["--group", "kind"], "--groups and --group belong together"),
        (2, ["--group-id", "user_id"], "give --groups too"),
        (2, ["--groups", "GROUPS", "--group", "kind", "--metrics", "ndcg@5"], "add e.g. ndcg-gap@10"),
        (2, ["--items", "ITEMS", "--item-category", "genre", "--metrics", "ndcg@5"], "add calibration@10"),
        (2, ["--block-mib", "0"], "block-mib"),
        (2, ["--item-id", "movieId"], "--item-id names a column of --items"),
        (1, ["--items", "ITEMS", "--item-category", "gender"], r"no column 'gender'.*Did you mean 'genre'"),
        (1, ["--items", "nowhere.csv", "--item-category", "genre"], r"nowhere\.csv"),
        (1, ["--groups", "GROUPS", "--group", "sort"], r"no column 'sort'.*'kind'"),
        (1, ["--groups", "nowhere.csv", "--group", "kind"], r"nowhere\.csv"),
        (
            1,
            ["--groups", "GROUPS", "--group", "kind", "--group-id", "kind"],
            "one column is named for ids and for",
        ),
        (1, ["--groups", "TWICE", "--group", "kind"], "a user is in the groups even, odd"),
    ],
)
def test_what_cannot_be_used_is_one_message(
    recsys, ratings, items, groups, tmp_path, monkeypatch, command, code, arguments, message
):
    monkeypatch.chdir(tmp_path)
    table = pd.read_csv(groups)
    pd.concat([table, table.assign(kind="odd")]).to_csv(tmp_path / "twice.csv", index=False)
    files = {"ITEMS": items, "GROUPS": groups, "TWICE": tmp_path / "twice.csv"}
    words = [files.get(word, word) for word in arguments]
    found, out, err = recsys(command, ratings, "--model", "popularity", *words)
    assert found == code, out + err
    assert re.search(message, err), err
    assert "Traceback" not in err


def test_items_without_categories_are_of_no_use_to_evaluate(recsys, ratings, items):
    code, _, err = recsys("evaluate", ratings, "--items", items)
    assert code == 2
    assert "name their column by --item-category" in err
    assert recsys("compare", ratings, "--model", "popularity", "--items", items)[0] == 0


def test_every_metric_is_listed_and_help_says_where(recsys, as_json):
    _, table, _ = recsys("metrics")
    listed = {metric["name"]: metric for metric in as_json("metrics")["metrics"]}
    assert list(listed) == list(registered(MetricDefinition))
    for name, metric in registered(MetricDefinition).items():
        assert re.search(rf"^ *{name}(@k)? .*{re.escape(metric.definition)}$", table, re.MULTILINE), name
        assert listed[name]["higher_is_better"] is metric.higher_is_better
    assert listed["ndcg"]["takes_k"]
    assert not listed["auc"]["takes_k"]
    for command in ("evaluate", "compare"):
        _, out, _ = recsys(command, "--help")
        assert "--item-category" in out
        assert "--block-mib" in out


@pytest.mark.parametrize("command", ["evaluate", "compare"])
def test_the_means_of_groups_stand_under_the_table(recsys, as_json, ratings, groups, command, tmp_path):
    words = (command, ratings, "--model", "popularity", "--metrics", "ndcg@5,ndcg-gap@5", "--groups", groups,
             "--group", "kind")  # fmt: skip
    code, out, _ = recsys(*words)
    assert code == 0
    (line,) = re.findall(r"^  ndcg@5 by group .*$", out, re.MULTILINE)
    assert "users" in line
    found = as_json(*words)
    found = found if command == "evaluate" else found["results"][0]
    means = {group["group"]: group["mean"] for group in found["groups"]["ndcg-gap@5"]}
    assert list(means) == ["even", "odd"]
    assert abs(means["odd"] - means["even"]) == pytest.approx(found["metrics"]["ndcg-gap@5"])
    for name, mean in means.items():
        assert re.search(rf"^  {name} +9 +{mean:.4f}$", out, re.MULTILINE), out


def test_means_of_groups_are_pooled_and_found_again(as_json, recsys, ratings, groups, tmp_path):
    words = ("compare", ratings, "--model", "popularity", "--split", "folds:2", "--metrics", "ndcg-gap@5",
             "--out", tmp_path / "out")  # fmt: skip
    told = ("--groups", groups, "--group", "kind")
    first, again = (as_json(*words, *told)["results"][0] for _ in range(2))
    assert again["is_reused"]
    assert first["groups"] == again["groups"]
    parts = [part["groups"]["ndcg-gap@5"] for part in first["trials"]]
    for number, group in enumerate(first["groups"]["ndcg-gap@5"]):
        assert group["mean"] == pytest.approx((parts[0][number]["mean"] + parts[1][number]["mean"]) / 2)
    code, out, _ = recsys(*words)
    assert code == 0
    assert "ndcg@5 by group" in out or "groups differ from part to part" in out
