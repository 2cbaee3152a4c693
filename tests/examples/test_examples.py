"""The examples do what CONTRIBUTING says: what a file registers is usable by name everywhere."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from recsys.evaluation.metrics import unregister_metric
from recsys.models.registry import MODELS
from recsys.report.section import unregister_section
from recsys.splitting.rules import unregister_split_rule
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


@pytest.fixture
def new_items():
    yield runpy.run_path(str(HERE / "add_a_split_rule.py"))
    unregister_split_rule("new-items")


def test_a_split_rule_is_usable_by_name_and_told_in_the_report(new_items, tmp_path, capsys):
    # Of eight items, each later than the one before, the last two are new; one user takes only these.
    rows = [f"u{user},i{item},{10 * item + user}" for item in range(8) for user in range(4)]
    rows += [f"new,i{item},{10 * item + 5}" for item in (6, 7)]
    log, page = tmp_path / "log.csv", tmp_path / "report.md"
    log.write_text("user,item,time\n" + "\n".join(rows) + "\n")
    words = [
        "compare",
        str(log),
        "--model",
        "popularity",
        "--split",
        "new-items:0.25",
        "--metrics",
        "recall@2",
    ]
    assert run([*words, "--report", str(page), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    split = found["split"]
    assert split["name"] == "new-items:0.25"
    assert (split["n_train_events"], split["n_held_out_events"]) == (24, 10)
    assert (split["n_cold_items"], split["n_cold_users"]) == (2, 1)
    assert found["results"][0]["metrics"]["recall@2"] == 0
    assert "The 25 % of the items that came last are held out, with all their events." in page.read_text()
    assert run(["splits"]) == 0
    assert "new-items:SHARE" in capsys.readouterr().out


@pytest.fixture
def missed_users():
    yield runpy.run_path(str(HERE / "add_a_report_section.py"))
    unregister_section("missed")


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


def test_a_model_is_usable_by_where_it_is(log, monkeypatch, capsys):
    monkeypatch.setattr(MODELS, "_entries", dict(MODELS._entries))
    monkeypatch.chdir(HERE)
    words = ["evaluate", str(log), "--model", "add_a_model:CoVisitation", "--set", "exponent=0.3"]
    assert run([*words, "--metrics", "ndcg@3", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["config"] == {"exponent": 0.3}
    assert 0 < result["metrics"]["ndcg@3"] <= 1


@pytest.mark.parametrize("name", ["add_a_metric", "add_a_model", "add_a_report_section", "add_a_split_rule"])
def test_contributing_shows_the_example_as_it_is(name):
    code = (HERE / f"{name}.py").read_text()
    assert f"```python\n{code}```" in (HERE.parents[1] / "CONTRIBUTING.md").read_text()
