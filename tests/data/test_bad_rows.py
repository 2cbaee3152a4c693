"""Rows that cannot be used, skipped when that is asked for: counted, and written with line and reason."""

import csv
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from recsys.data.load import load_log
from recsys.data.prepared import save_log
from recsys.errors import LogError, ParameterError
from recsys_cli.main import run

GOOD = [f"u{n},i{n % 3},{n % 5 + 1},{1_600_000_000 + n}" for n in range(12)]
BAD = {
    4: ("u1,i1,x,1600000000", "found 'x'; expected a number"),
    6: ("u1,i1,3", "3 fields where the header has 4"),
    7: ("u1,i1,3,1600000000,9,9", "6 fields where the header has 4"),
    9: (",i1,3,1600000000", "the user id is missing"),
    11: ("u1,i1,-2,1600000000", "found '-2'; expected an amount of 0 or more"),
    13: ("u1,NA,2,1600000000", "the item id is missing, the cell is 'NA'"),
}


def _lines() -> list[str]:
    lines = ["user,item,count,timestamp", *GOOD]
    for number, (text, _) in BAD.items():
        lines.insert(number - 1, text)
    return lines


def _written(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_bad_rows_are_skipped_counted_and_written(tmp_path: Path, ending: str) -> None:
    path, out = tmp_path / f"log{ending}", tmp_path / "bad.csv"
    content = ("\n".join(_lines()) + "\n").encode() + b"u\xff,i1,2,1600000000\n"
    path.write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    with pytest.raises(LogError):
        load_log(path)
    loaded = load_log(path, on_bad_row="skip", bad_rows=str(out))
    only_good = tmp_path / "good.csv"
    only_good.write_text("\n".join([_lines()[0], *GOOD]))
    expected = load_log(only_good).log
    assert loaded.log.users.tolist() == expected.users.tolist()
    assert loaded.log.user_ids == expected.user_ids
    assert loaded.log.values.tolist() == expected.values.tolist()
    assert loaded.n_read == len(GOOD) + len(BAD) + 1
    assert sum(drop.n_rows for drop in loaded.dropped) == len(BAD) + 1
    assert any(
        drop.reason.startswith("rows of more or fewer fields, the first in line 6") for drop in loaded.dropped
    )
    rows = {int(row["line"]): (row["row"], row["problem"]) for row in _written(out)}
    assert rows.pop(20) == (r"u\xff,i1,2,1600000000", "not UTF-8")
    assert rows == BAD
    assert {row["source"] for row in _written(out)} == {str(path)}


def test_a_quoted_line_end_does_not_move_the_lines(tmp_path: Path) -> None:
    path, out = tmp_path / "log.csv", tmp_path / "bad.csv"
    path.write_text('user,item,note,count\nu1,"a\nb",,1\nu2,b,1\nu3,"c",,x\nu4,d,,1\nu5,d,,1\n')
    loaded = load_log(path, on_bad_row="skip", bad_rows=str(out))
    assert list(loaded.log.item_ids) == ["a\nb", "d"]
    assert [(row["line"], row["row"]) for row in _written(out)] == [("4", "u2,b,1"), ("5", 'u3,"c",,x')]


def test_rows_of_tables_and_json_are_skipped(tmp_path: Path) -> None:
    frame = pd.DataFrame({"user": [1, 2, 3, 4], "item": [1, 1, 2, 2], "count": [1.0, float("inf"), 3.0, 4.0]})
    lines = tmp_path / "log.jsonl"
    objects = [{"user": "a", "item": 1, "count": value} for value in (1, 2, -3, 4)]
    lines.write_text("\n".join(map(json.dumps, objects)).replace("\n", "\n\n"))
    for source, line in ((frame, "2"), (lines, "5")):
        out = tmp_path / "bad.csv"
        loaded = load_log(source, on_bad_row="skip", bad_rows=str(out))
        assert len(loaded.log) == 3
        (row,) = _written(out)
        assert row["line"] == line
        assert set(json.loads(row["row"])) == {"user", "item", "count"}


def test_only_rows_that_the_conditions_keep_are_bad(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(_lines()[:5]).replace("timestamp", "when"))
    assert (
        not load_log(path, where="count <> 'x'", time="-", on_bad_row="skip").dropped[0].reason.count("value")
    )


def test_what_is_mostly_bad_is_read_wrongly(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,count\na,b,x\na,c,y\nb,c,1\n")
    with pytest.raises(LogError, match=r"2 of 3 rows cannot be used, .* line 2|line 2.*2 of 3 rows"):
        load_log(path, on_bad_row="skip")
    path.write_text("user,item,count\na,b\na\nb,c\nb,c,1\n")
    with pytest.raises(LogError, match="3 of 4 rows cannot be used"):
        load_log(path, on_bad_row="skip")


def test_an_open_quote_is_still_an_error(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text('user,item,count\na,"b,1\n' + "a,c,1\n" * 20)
    with pytest.raises(LogError, match="quote"):
        load_log(path, on_bad_row="skip")


def test_a_prepared_log_keeps_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("\n".join(_lines()))
    loaded = load_log(path, on_bad_row="skip")
    save_log(loaded, tmp_path / "prepared")
    assert load_log(tmp_path / "prepared").dropped == loaded.dropped


def test_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "log.csv", tmp_path / "bad.csv"
    path.write_text("\n".join(_lines()))
    assert run(["data", "describe", str(path), "--on-bad-row", "skip", "--bad-rows", str(out)]) == 0
    assert f"all are in {out}" in capsys.readouterr().out
    with pytest.raises(ParameterError, match="expected one of error, skip"):
        load_log(path, on_bad_row="ignore")
