"""A report that cannot be written takes no results with it."""

from __future__ import annotations

import json

import pytest

from recsys.experiment import answers, comparison
from recsys_cli.main import run

ROWS = "user,item,rating\n" + "".join(f"u{n % 7},i{n % 5},{1 + n % 4}\n" for n in range(35))


@pytest.fixture
def log(tmp_path, monkeypatch):
    def broken(*_, **__):
        raise IndexError("list index out of range")

    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)
    monkeypatch.setattr(answers, "write_comparison", broken)
    path = tmp_path / "log.csv"
    path.write_text(ROWS)
    return path


def arguments(log, *more):
    return [
        "compare", str(log), "--model", "popularity", "--metrics", "ndcg@3",
        "--out", str(log.parent / "kept"),
        "--report", str(log.parent / "report.html"), *more,
    ]  # fmt: skip


def test_results_are_kept_and_said_and_one_message_tells_of_the_report(log, capsys):
    assert run(arguments(log)) == 1
    out, err = capsys.readouterr()
    assert "popularity" in out, err
    assert "Report in" not in out
    assert "results stand; the report could not be written: IndexError: list index out of range" in err
    assert json.loads((log.parent / "kept" / "comparison.json").read_text())["results"]


def test_programs_are_told_that_there_is_no_report(log, capsys):
    assert run(arguments(log, "--json")) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["results"]
    assert found["report"] is None
