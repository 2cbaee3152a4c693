"""The example of a report section does what CONTRIBUTING says, and stands there as it is."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from recsys.report.section import unregister_section
from recsys_cli.main import run

EXAMPLE = Path(__file__).parent / "add_a_report_section.py"


@pytest.fixture
def missed_users():
    yield runpy.run_path(str(EXAMPLE))
    unregister_section("missed")


@pytest.fixture
def log(tmp_path):
    rows = [f"u{user},i{item}" for user in range(12) for item in range(10) if (3 * user + item) % 4]
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "\n".join(rows) + "\n")
    return path


def test_a_report_section_stands_in_all_forms(missed_users, log, tmp_path, capsys):
    words = ["compare", str(log), "--model", "popularity", "--metrics", "hit-rate@1"]
    assert run([*words, "--report", str(tmp_path / "report"), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    record = json.loads((tmp_path / "report" / "report.json").read_text())["missed"]
    assert record["heading"] == "Whom the lists miss"
    text, table = record["blocks"]
    (row,) = table["rows"]
    assert row["share"] == pytest.approx(1 - result["metrics"]["hit-rate@1"])
    assert row["n_users"] == round(row["share"] * result["n_users"])
    assert text["text"].startswith("popularity leaves the fewest users without a hit")
    page = (tmp_path / "report" / "report.html").read_text()
    assert '<section id="missed">' in page
    assert '<a href="#missed">Missed users</a>' in page
    assert "## Whom the lists miss" in (tmp_path / "report" / "report.md").read_text()


def test_where_no_metric_is_of_hits_the_section_is_left_out(missed_users, log, tmp_path):
    page = tmp_path / "report.md"
    words = ["compare", str(log), "--model", "popularity", "--metrics", "coverage@3", "--report", str(page)]
    assert run(words) == 0
    assert "Whom the lists miss" not in page.read_text()


def test_contributing_shows_the_example_as_it_is():
    contributing = (EXAMPLE.parents[2] / "CONTRIBUTING.md").read_text()
    assert f"```python\n{EXAMPLE.read_text()}```" in contributing
