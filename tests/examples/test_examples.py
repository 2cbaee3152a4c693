"""The examples do what CONTRIBUTING says: what a file registers is usable by name everywhere."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from recsys.evaluate.metrics import unregister_metric
from recsys_cli.main import run

HERE = Path(__file__).parent


@pytest.fixture
def rbp():
    yield runpy.run_path(str(HERE / "add_a_metric.py"))
    unregister_metric("rbp")


@pytest.fixture
def log(tmp_path):
    rows = [f"u{user},i{item}" for user in range(12) for item in range(10) if (3 * user + item) % 4]
    path = tmp_path / "log.csv"
    path.write_text("user,item\n" + "\n".join(rows) + "\n")
    return path


def test_a_metric_is_usable_in_a_plan_and_stands_in_the_report(rbp, log, tmp_path, capsys):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f'log = {{source = "{log}"}}\nmetrics = {{names = ["rbp@3", "hit-rate@1", "rbp-gap@3"]}}\n'
        f'models = [{{name = "popularity"}}]\nreport = {{path = "{tmp_path / "report.md"}"}}\n'
    )
    assert run(["compare", str(plan), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    share_first = result["metrics"]["hit-rate@1"]
    weights = [0.2 * 0.8**position for position in range(3)]
    assert weights[0] * share_first <= result["metrics"]["rbp@3"] <= sum(weights)
    low, high = result["intervals"]["rbp@3"]
    assert low <= result["metrics"]["rbp@3"] <= high
    assert result["groups"]["rbp-gap@3"]
    page = (tmp_path / "report.md").read_text()
    assert "rbp@3" in page
    assert "hits weighed by the chance that a user looks that far down the list" in page
    assert run(["metrics"]) == 0
    assert "rbp@k" in capsys.readouterr().out


def test_a_metric_that_is_not_registered_is_not_known(log, capsys):
    assert run(["evaluate", str(log), "--model", "popularity", "--metrics", "rbp@3"]) == 2
    assert "there is no metric 'rbp@3'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["add_a_metric"])
def test_contributing_shows_the_example_as_it_is(name):
    code = (HERE / f"{name}.py").read_text()
    assert f"```python\n{code}```" in (HERE.parents[1] / "CONTRIBUTING.md").read_text()
