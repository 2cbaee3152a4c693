from __future__ import annotations

import numpy as np
import pytest

from recsys.evaluation.significance import compare_pairs
from recsys.report.headline import strip, tiles
from recsys.report.html import render
from recsys.report.palette import DARK, LIGHT
from recsys.report.table import colours, intervals, table_rows
from tests.report.pages import context, measured, page, record


def test_best_of_each_column_is_highest_or_for_errors_lowest():
    rows = table_rows(
        [record("a", **{"ndcg@5": 0.2, "rmse": 0.8}), record("b", **{"ndcg@5": 0.4, "rmse": 1.0})],
        ["ndcg@5", "rmse"],
    )
    assert [[cell.is_best for cell in row.cells] for row in rows] == [[False, True], [True, False]]
    assert [[cell.share for cell in row.cells] for row in rows] == [[0.5, 1.0], [1.0, pytest.approx(0.8)]]


def test_where_neither_more_nor_less_is_better_nobody_is_best():
    rows = table_rows([record("a", **{"popularity-lift@5": 1.2})], ["popularity-lift@5"])
    assert not rows[0].cells[0].is_best


def test_missing_values_and_failed_models_have_their_place():
    failed = {"label": "b", "model": "als", "metrics": {}, "error": "out of themes"}
    rows = table_rows([record("a", rmse=None), failed, record("c", rmse=0.0)], ["rmse"])
    assert rows[0].cells[0].value is None
    assert rows[1].error == "out of themes"
    assert rows[2].cells[0].is_best
    assert "failed: out of themes" in render(
        page(rows=rows, metrics=["rmse"], main_metric="rmse", measured={}, list_profiles={})
    )


def test_a_model_is_level_with_the_best_unless_a_test_says_otherwise():
    draw = np.random.default_rng(0)
    best = draw.random(300)
    models = {
        "best": measured(best),
        "level": measured(best - 0.001 + draw.normal(0, 0.2, 300)),
        "worse": measured(best - 0.5 + draw.normal(0, 0.01, 300)),
    }
    pairs = compare_pairs(models, "ndcg@10", seed=0)
    records = [record(label, **at.metrics) for label, at in models.items()]
    rows = table_rows(records, ["ndcg@10"], intervals(models, ["ndcg@10"], seed=0), pairs)
    cells = {row.label: row.cells[0] for row in rows}
    top = max(cells.values(), key=lambda cell: cell.value)
    assert top.is_best
    assert not top.is_level
    assert sorted(label for label, cell in cells.items() if cell.is_best or cell.is_level) == [
        "best",
        "level",
    ]
    assert all(cell.low < cell.value < cell.high for cell in cells.values())


def test_the_floor_is_grey_and_the_others_differ():
    found = colours([record(f"m{n}") for n in range(14)] + [record("popularity", "popularity")])
    assert found["popularity"] == 0
    assert sorted(found.values()) == list(range(15))
    assert all(f"m{colour}" in palette for colour in found.values() for palette in (LIGHT, DARK))
    assert colours([record("popularity", "popularity")]) == {"popularity": 1}


def test_the_strip_is_in_order_and_inside():
    lines = strip(context())
    values = [float(line.text) for line in lines]
    assert values == sorted(values, reverse=True)
    for line in lines:
        assert 0 <= float(line.left) <= float(line.position) <= float(line.left) + float(line.width) <= 100


def test_for_errors_the_strip_begins_with_the_lowest():
    rows = table_rows([record("a", rmse=0.9), record("b", rmse=0.8)], ["rmse"])
    found = context(rows=rows, metrics=["rmse"], main_metric="rmse", pairs=())
    assert [line.label for line in strip(found)] == ["b", "a"]
    assert tiles(found)[0] == ("0.8000", "rmse of b")


def test_tiles_say_the_lead_and_whether_it_is_clear():
    found = {words: value for value, words in tiles(context())}
    assert any(words.endswith(": clear") for words in found)
    assert found["users measured"] == "40"


def test_noise_is_no_figure_to_remember():
    draw = np.random.default_rng(3)
    models = {"a": measured(draw.random(30)), "b": measured(draw.random(30))}
    rows = table_rows([record(label, **at.metrics) for label, at in models.items()], ["ndcg@10"])
    pairs = compare_pairs(models, "ndcg@10", seed=0)
    assert not pairs[0].is_significant
    found = tiles(context(rows=rows, metrics=["ndcg@10"], pairs=pairs))
    assert ("1", "other model not clearly worse") in found
    assert not any(value.startswith(("+", "−")) for value, _ in found)


def test_the_floor_is_the_model_of_that_colour_and_no_label_that_sounds_like_it():
    models = {
        "popularity-like": measured([0.5] * 20),
        "best": measured([0.9] * 20),
        "p": measured([0.3] * 20),
    }
    kinds = {"p": "popularity"}
    records = [record(label, kinds.get(label, "als"), **at.metrics) for label, at in models.items()]
    rows = table_rows(records, ["ndcg@10"])
    found = tiles(context(rows=rows, metrics=["ndcg@10"], pairs=compare_pairs(models, "ndcg@10", seed=0)))
    assert ("+200\u00a0%", "beside p, the floor") in found
