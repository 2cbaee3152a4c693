from __future__ import annotations

from html.parser import HTMLParser

import pytest

from recsys.report.drawing import installed
from recsys.report.html import render
from recsys.report.pivot import sampled
from tests.report.pages import HOSTILE, page

VOID = frozenset({"meta", "link", "br", "wbr"})


class Checker(HTMLParser):
    """Holds the tags and the words, and whether tags nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def drawing():
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    return installed()


@pytest.fixture(scope="module")
def drawn(drawing):
    """Return the page with its charts, which take seconds."""
    return render(page(), drawing)


def test_what_users_wrote_is_text_and_never_markup():
    found = Checker(render(page()))
    assert not found.open
    assert sum(HOSTILE in words for words in found.words) >= 15
    assert "script" not in {tag for tag, _ in found.seen}


def test_charts_let_no_markup_through(drawn):
    assert "<script>alert" not in drawn
    found = Checker(drawn)
    assert not found.open
    # One script that draws, and the data of each chart, which no browser runs.
    scripts = [attributes for tag, attributes in found.seen if tag == "script"]
    assert [attributes.get("type") for attributes in scripts] == ["application/json"] * 13 + [None]
    assert drawn.count("</noscript>") == 13


@pytest.mark.parametrize("with_charts", [False, True])
def test_the_page_needs_nothing_from_outside(with_charts, drawn):
    text = drawn if with_charts else render(page())
    assert len(text.encode()) < 5_000_000
    assert "default-src 'none'" in text
    for tag, attributes in Checker(text).seen:
        assert tag not in {"img", "iframe", "image"}
        assert "src" not in attributes
        assert not attributes.get("href", "").startswith("http")


def test_without_the_packages_that_draw_tables_stand_for_charts():
    text = render(page())
    assert text.count('<table class="numbers">') == 14  # thirteen charts and the pairs
    assert "recsys[report]" in text
    assert "vegaEmbed" not in text


def test_the_same_page_gives_the_same_bytes(drawing, drawn):
    assert render(page(), drawing) == drawn


def test_empty_parts_leave_no_headings():
    bare = page(
        theme_sets=(), examples=(), answer=(), list_profiles={}, measured={}, pairs=(), main_metric=None
    )
    text = render(bare)
    for heading in (
        "The themes of the model",
        "What some users would see",
        "Quality of the lists",
        "Every pair",
    ):
        assert heading not in text


def test_a_long_table_shows_rows_from_first_to_last():
    rows = [(n,) for n in range(1000)]
    shown = sampled(rows, 60)
    assert len(shown) == 60
    assert (shown[0], shown[-1]) == ((0,), (999,))
    assert sampled(rows[:60], 60) == rows[:60]
