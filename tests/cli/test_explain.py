"""``recsys explain`` and ``recommend --reasons``: what they print, write and refuse."""

from __future__ import annotations

import pandas as pd
import pytest


def test_a_printed_list_says_why_and_a_file_where_asked(recsys, as_json, model, tmp_path):
    _, out, _ = recsys("recommend", model, "--user", "u00", "-n", "3")
    assert out.count("you rated") == 3
    _, out, _ = recsys("recommend", model, "--user", "u00", "-n", "3", "--reasons", "0")
    assert "reason" not in out
    path = tmp_path / "lists.csv"
    recsys("recommend", model, "--all-users", "-n", "2", "--out", path)
    assert "reason" not in pd.read_csv(path)
    recsys("recommend", model, "--all-users", "-n", "2", "--reasons", "1", "--out", path)
    table = pd.read_csv(path)
    assert table.reason.str.endswith(".").all()
    assert table.because_1.str.startswith("i").all()
    assert table.because_share_1.between(0, 1.5).all()
    listed = as_json("recommend", model, "--user", "u00", "-n", "2", "--reasons", "1")["lists"][0]["items"]
    assert [entry["reason"]["kind"] for entry in listed]
    parquet = tmp_path / "lists.parquet"
    recsys("recommend", model, "--all-users", "-n", "2", "--reasons", "1", "--out", parquet)
    assert pd.read_parquet(parquet).reason.tolist() == table.reason.tolist()


def test_explain_prints_the_list_or_one_item_as_a_sum(recsys, as_json, model):
    code, out, _ = recsys("explain", model, "--user", "u00", "-n", "2")
    assert code == 0
    assert out.startswith("1. i")
    explained = as_json("explain", model, "--user", "u00", "-n", "2")["explanations"]
    item = explained[0]["item"]
    _, out, _ = recsys("explain", model, "--user", "u00", "--item", item)
    assert f"User u00, {item}: score " in out
    assert "the score is the sum of" in out
    assert f"{explained[0]['score']:.4f}" in out.split("together")[1]
    assert "without" in out
    parts = sum(part["score"] for part in explained[0]["components"])
    parts += sum(past["score"] for past in explained[0]["past_items"])
    assert parts == pytest.approx(explained[0]["score"], rel=1e-6)


def test_explain_for_a_history_and_for_somebody_unknown(recsys, model):
    code, out, _ = recsys("explain", model, "--history", "i00=5,i03=4", "-n", "1")
    assert code == 0
    assert "you rated i0" in out
    code, out, _ = recsys("explain", model, "--user", "nobody", "--item", "i01")
    assert code == 0
    assert "nothing is known of this user" in out
    assert "of 27 users have it" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give --user ID or --history"),
        (("--user", "u00", "--history", "i00=5"), 2, "give --user ID or --history"),
        (("--user", "u00", "--item", "tea"), 1, "item 'tea' is not known"),
        (("--history", "tea"), 1, "item 'tea' is not known"),
    ],
)
def test_what_explain_refuses(recsys, model, arguments, code, message):
    ended, _, err = recsys("explain", model, *arguments)
    assert ended == code
    assert message in err
