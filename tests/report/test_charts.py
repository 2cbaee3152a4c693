from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("altair")
pytest.importorskip("vl_convert")

from recsys.factorization.history import History
from recsys.report.blocks import Figures
from recsys.report.charts.parts import looks, spread
from recsys.report.charts.vega import Charts
from recsys.report.context import Row
from recsys.report.cost_figures import convergence
from recsys.report.figures import by_popularity, trade_offs
from recsys.report.groups import Groups
from recsys.report.page import build_page
from recsys.report.section import Content, Section
from tests.report.pages import HOSTILE, context, page, profile

values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(values)
def test_labels_keep_their_distance_their_order_and_stay_inside(found):
    placed = spread(found, (0.0, 1.0), 200.0, 16.0)
    assert min(placed) >= -1e-9
    assert max(placed) <= 1 + 1e-9
    order = np.argsort(found, kind="stable")
    gaps = np.diff(np.array(placed)[order])
    assert np.all(gaps >= 16 / 200 - 1e-9)


def test_labels_with_room_stay_where_they_are():
    assert spread([0.9, 0.1, 0.5], (0.0, 1.0), 200.0, 16.0) == [0.9, 0.1, 0.5]


def test_many_labels_share_the_height():
    placed = spread([0.5] * 50, (0.0, 1.0), 200.0, 16.0)
    assert sorted(placed)[0] == pytest.approx(0.0)
    assert sorted(placed)[-1] == pytest.approx(1.0)


def test_every_chart_is_drawn_and_says_in_words_what_it_shows():
    charts = Charts()
    specs = charts.specifications(page())
    assert len(specs) == 13
    for spec in specs.values():
        assert spec["description"]
        assert "var(--" in json.dumps(spec)
        drawn = charts.svg(spec)
        assert "<path" in drawn
        assert "var(--" not in drawn
        assert "<script" not in drawn


def test_a_chart_of_the_page_keeps_the_pages_colours():
    charts = Charts()
    spec = charts.specifications(page())["curve"]
    assert "var(--m1)" in charts.still(spec)
    assert charts.png(spec).startswith(b"\x89PNG")


def test_words_of_a_log_are_data_and_never_part_of_an_expression():
    def expressions(part):
        if isinstance(part, dict):
            for key, value in part.items():
                if key in {"expr", "labelExpr", "signal"}:
                    yield value
                yield from expressions(value)
        elif isinstance(part, list):
            for value in part:
                yield from expressions(value)

    found = [text for spec in Charts().specifications(page()).values() for text in expressions(spec)]
    assert found
    assert not any(HOSTILE[:9] in text for text in found)


def test_extreme_numbers_are_drawn():
    one = {"only": profile(0.0)}
    groups = Groups(("top 1 item", "last 9 items"), np.array([0, 1]))
    flat = History([5.0, 2.0, 1.0, 1.0], [0.0] * 4, [1.0] * 4)
    figures = [
        *trade_offs(one, "ndcg@10", {"only": 0.0}, 10),
        by_popularity(one, groups, 10),
        convergence({"only": flat}),
    ]
    section = Section("all", "All", 0, build=lambda _: Content((Figures(tuple(figures)),)))
    charts = Charts()
    for spec in charts.specifications(build_page(context(("only",)), [section])).values():
        assert "NaN" not in charts.svg(spec)


def test_among_many_models_the_best_those_of_parts_and_the_floor_stand_out():
    labels = [f"model {n}" for n in range(12)]
    rows = [Row(label, n + 1, (), 1.0, 1.0, model="als") for n, label in enumerate(labels)]
    rows += [
        Row("own", 13, (), 1.0, 1.0, model="masked-nmf"),
        Row("floor", 0, (), 1.0, 1.0, model="popularity"),
    ]
    found = looks(rows)
    assert [label for label, look in found.items() if look.opacity == 1] == [*labels[:5], "own", "floor"]
    assert len({(look.colour, look.dash) for look in found.values()}) == 14
    assert {look.dash for look in list(found.values())[:5]} == {(1, 0)}
    assert found["model 5"].dash != (1, 0)
    assert all(look.opacity == 1 for look in looks(rows[:6]).values())


def test_a_faint_line_is_drawn_faint():
    labels = [*(f"model {n}" for n in range(8)), "popularity"]
    charts = Charts()
    drawn = charts.svg(charts.specifications(page(labels))["curve"])
    assert 'opacity="0.35"' in drawn
    assert "NaN" not in drawn


def test_a_name_with_room_is_written_in_full():
    charts = Charts()
    drawn = charts.svg(charts.specifications(page(["als", "weighted-nmf"]))["curve"])
    assert ">weighted-nmf</text>" in drawn
