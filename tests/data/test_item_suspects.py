"""Items that are suspect by their prices and descriptions, each with the flag that answers it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from recsys.data.load import load_log
from recsys.experiment.given_logs import LogPlan
from recsys.remarks import RemarkCode

GOODS = [
    f"{number % 7},{1000 + number % 30},MUG {'ABC'[number % 3]},2,{1 + number % 5}.5" for number in range(90)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "shop.csv"


def remarks_on(path: Path, rows: list[str], where: str | None = None) -> list[str]:
    path.write_text("\n".join(["user,item,description,quantity,price", *GOODS, *rows]) + "\n")
    loaded = LogPlan(path, where=where).load(looks=True)
    return [remark.text for remark in loaded.remarks if remark.code is RemarkCode.SUSPECT_ITEMS]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1,B,ADJUST,1,-50", "2,B,ADJUST,1,-4"], "1 item with 2 rows has prices below 0, down to -50 (B)"),
        (
            ["1,FEE,AMAZON FEE,1,7000"],
            "1 item with 1 row has prices up to 7,000, where 99 of 100 items cost at",
        ),
        (
            ["1,1900,,1,2", "2,1900,,1,2", "1,1000,,1,2"],
            "1 item with 2 rows has no description (1900); leave",
        ),
        (["1,1900,?,1,2", "2,1901,7X,1,2"], "2 items with 2 rows have a description of fewer than 3 letters"),
    ],
)
def test_a_suspect_and_the_flag_that_answers_it(path: Path, rows: list[str], said: str) -> None:
    (remark,) = remarks_on(path, rows)
    assert remark.startswith(said)
    flag = re.search(r"--where .*", remark)
    assert flag is not None
    where = shlex.split(flag[0])[1]
    assert remarks_on(path, rows, where) == []
    assert len(load_log(path, where=where).log) < len(GOODS) + len(rows)


def test_what_is_no_suspect(path: Path) -> None:
    assert remarks_on(path, ["1,1900,Größe Ölkännchen,1,20", "1,1901,茶の湯,1,2", "1,1000,,1,2"]) == []
    path.write_text("user,item,title,price,rating\n1,2,,-7,4\n1,3,IT,9,5\n")  # films, not goods
    assert [r for r in LogPlan(path).load(looks=True).remarks if r.code is RemarkCode.SUSPECT_ITEMS] == []
    path.write_text(
        "user,item,description,price\n" + "".join(f"1,{n},A{n},{1 + 99 * (n == 9)}\n" for n in range(10))
    )
    assert [r for r in LogPlan(path).load(looks=True).remarks if r.code is RemarkCode.SUSPECT_ITEMS] == []
    assert load_log(path).remarks == ()
