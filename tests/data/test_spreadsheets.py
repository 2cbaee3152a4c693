"""Sheets of workbooks."""

import datetime
import sys
from pathlib import Path

import pytest

from recsys.data.load import load_log
from recsys.errors import DependencyError, LogError

openpyxl = pytest.importorskip("openpyxl")

MOMENT = datetime.datetime(2024, 1, 5, 10)
ROWS = [["user", "item", "rating", "time"], [1, "007", 4, MOMENT], [2, "7", 2.5, MOMENT]]


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_a_sheet_is_a_log(tmp_path: Path) -> None:
    log = load_log(workbook(tmp_path / "log.xlsx", June=ROWS))
    assert log.log.user_ids.values.tolist() == [1, 2]
    assert log.log.item_ids.values.tolist() == ["007", "7"]
    assert log.log.values.tolist() == [4.0, 2.5]
    assert log.log.span()[0] == "2024-01-05T10:00:00"
    assert log.source.endswith("log.xlsx, sheet June")
    assert "--table June" in log.read_as.flags()


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "log.xlsx", June=ROWS, Notes=[["x"]])
    with pytest.raises(LogError, match=r"a workbook of the sheets 'June', 'Notes'\. Name one by --table"):
        load_log(path)
    with pytest.raises(LogError, match=r"there is no sheet 'July'; there are 'June', 'Notes'"):
        load_log(path, table="July")
    assert len(load_log(path, table="June").log) == 2


def test_rows_are_those_of_the_sheet(tmp_path: Path) -> None:
    rows = [["Export"], [None], *ROWS, [3, None, 1, MOMENT]]
    path = workbook(tmp_path / "log.xlsx", June=rows)
    with pytest.raises(
        LogError, match=r"log\.xlsx, sheet June, row 6, column 'item': the item id is missing"
    ):
        load_log(path, skip=1)
    headless = workbook(tmp_path / "headless.xlsx", June=ROWS[1:])
    log = load_log(headless, header="none", user="1", item="2", value="3", time="4")
    assert len(log.log) == 2


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "log.xlsx"
    path.write_text("user,item\n1,2\n")
    with pytest.raises(LogError, match=r"log\.xlsx: no workbook that can be read"):
        load_log(path)
    with pytest.raises(LogError, match=r"gone\.xlsx: no such file"):
        load_log(tmp_path / "gone.xlsx")
    with pytest.raises(LogError, match="the sheet is empty"):
        load_log(workbook(path, June=[]))


def test_without_openpyxl_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "log.xlsx", June=ROWS)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DependencyError, match=r"recsys\[excel\]"):
        load_log(path)
