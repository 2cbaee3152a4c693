"""``recsys similar``: what it prints, writes and refuses."""

from __future__ import annotations

import pandas as pd
import pytest


def test_similar_items_and_users(recsys, as_json, model, tmp_path):
    code, out, _ = recsys("similar", model, "--item", "i00", "-n", "3")
    assert code == 0
    assert out.startswith("Like item i00")
    (found,) = as_json("similar", model, "--item", "i00", "-n", "3")["lists"]
    assert [entry["item"] in out for entry in found["similar"]] == [True] * 3
    _, out, _ = recsys("similar", model, "--user", "u00", "--user", "u01", "-n", "2")
    assert out.count("Like user") == 2
    path = tmp_path / "similar.csv"
    assert as_json("similar", model, "--item", "i00", "--by", "factors", "--out", path)["n_asked"] == 1
    assert pd.read_csv(path).columns.tolist() == ["item", "rank", "similar", "name", "similarity"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give --item ID or --user ID"),
        (("--item", "i00", "--user", "u00"), 2, "give --item ID or --user ID"),
        (("--user", "u00", "--by", "neighbors"), 2, "users have no neighbors"),
        (("--item", "i00", "--by", "taste"), 2, "by is 'taste'"),
        (("--item", "tea"), 1, "item 'tea' is not known"),
        (("--item", "i00", "--out", "similar.txt"), 2, "the ending is '.txt'"),
    ],
)
def test_what_similar_refuses(recsys, model, arguments, code, message):
    ended, _, err = recsys("similar", model, *arguments)
    assert ended == code
    assert message in err
