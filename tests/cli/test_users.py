"""Whom ``recsys recommend`` makes lists for: files of users, new people, ids spelled another way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pandas as pd
import pytest


def test_a_file_of_users(as_json, recsys, model, tmp_path):
    path = tmp_path / "users.txt"
    path.write_text("u00\nu05\nnobody\n")
    record = as_json("recommend", model, "--users", path, "-n", "2")
    assert [entry["user"] for entry in record["lists"]] == ["u00", "u05", "nobody"]
    assert record["n_by_popularity"] == 1
    code, _, err = recsys("recommend", model, "--users", path, "--strict")
    assert code == 1
    assert "user 'nobody' is not known" in err
    _, out, _ = recsys("recommend", model, "--users", path, "--out", tmp_path / "lists.csv")
    assert "1 of them the model knows nothing of" in out
    assert set(pd.read_csv(tmp_path / "lists.csv").source) == {"model", "popularity"}


def test_a_file_of_histories(as_json, recsys, model, tmp_path):
    path = tmp_path / "histories.csv"
    path.write_text("user,item,rating\nann,i00,5\nann,i03,4\nbob,new,5\n")
    record = as_json("recommend", model, "--histories", path, "-n", "2", "--reasons", "1")
    ann, bob = record["lists"]
    assert (ann["user"], ann["source"]) == ("ann", "model")
    assert (bob["user"], bob["source"]) == ("bob", "popularity")
    assert record["notes"] == ["1 of 3 items are not known to the model (new)"]
    alone = as_json("recommend", model, "--history", "i00=5,i03=4", "-n", "2", "--reasons", "1")["lists"][0]
    assert ann["items"] == alone["items"]
    code, _, err = recsys("recommend", model, "--histories", path, "--strict")
    assert (code, "histories.csv: 1 of 3 items are not known to the model (new)" in err) == (1, True)
    _, out, _ = recsys("recommend", model, "--histories", path, "-n", "2")
    assert "User bob (nothing is known of these items: the most popular)" in out


def test_ids_with_blanks_are_found_and_others_are_guessed_at(recsys, model):
    _, out, _ = recsys("recommend", model, "--user", " u00 ", "--user", "u0x", "-n", "1")
    assert "User u00\n" in out
    assert "User u0x (not known to the model; did you mean" not in out.split("User u00")[0]
    assert "not known to the model" in out
    _, out, _ = recsys("recommend", model, "--user", "uu00", "-n", "1")
    assert "did you mean u00" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "give one of --user ID"),
        (("--user", "u00", "--all-users"), 2, "give one of --user ID"),
        (("--users", "gone.txt"), 1, "there is no such file"),
        (("--user", "nobody", "--strict"), 1, "user 'nobody' is not known"),
        (("--user", "u00", "--exclude", "i00,gone", "--strict"), 1, "exclude: 1 of 2 ids are not known"),
    ],
)
def test_what_is_refused(recsys, model, arguments, code, message):
    ended, _, err = recsys("recommend", model, *arguments)
    assert ended == code
    assert message in err


def test_who_is_not_known_gets_what_the_segment_has(as_json, recsys, model, tmp_path):
    path = tmp_path / "segments.csv"
    path.write_text(
        "user_id,region\nnobody,north\n" + "".join(f"u{user:02d},north\n" for user in range(0, 27, 3))
    )
    arguments = ("recommend", model, "--user", "nobody", "-n", "2", "--segments", path)
    _, out, _ = recsys(*arguments, "--segment", "region")
    assert "User nobody (not known to the model: the most popular in north)" in out
    assert "Popular in north: " in out
    record = as_json(*arguments, "--segment", "region")
    assert (record["lists"][0]["source"], record["lists"][0]["segment"]) == ("segment", "north")
    assert record["n_by_popularity"] == 1
    code, _, err = recsys(*arguments)
    assert code == 2
    assert "--segments and --segment belong together" in err


def test_lists_go_to_folders_sheets_and_databases(as_json, recsys, model, tmp_path):
    arguments = ("recommend", model, "--all-users", "-n", "2", "--out")
    _, out, _ = recsys(*arguments, f"{tmp_path / 'lists'}/")
    assert out == f"Wrote 54 rows for 27 users to {tmp_path / 'lists'}\n"
    _, out, _ = recsys(*arguments, tmp_path / "lists")
    assert out.startswith("Note: 1 parts were there from an earlier run\nWrote 54 rows")
    code, _, err = recsys(*arguments[:-2], "3", "--out", tmp_path / "lists")
    assert code == 1
    assert "give another folder" in err
    database = tmp_path / "shop.db"
    assert as_json(*arguments, f"sqlite:{database}", "--table", "lists")["n_rows"] == 54
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM lists").fetchall() == [(54,)]
    recsys(*arguments, tmp_path / "lists.xlsx")
    assert len(pd.read_excel(tmp_path / "lists.xlsx")) == 54
    code, _, err = recsys("recommend", model, "--history", "i00=5", "--out", tmp_path / "lists")
    assert code == 2
    assert "a folder is for users of the log" in err
