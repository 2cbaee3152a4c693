"""What cannot be done is one message and an exit code."""

from __future__ import annotations

import re

import pytest


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
        (2, ["train", "LOG", "--set", "rank=1", "--out", "M"], "hybrid-nmf has no parameter 'rank'"),
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


def test_negative_amounts_are_described_and_negative_ratings_are_learned(recsys, tmp_path):
    amounts, ratings = tmp_path / "amounts.csv", tmp_path / "ratings.csv"
    rows = "".join(
        f"u{user},i{(user + step) % 7},{user % 5 - 3}\n" for user in range(20) for step in range(3)
    )
    amounts.write_text("user,item,quantity\n" + rows)
    ratings.write_text("user,item,rating\n" + rows)
    code, out, _ = recsys("data", "describe", amounts)
    assert code == 0
    assert "values    -3 to 1" in out
    assert re.search("Note: 36 of 60 amounts are below 0, .* --returns net .* --feedback explicit", out)
    code, out, err = recsys("data", "describe", ratings)
    assert (code, "Note" in out) == (0, False), err
    code, out, err = recsys("train", ratings, "--out", tmp_path / "model")
    assert code == 0, err


@pytest.mark.parametrize("arguments", [["nonsense"], ["recommend", "M"], ["train"], ["demo", "--seed", "x"]])
def test_wrong_usage_is_exit_code_2(recsys, arguments):
    code, _, err = recsys(*arguments)
    assert code == 2
    assert "Traceback" not in err
