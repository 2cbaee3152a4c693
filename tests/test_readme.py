"""The README does what it says: its Python blocks run, and so do the commands on a log of one's own."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys_cli.main import run

TEXT = (Path(__file__).parents[1] / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.S)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.S)
ELSEWHERE = ("pip install", "u1_train.parquet", "train train.parquet", "evaluate train.parquet")
"""Installation is tried by the check of the wheel, the accuracy of tuned settings by the benchmarks."""


@pytest.fixture
def purchases(tmp_path, monkeypatch):
    """A purchase log of half a year with the columns and some of the ids that the README names."""
    generator = np.random.default_rng(0)
    n = 3_000
    users = np.r_[[17850, 13047], np.arange(12346, 12404)]
    items = np.array(["85099B", "22423", *(f"{number}" for number in range(20_000, 20_058))])
    frame = pd.DataFrame(
        {
            "InvoiceDate": pd.Timestamp("2011-01-01") + pd.to_timedelta(generator.integers(0, 180, n), "D"),
            "CustomerID": users[generator.integers(0, len(users), n)],
            "StockCode": items[(generator.random(n) ** 2 * len(items)).astype(int)],
            "Quantity": generator.integers(-1, 5, n),
        }
    )
    frame.to_csv(tmp_path / "purchases.csv", index=False)
    monkeypatch.chdir(tmp_path)


def test_the_tour_is_short():
    assert len([line for line in PYTHON[0].splitlines() if line.strip()]) < 25


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_blocks_run(number, purchases, capsys):
    exec(compile(PYTHON[number], f"README.md, Python block {number + 1}", "exec"), {})
    if "report" in PYTHON[number]:
        assert Path("report.html").is_file()
        assert "13047" in capsys.readouterr().out


def test_commands_on_a_log_of_ones_own_run(purchases, capsys):
    commands = [line for block in SHELL for line in block.splitlines() if line.startswith(("recsys", "kept"))]
    variables = {}
    n_run = 0
    for line in commands:
        if line.startswith("kept="):
            (variables["kept"],) = shlex.split(line.removeprefix("kept="))
        elif not any(words in line for words in ELSEWHERE):
            arguments = shlex.split(line)
            filled = [variables["kept"] if word == "$kept" else word for word in arguments[1:]]
            assert run(filled) == 0, capsys.readouterr().err
            n_run += 1
    assert n_run >= 7


def test_what_is_run_elsewhere_is_known():
    known = [block for block in SHELL if any(words in block for words in ELSEWHERE)]
    assert len(SHELL) - len(known) == 2
