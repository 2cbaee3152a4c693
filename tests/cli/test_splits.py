"""Splits, filters and the audit on the command line."""

import json

import pandas as pd
import pytest

from recsys_cli.main import run

AUDIT = {
    "n_pairs_on_both_sides", "n_future_events", "n_future_events_global", "n_cold_users", "n_cold_items",
    "n_held_out_pairs_of_cold_users", "n_held_out_pairs_of_cold_items", "n_users_with_held_out",
    "n_users_evaluated", "share_evaluated", "n_history_users", "n_history_events", "window", "train_window",
    "n_left_out_events", "filters", "remarks",
}  # fmt: skip


@pytest.fixture
def plays(tmp_path):
    """Three tastes, eight users each, one event an hour, items in turn; "rare" met one of them."""
    begin = pd.Timestamp("2024-05-01")
    rows = [
        (f"u{user:02d}", f"i{3 * (n % 6) + user % 3}", begin + pd.Timedelta(hours=24 * n + user))
        for user in range(24)
        for n in range(8)
    ]
    rows.append(("rare", "i0", begin))
    path = tmp_path / "plays.csv"
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv(path, index=False)
    return path


@pytest.fixture
def evaluate(capsys, plays):
    def call(*arguments, code=0, model="popularity"):
        capsys.readouterr()
        chosen = [] if "--model" in arguments else ["--model", model]
        words = ["evaluate", str(plays), *chosen, "--metrics", "ndcg@3", *arguments]
        assert run(words) == code
        out, err = capsys.readouterr()
        return err if code else json.loads(out) if "--json" in arguments else out

    return call


def test_the_audit_is_complete_in_json(evaluate):
    split = evaluate("--split", "time:2024-05-05..2024-05-07", "--json")["split"]
    assert set(split["audit"]) == AUDIT
    assert split["audit"]["window"] == ["2024-05-05T00:00:00", "2024-05-06T23:00:00"]
    assert split["audit"]["n_left_out_events"] == 48
    assert split["name"] == "time:2024-05-05..2024-05-07"


def test_people_read_what_matters(evaluate):
    out = evaluate("--split", "time:2024-05-05..2024-05-07", "--min-user", "2", "--min-item", "2")
    assert "(2024-05-05T00:00:00 to 2024-05-06T23:00:00)" in out
    assert "left out of training: 1 users, 0 items, 1 training pairs" in out
    assert "48 events that came after what is held out are left out" in out


def test_whole_users_are_held_out(evaluate):
    out = evaluate("--split", "users:0.25:4")
    assert "Split users:0.25:4: " in out
    assert "6 users are held out as a whole" in out
    found = evaluate("--split", "users:0.25:4", "--json", model="masked-nmf")
    assert found["n_users"] == 6
    assert found["split"]["audit"]["n_history_users"] == 6


def test_what_becomes_of_users_unknown_to_training_is_said(recsys, tmp_path):
    (tmp_path / "train.csv").write_text("user,item,rating\n" + "".join(f"a{n},{n % 3},4\n" for n in range(9)))
    (tmp_path / "test.csv").write_text("user,item,rating\na0,1,5\nnew,2,3\n")
    said = {}
    for metrics in ("ndcg@3", "rmse,mae"):
        words = ("evaluate", tmp_path / "train.csv", "--test", tmp_path / "test.csv", "--metrics", metrics)
        code, said[metrics], err = recsys(*words, "--model", "bias")
        assert code == 0, err
    assert "1 users (not averaged)" in said["ndcg@3"]
    assert "1 users (not ranked for; counted in rmse and mae)" in said["rmse,mae"]


def test_why_nothing_can_be_measured_is_said(recsys, tmp_path):
    (tmp_path / "train.csv").write_text("user,item,amount\n" + "".join(f"a{n},{n % 3},1\n" for n in range(9)))
    for rows, message in (
        ("new,1,1\n", "1 held-out users are not known to training"),
        ("a0,1,0\n", "1 held-out pairs have an amount of 0"),
    ):
        (tmp_path / "test.csv").write_text("user,item,amount\n" + rows)
        words = (
            "evaluate",
            tmp_path / "train.csv",
            "--test",
            tmp_path / "test.csv",
            "--feedback",
            "implicit",
        )
        code, _, err = recsys(*words, "--metrics", "ndcg@3", "--model", "popularity")
        assert code == 1
        assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (1, ["--split", "users:0.25", "--model", "bayesian-nmf"], "knows only the users it was trained on"),
        (1, ["--split", "time:2025-01-01"], "leaves the held-out part empty"),
        (1, ["--min-user", "100"], "nothing of the training part stays if a user needs 100 items"),
        (2, ["--filter-test"], "--filter-test needs --min-user or --min-item"),
        (2, ["--min-user", "-1"], "min-user"),
        (2, ["--split", "folds:1"], "number of folds is expected to be 2 or more"),
    ],
)
def test_what_cannot_be_split_is_one_message(evaluate, code, arguments, message):
    assert message in evaluate(*arguments, code=code)
