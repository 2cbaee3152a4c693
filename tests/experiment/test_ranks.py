"""Numbers of components: what was planted is found, and every figure is what it says."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import ParameterError
from recsys.evaluation.quantity import quantity_of
from recsys.experiment import comparison
from recsys.experiment.tuning.rank_evidence import RankEvidence, Ranks
from recsys_cli.main import run
from tests.report.browser import CHROMIUM, Browser


@pytest.fixture(autouse=True)
def no_precompiling(monkeypatch):
    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)


def planted(rank, *, noise, n_users=150, n_items=90, seed=0):
    """Ratings that are sums of so many non-negative components, half of them observed."""
    generator = np.random.default_rng(seed)
    users, items = generator.gamma(0.6, 1.0, (n_users, rank)), generator.gamma(0.6, 1.0, (rank, n_items))
    ratings = np.maximum(users @ items + noise * generator.standard_normal((n_users, n_items)), 0)
    row, column = np.nonzero(generator.random(ratings.shape) < 0.5)
    return pd.DataFrame({"user": row, "item": column, "rating": ratings[row, column].round(4)})


MODEL = recsys.MaskedNMF(2, biases=False, l2=0.002, max_iter=150, tol=0.0, clip=False)


@pytest.fixture(scope="module")
def evidence():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "precompile", lambda *_, **__: None)
        return recsys.ranks(MODEL, planted(4, noise=0.2), [16, 2, 3, 4, 4, 6, 10], metric="rmse", n_starts=2)


def test_the_planted_number_is_chosen(evidence):
    assert [row.n_components for row in evidence.rows] == [2, 3, 4, 6, 10, 16]
    assert evidence.chosen.n_components == 4
    assert not evidence.is_at_edge
    by_number = {row.n_components: row for row in evidence.rows}
    assert by_number[2].behind > 2 * by_number[2].behind_error
    assert by_number[4].stability > 0.95 > by_number[16].stability


def test_what_is_minimised_falls_with_every_component_and_chooses_nothing(evidence):
    objectives = [row.objective for row in evidence.rows]
    assert objectives[0] == 1.0
    assert objectives == sorted(objectives, reverse=True)


def test_values_are_those_of_an_evaluation(evidence):
    measured = recsys.evaluate(
        recsys.MaskedNMF(6, biases=False, l2=0.002, max_iter=150, tol=0.0, clip=False, random_state=0),
        planted(4, noise=0.2),
        split="random:0.2",
        metrics="rmse",
    )
    row = evidence.rows[3]
    assert row.value == measured.metrics["rmse"]
    span = measured.interval("rmse")
    assert (row.low, row.high) == (span.low, span.high)


def test_the_standard_error_is_that_of_the_paired_difference():
    log = planted(3, noise=0.5, seed=1)
    found = recsys.ranks(MODEL, log, [2, 3], metric="mae", n_starts=1)
    parts = recsys.split(log, "random:0.2")
    totals, sizes = [], None
    for number in (2, 3):
        model = MODEL.set_params(n_components=number, random_state=0)
        quantity = quantity_of(recsys.evaluate(model, parts, metrics="mae").measurements, "mae")
        totals.append(quantity.totals)
        sizes = quantity.sizes
    generator, drawn = np.random.default_rng(0), []
    for _ in range(3000):
        users = generator.integers(0, len(sizes), len(sizes))
        drawn.append((totals[0][users].sum() - totals[1][users].sum()) / sizes[users].sum())
    worse = next(row for row in found.rows if row.behind > 0)
    assert worse.behind_error == pytest.approx(np.std(drawn), rel=0.1)
    assert found.best.behind_error == 0


def test_one_start_has_no_stability_and_a_model_without_components_neither():
    log = planted(2, noise=0.3, n_users=40, n_items=30)
    (row,) = recsys.ranks(MODEL, log, [2], metric="rmse", n_starts=1).rows
    assert row.stability is None
    assert row.spread == 0
    (row,) = recsys.ranks("pure-svd", log, [2], n_starts=2).rows
    assert row.stability is None
    assert row.objective is None


def test_the_rule_of_one_standard_error():
    def row(number, behind, error):
        return RankEvidence(number, 0.1, 0.0, 0.2, behind, error, 0.0, None, None, None, 0.1)

    made = Ranks("als", "ndcg@10", "random:0.2", 1, (row(4, 0.02, 0.01), row(8, 0.005, 0.006), row(16, 0, 0)))
    assert (made.best.n_components, made.chosen.n_components, made.is_at_edge) == (16, 8, True)
    assert "8 components" in repr(made)


def test_the_report_has_one_picture_and_one_table(evidence, tmp_path):
    folder = evidence.report(tmp_path / "ranks")
    names = {path.name for path in folder.iterdir()}
    assert names == {"report.html", "report.md", "report.json", "chart-ranks.svg"}
    page, text = ((folder / name).read_text("utf-8") for name in ("report.html", "report.md"))
    assert page.count("<svg") == 1
    assert "https:" not in page
    assert f"> {evidence.answer}" in text
    assert "![rmse and what goes with it, by number of components](chart-ranks.svg)" in text
    assert text.count("| chosen, best |") == 1
    record = json.loads((folder / "report.json").read_text("utf-8"))
    assert record["ranks"] == evidence.to_json()["ranks"]
    assert (record["chosen"], record["log"]["n_pairs"]) == (4, 6756)
    picture = ElementTree.parse(folder / "chart-ranks.svg").getroot()
    circles = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert len(circles) == 5 * len(evidence.rows)
    quality = circles[: len(evidence.rows)]
    assert [circle.get("class") is None for circle in quality] == [row.is_level for row in evidence.rows]
    # Lower on the page is a smaller value.
    heights, values = [-float(circle.get("cy")) for circle in quality], [row.value for row in evidence.rows]
    assert np.argsort(heights).tolist() == np.argsort(values).tolist()


def test_one_file_of_a_form_and_what_has_none(evidence, tmp_path):
    assert "<svg" in evidence.report(tmp_path / "ranks.html").read_text("utf-8")
    assert "recsys.ranks('masked-nmf'" in evidence.report(tmp_path / "ranks.md").read_text("utf-8")
    for name in ("ranks.parquet", "ranks.pdf"):
        with pytest.raises(ParameterError, match=f"'{name}' has no known form"):
            evidence.report(tmp_path / name)
    by_hand = Ranks("als", "ndcg@10", "random:0.2", 1, evidence.rows)
    with pytest.raises(ParameterError, match="the evidence is of no log"):
        by_hand.report(tmp_path / "ranks.md")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_the_picture_is_legible_on_a_phone_and_on_a_screen(evidence, tmp_path):
    path = evidence.report(tmp_path / "ranks.html")
    size = "document.querySelector('.panels .title').getBoundingClientRect().height"
    with Browser() as browser:
        for width in (390, 1280):
            for dark in (False, True):
                browser.open(path, width=width, dark=dark)
                assert browser.faults == []
                assert browser.requests == [path.as_uri()]
                assert browser.run("document.documentElement.scrollWidth <= innerWidth")
                assert browser.run(size) >= 12  # pixels


@pytest.mark.parametrize(
    ("model", "numbers", "options", "message"),
    [
        ("popularity", [2], {}, "popularity has no n_components"),
        ("als", [], {}, "0 numbers of components are given"),
        ("als", [0], {}, "0 is no number of components"),
        ("als", [True], {}, "True is no number of components"),
        ("als", ["8"], {}, "'8' is no number of components"),
        ("als", [2], {"n_starts": 0}, "n_starts is 0"),
        ("als", [2], {"metric": "coverage@5"}, "coverage@5 is of all lists together"),
        ("als", [2], {"metric": "popularity-lift@5"}, "popularity-lift@5 has no better end"),
        ("weighted-nmf", [100_000], {}, "n_components is 100000"),
    ],
)
def test_what_cannot_be_compared_is_refused(model, numbers, options, message):
    log = planted(2, noise=0.3, n_users=30, n_items=20)
    with pytest.raises(ParameterError, match=message):
        recsys.ranks(model, log, numbers, **options)


def test_the_command_shows_a_picture_and_the_choice(tmp_path, capsys):
    path = tmp_path / "log.csv"
    planted(2, noise=0.3, n_users=40, n_items=30).to_csv(path, index=False)
    flags = ["--model", "masked-nmf", "--set", "biases=false", "--ranks", "1,2,4", "--starts", "2"]
    assert run(["ranks", str(path), *flags]) == 0
    shown = capsys.readouterr().out
    assert "masked-nmf by rmse on random:0.2, 2 starts of each" in shown
    assert "█" * 20 in shown
    assert "standard error" in shown
    report = ["--report", str(tmp_path / "ranks.md")]
    assert run(["ranks", str(path), *flags, *report, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] == report[1]
    assert "| chosen" in (tmp_path / "ranks.md").read_text("utf-8")
    assert run(["ranks", str(path), *flags, "--report", str(tmp_path / "ranks.pdf")]) == 2
    assert "'ranks.pdf' has no known form; expected .html, .md, .json" in capsys.readouterr().err
    assert run(["ranks", str(path), "--model", "als", "--ranks", "four"]) == 2
    assert "--ranks 'four': expected whole numbers" in capsys.readouterr().err
