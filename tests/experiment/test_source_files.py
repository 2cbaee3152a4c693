"""The hashes of the files that a model was trained on: which files, and which of them differ."""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import sys
import zipfile

import pandas as pd
import pytest

import recsys
from recsys.data.load import load_log
from recsys.data.prepared import save_log
from recsys.experiment.source_files import FileDiff, file_diff, files_of, files_record
from recsys_cli.main import run

FRAME = pd.DataFrame({"user": [1, 1, 2, 2, 3], "item": list("abaca")})
TEXT = FRAME.to_csv(index=False)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def recorded(source):
    return recsys.train("popularity", source).training["log"]["files"]


def test_each_file_has_its_hash(tmp_path):
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        path.write_text(TEXT)
    expected = [{"path": str(p), "n_bytes": len(TEXT), "sha256": digest(p)} for p in paths]
    assert recorded(paths[0]) == expected[:1]
    assert recorded(str(tmp_path / "*.csv")) == expected
    assert recorded(paths) == expected


def test_an_archive_is_hashed_as_it_is(tmp_path):
    archive = tmp_path / "log.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("events.csv", TEXT)
    for source in (archive, f"{archive}/events.csv"):
        (file,) = recorded(source)
        assert (file["path"], file["sha256"]) == (str(archive), digest(archive))


def test_of_a_prepared_log_the_record_is_hashed(tmp_path):
    save_log(load_log(FRAME), tmp_path / "prepared")
    (file,) = recorded(tmp_path / "prepared")
    assert file["sha256"] == digest(tmp_path / "prepared" / "log.json")


def test_tables_databases_and_standard_input_have_no_files(tmp_path, monkeypatch):
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        FRAME.to_sql("events", database, index=False)
    database.close()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    for source in (FRAME, tmp_path / "log.sqlite", "-"):
        assert recorded(source) == []


def test_a_file_that_is_gone_has_no_hash(tmp_path):
    gone = tmp_path / "gone.csv"
    assert files_record([gone]) == [{"path": str(gone), "n_bytes": None, "sha256": None}]
    same = {"log": {"files": files_record([gone])}}
    assert file_diff(same, same) == FileDiff(0, (str(gone),), (), ())


def test_files_are_told_apart_by_content_not_by_name():
    def training(**files):
        return {"log": {"files": [{"path": path, "sha256": content} for path, content in files.items()]}}

    old, new = training(a="1", b="2", c="3", d="4"), training(a="1", moved="2", c="33", e="5")
    assert file_diff(old, new) == FileDiff(2, ("c",), ("d",), ("e",))
    assert file_diff(old, old).are_same
    assert file_diff(old, {"log": {}}) is None
    updated = {**old, "updates": [training(e="5")]}
    assert [file["path"] for file in files_of(updated)] == ["a", "b", "c", "d", "e"]
    assert file_diff(old, updated) == FileDiff(4, (), (), ("e",))


@pytest.fixture
def models(tmp_path, capsys):
    path = tmp_path / "log.csv"
    for name, text in (("old", TEXT), ("new", TEXT + "4,b\n")):
        path.write_text(text)
        assert run(["train", str(path), "--model", "popularity", "--out", str(tmp_path / name)]) == 0
    capsys.readouterr()
    return tmp_path


def test_show_and_diff_say_it(models, capsys):
    assert run(["model", "show", str(models / "new")]) == 0
    assert f"  SHA-256     {digest(models / 'log.csv')}\n" in capsys.readouterr().out
    assert run(["model", "diff", str(models / "old"), str(models / "new")]) == 0
    shown = capsys.readouterr().out
    assert "Files: 0 with the same content (SHA-256); besides" in shown
    assert f"{models / 'log.csv'} has changed" in shown
    assert run(["model", "diff", str(models / "old"), str(models / "old"), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert files == {"n_same": 1, "changed": [], "only_old": [], "only_new": []}
