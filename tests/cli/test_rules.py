"""Rules on the command line: recommend, evaluate and compare keep to them, and say so."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def model(recsys, ratings, tmp_path):
    folder = tmp_path / "model"
    code, _, err = recsys(
        "train", ratings, "--out", folder, "--model", "weighted-nmf", "--set", "n_components=3"
    )
    assert code == 0, err
    return folder


@pytest.fixture
def table(tmp_path):
    """Write categories of the items of the ratings: by their number, low or high."""
    path = tmp_path / "items.csv"
    items = [f"i{item:02d}" for item in range(18)]
    pd.DataFrame({"movieId": items, "shelf": ["low"] * 9 + ["high"] * 9}).to_csv(path, index=False)
    return path


def listed(as_json, model, *arguments):
    record = as_json("recommend", model, "--user", "u00", "-n", "18", *arguments)
    return [entry["item"] for entry in record["lists"][0]["items"]], record


def test_recommend_keeps_to_rules(as_json, recsys, model, table, tmp_path):
    free, _ = listed(as_json, model)
    found, _ = listed(as_json, model, "--exclude", f"{free[0]},{free[2]}")
    assert found == [item for item in free if item not in (free[0], free[2])]
    (tmp_path / "only.txt").write_text("\n".join([*free[1:3], "nothing"]))
    found, record = listed(as_json, model, "--only", tmp_path / "only.txt")
    assert found == free[1:3]
    assert record["notes"] == ["only: 1 of 3 ids are not known to the model (nothing)"]
    shelves = ("--items", table, "--item-category", "shelf")
    found, _ = listed(as_json, model, *shelves, "--only-category", "low")
    assert found == [item for item in free if item < "i09"]
    found, record = listed(as_json, model, *shelves, "--most-per-category", "1")
    assert len(found) == 2
    assert "at most 1 of a category" in record["lists"][0]["why_short"]
    (tmp_path / "users.csv").write_text(f"user,item\nu00,{free[0]}\n")
    found, _ = listed(as_json, model, "--exclude", tmp_path / "users.csv")
    assert found == free[1:]
    bought, _ = listed(as_json, model, "--bought-before")
    assert sorted([*bought, *free]) == [f"i{item:02d}" for item in range(18)]
    _, out, _ = recsys("recommend", model, "--user", "u00", "--only", tmp_path / "only.txt")
    assert out.startswith("Note: only: 1 of 3 ids")


def test_evaluate_and_compare_keep_to_rules_and_say_so(as_json, recsys, ratings, table):
    arguments = ("evaluate", ratings, "--model", "popularity", "--metrics", "coverage@3")
    free = as_json(*arguments)["metrics"]["coverage@3"]
    ruled = as_json(*arguments, "--only", "i00,i01,i02,i03")["metrics"]["coverage@3"]
    assert ruled <= 4 / 18 < free
    _, out, _ = recsys(*arguments, "--items", table, "--item-category", "shelf", "--never-category", "low")
    assert "Lists keep to the rules given" in out
    _, out, _ = recsys(
        "compare", ratings, "--model", "popularity", "--metrics", "recall@3", "--exclude", "i00"
    )
    assert "Lists keep to the rules given" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--only-category", "low"), 2, "give --items FILE and --item-category COLUMN"),
        (("--exclude", "gone.csv"), 1, "there is no such file"),
        (("--exclude", "tea"), 1, "none of 1 ids is known"),
        (("--least-users", "99"), 1, "the rules leave none of the 18 items: least_users 99"),
        (("--bought-before", "--include-seen"), 2, "leave include_seen out"),
    ],
)
def test_what_rules_refuse(recsys, model, arguments, code, message):
    ended, _, err = recsys("recommend", model, "--user", "u00", *arguments)
    assert ended == code
    assert message in err


def test_items_not_sold_lately_are_left_out_and_counted(as_json, recsys, model):
    record = as_json("recommend", model, "--user", "u00", "--sold-since", "1530")
    assert record["notes"] == ["sold since 1530: 12 of 18 items are left out, none sold since 1530"]
    code, _, err = recsys("recommend", model, "--user", "u00", "--sold-since", "lately")
    assert code == 2
    assert "sold_since is 'lately'; expected e.g. 60d" in err


def test_lists_are_reranked_and_evaluate_shows_what_that_moves(as_json, recsys, model, ratings, table):
    free, _ = listed(as_json, model)
    mixed, _ = listed(as_json, model, "--diversity", "0.9")
    assert sorted(mixed) == sorted(free)
    record = as_json("evaluate", ratings, "--model", "popularity", "--popularity-discount", "0.5")
    assert {"novelty@10", "popularity-lift@10"} < set(record["metrics"])
    record = as_json(
        "compare", ratings, "--model", "popularity", "--calibration", "0.5", "--items", table,
        "--item-category", "shelf", "--item-id", "movieId", "--item-name", "movieId",
    )  # fmt: skip
    assert "calibration@10" in record["results"][0]["metrics"]
    code, _, err = recsys("recommend", model, "--user", "u00", "--calibration", "0.5")
    assert code == 2
    assert "--calibration needs the categories of items" in err
