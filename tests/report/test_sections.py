"""A section registers once and stands in every form of the report; every form knows every block."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args

import pytest

from recsys.errors import ParameterError
from recsys.report import html, markdown, records, section
from recsys.report.blocks import (
    Block,
    Card,
    CardEntry,
    CardList,
    Cards,
    Code,
    Facts,
    Figures,
    Folded,
    Heading,
    HeatMap,
    IntervalLine,
    IntervalPlot,
    Lead,
    Notes,
    Only,
    SideBySide,
    Strong,
    Text,
)
from recsys.report.drawing import installed
from recsys.report.page import build_page
from recsys.report.panels import Panel, Panels
from recsys.report.section import Content, Section, register_section, registered_sections
from recsys.report.tables import Column, Estimate, Failure, Figure, Label, Table
from tests.report.pages import HOSTILE, context, page

COLUMNS = (Column("model", "model"), Column("price", "price", "number"))
EVERY = (
    Text(("text word ", Strong("strong word"))),
    Lead(("lead word",)),
    Notes(("notes word",)),
    Facts((("facts name", "facts word"),)),
    Table("prices", COLUMNS, ((Label("label word", 1), 2.5), (Label("other", 2), Failure("failure word")))),
    Figures((Figure("price", "figure word", "caption word", COLUMNS, (("als", 3),)),)),
    IntervalPlot("plot", (IntervalLine("line word", 1, "50", None, None, "0.5"),), ("0", "1"), "plot word"),
    Cards((Card("card word", (CardList((CardEntry("entry word", tag="tag word"),)),)),)),
    Code("code word", "file word"),
    Heading("heading word"),
    Folded("summary", (Text("folded word"),)),
    SideBySide((("left", (Text("left word"),)), ("right", (Text("right word"),)))),
    HeatMap("heat word", "how alike", ("first word", "second word"), ((1.0, 0.5), (0.5, 1.0))),
    Panels(
        name="panels",
        title="panels word",
        caption="below one another",
        axis="axis word",
        labels=("2", "4"),
        panels=(Panel("quality word", (0.25, None), "score", spans=((0.125, 0.375), (0.0, 0.0))),),
        marked=0,
        mark="mark word",
    ),
)
WORDS = (
    "text word", "strong word", "lead word", "notes word", "facts name", "facts word", "label word",
    "failure word", "line word", "card word", "entry word", "tag word", "code word", "heading word",
    "folded word", "left word", "right word", "heat word", "first word", "second word",
)  # fmt: skip


@pytest.fixture
def registry(monkeypatch):
    """Let sections be registered that are gone after the test."""
    registered_sections()
    monkeypatch.setattr(section._sections, "_entries", dict(section._sections._entries))


def forms(built, drawing=None):
    return html.render(built, drawing), markdown.render(built), records.to_json(built)


def test_every_kind_of_block_is_known():
    assert {type(block) for block in EVERY} | {Only} == set(get_args(Block))


def test_a_section_stands_in_all_forms_with_every_kind_of_block(registry):
    register_section(Section("mine", "My own heading", 45, lambda _: Content(EVERY)))
    for text in forms(page()):
        for word in (*WORDS, "My own heading", "figure word", "caption word"):
            assert word in text
    own = json.loads(records.to_json(page()))["mine"]
    assert own["heading"] == "My own heading"
    rows = next(block["rows"] for block in own["blocks"] if block["kind"] == "table")
    assert rows == [{"model": "label word", "price": 2.5}, {"model": "other", "error": "failure word"}]


def test_sections_come_by_their_order(registry):
    register_section(Section("mine", "My own heading", 45, lambda _: Content((Text("word"),)), label="Mine"))
    for text in forms(page())[:2]:
        headings = ("Time, memory and convergence", "My own heading", "What some users would see")
        places = [text.index(heading) for heading in headings]
        assert places == sorted(places)
    assert '<a href="#mine">Mine</a>' in html.render(page())


def test_a_figure_without_a_chart_is_a_table_beside_charts_that_are_drawn(registry):
    drawing = installed()
    if drawing is None:
        pytest.skip("the packages that draw are not installed")
    register_section(Section("mine", "Mine", 45, lambda _: Content((EVERY[5],))))
    text = html.render(page(), drawing)
    own = text[text.index('id="chart-price"') :]
    assert own.index('<table class="numbers">') < own.index("</figure>")
    assert 'class="chart"' in text


def test_blocks_for_one_form_stand_in_it_alone():
    blocks = tuple(Only(form, (Text(f"for {form} alone"),)) for form in ("html", "markdown", "json"))
    own = Section("mine", "Mine", 0, lambda _: Content(blocks))
    built = build_page(context(answer=["."]), [own])
    for form, text in zip(("html", "markdown", "json"), forms(built), strict=True):
        assert [f"for {other} alone" in text for other in ("html", "markdown", "json")] == [
            other == form for other in ("html", "markdown", "json")
        ]


def test_words_of_a_section_are_text_in_every_block(registry):
    hostile = (
        Text((HOSTILE, Strong(HOSTILE))), Lead((HOSTILE,)), Notes((HOSTILE,)), Facts(((HOSTILE, HOSTILE),)),
        Table(HOSTILE, (Column("a", HOSTILE), Column("b", "b")), ((HOSTILE, Failure(HOSTILE)),)),
        Cards((Card(HOSTILE, (CardList((CardEntry(HOSTILE, HOSTILE, HOSTILE, "", HOSTILE),), HOSTILE),)),)),
        Code("x", HOSTILE), Heading(HOSTILE), Folded(HOSTILE, ()), SideBySide(((HOSTILE, ()),) * 2),
    )  # fmt: skip
    register_section(Section("mine", HOSTILE, 45, lambda _: Content(hostile)))
    page_text, text, _ = forms(page(command="recsys", plan={}))
    assert "<script>alert" not in page_text
    assert "<script" not in text
    assert "[a](b)" not in text


def test_a_section_with_nothing_to_say_is_left_out(registry):
    register_section(Section("mine", "My own heading", 45, lambda _: None))
    assert all("My own heading" not in text for text in forms(page()))


def test_a_section_without_blocks_still_has_its_record():
    found = json.loads(records.to_json(page(theme_sets=(), examples=(), examples_intro="")))
    assert (found["themes"], found["stories"], found["told_by"]) == ([], [], "")
    assert "What some users would see" not in markdown.render(page(examples=()))


def test_an_estimate_is_marked_and_has_its_interval():
    cells = (Estimate(0.5, 0.4, 0.6, is_best=True), Estimate(0.45, is_level=True), Estimate(None))
    rows = tuple((Label("a", 1), cell) for cell in cells)
    table = Table("t", (Column("model", "model"), Column("n", "n", "score")), rows, style="results")
    built = build_page(context(answer=["."]), [Section("mine", "M", 0, lambda _: Content((table,)))])
    text = markdown.render(built)
    assert "| a | **0.5000** (0.4000 to 0.6000) |\n| a | ≈ 0.4500 |\n| a | – |" in text
    assert "<b>0.5000</b><small>0.4000 to 0.6000</small>" in html.render(built)


@pytest.mark.parametrize("name", ["", "Mine", "my section", "4th", "a.b"])
def test_a_name_that_is_no_anchor_is_refused(name):
    with pytest.raises(ParameterError, match="expected lower-case letters"):
        register_section(Section(name, "Mine", 45, lambda _: None))


def test_a_name_that_is_taken_is_refused_and_the_same_section_is_not(registry):
    known = next(one for one in registered_sections() if one.name == "themes")
    assert register_section(known) is known
    with pytest.raises(ParameterError, match=r"already a section 'themes': .* unregister_section\("):
        register_section(replace(known, build=lambda _: None))


def test_a_key_of_json_that_is_taken_is_refused(registry):
    register_section(Section("mine", "Mine", 45, lambda _: Content((Text("word"),), {"ranking": []})))
    with pytest.raises(ParameterError, match="'ranking' into JSON"):
        records.to_json(page())


def test_a_name_of_a_figure_that_is_taken_is_refused(registry):
    figure = Figure("curve", "Mine", "", COLUMNS, (("als", 3),))
    register_section(Section("mine", "Mine", 45, lambda _: Content((Figures((figure,)),))))
    with pytest.raises(ParameterError, match="2 figures of the report are named 'curve'"):
        page()


def test_what_is_no_content_is_refused(registry):
    register_section(Section("mine", "Mine", 45, lambda _: "some text"))
    with pytest.raises(ParameterError, match="section 'mine' built str; expected Content or None"):
        page()
