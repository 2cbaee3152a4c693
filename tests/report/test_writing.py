from __future__ import annotations

import json

import pandas as pd
import pytest

from recsys.data.ids import Ids
from recsys.errors import ParameterError
from recsys.report import writing
from recsys.report.records import per_user
from recsys.report.writing import check_report, write_report
from tests.report.pages import HOSTILE, measured, page


def users():
    return per_user({"a": measured([0.1, 0.2]), "b": measured([0.3, float("nan")])}, Ids(["x", "y"]))


@pytest.fixture
def no_charts(monkeypatch):
    """Leave out the charts, which take seconds."""
    monkeypatch.setattr(writing, "installed", lambda: None)


@pytest.mark.usefixtures("no_charts")
def test_the_suffix_says_the_form(tmp_path):
    for name in ("report.html", "report.md", "report.json", "report.parquet"):
        write_report(page(), tmp_path / name, users())
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "report.md").read_text().startswith("# ")
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["nothing"] is None
    assert "weighted-nmf" in found["ranking"]
    assert found["plan"] == {HOSTILE: HOSTILE}
    assert set(found["figures"]) >= {"curve", "coverage", "long-tail"}
    table = pd.read_parquet(tmp_path / "report.parquet")
    assert table.model.tolist() == ["a", "a", "b", "b"]
    assert table.user.tolist() == ["x", "y", "x", "y"]
    assert table["ndcg@10"].tolist()[:3] == [0.1, 0.2, 0.3]


@pytest.mark.slow
def test_a_name_without_a_suffix_becomes_a_folder_with_everything(tmp_path):
    folder = tmp_path / "report"
    write_report(page(), folder, users())
    names = {file.name for file in folder.iterdir()}
    assert {"report.html", "report.md", "report.json", "per-user.parquet"} <= names
    if writing.installed() is not None:
        assert {"chart-curve.svg", "chart-curve.png"} <= names
        assert "](chart-curve.svg)" in (folder / "report.md").read_text()
    write_report(page(title="again"), folder, users())
    assert "# again" in (folder / "report.md").read_text()
    assert [file.name for file in tmp_path.iterdir()] == ["report"]


def test_another_form_or_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    (tmp_path / "plain").touch()
    with pytest.raises(ParameterError, match="no known form"):
        check_report(tmp_path / "report.pdf")
    for name in ("photos", "plain"):
        with pytest.raises(ParameterError, match="no folder of a report"):
            check_report(tmp_path / name)
    assert (tmp_path / "photos" / "cat.jpg").exists()


@pytest.mark.usefixtures("no_charts")
def test_write_replaces_the_old_page_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_report(page(title="old"), path)
    monkeypatch.setattr("recsys.report.html.render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(page(title="new"), path)
    assert "<title>old</title>" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("no_charts")
def test_without_the_packages_that_draw_all_else_is_written(tmp_path):
    write_report(page(), tmp_path / "report", users())
    assert {file.name for file in (tmp_path / "report").iterdir()} == {
        "report.html", "report.md", "report.json", "per-user.parquet",
    }  # fmt: skip
