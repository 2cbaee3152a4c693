from __future__ import annotations

from html.parser import HTMLParser

import pytest

from recsys.recommend.themes import Theme
from recsys.report.page import Page, Story, render, table_rows, write_page

HOSTILE = "<script>alert('x')</script> & \"co\""


def record(label, **metrics):
    return {"label": label, "metrics": metrics, "seconds": {"fit": 1.25, "score": 0.5}}


def page(**changes):
    content = {
        "title": HOSTILE,
        "subtitle": HOSTILE,
        "answer": [HOSTILE],
        "remarks": [HOSTILE],
        "facts": [(HOSTILE, HOSTILE)],
        "metrics": ["ndcg@10", "rmse"],
        "rows": table_rows([record(HOSTILE, **{"ndcg@10": 0.5, "rmse": 0.9})], ["ndcg@10", "rmse"]),
        "themes": [Theme(1, 0.5, 10, 20, 0.9, None, ((1, HOSTILE, 1.0),))],
        "stories": [Story(HOSTILE, ((HOSTILE, 3.0),), 1, ((1, HOSTILE, 0.5, 1, 0.25),))],
        "provenance": [(HOSTILE, HOSTILE)],
        "command": HOSTILE,
    }
    return Page(**{**content, **changes})


class Checker(HTMLParser):
    """Holds the tags and whether they nest."""

    VOID = frozenset({"meta", "link", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_what_users_wrote_is_text_and_never_markup():
    text = render(page())
    assert "<script" not in text
    found = Checker(text)
    assert not found.open
    assert sum(HOSTILE in words for words in found.words) >= 12


def test_the_page_needs_nothing_from_outside():
    for tag, attributes in Checker(render(page())).seen:
        assert tag not in {"script", "img", "iframe"}
        assert "src" not in attributes
        assert not attributes.get("href", "").startswith("http")


def test_empty_parts_leave_no_headings():
    text = render(page(themes=(), stories=(), answer=()))
    assert "The themes of the model" not in text
    assert "What some users would see" not in text


def test_best_of_each_column_is_highest_or_for_errors_lowest():
    rows = table_rows(
        [record("a", **{"ndcg@5": 0.2, "rmse": 0.8}), record("b", **{"ndcg@5": 0.4, "rmse": 1.0})],
        ["ndcg@5", "rmse"],
    )
    assert rows[0].values == (("0.2000", 0.5, False), ("0.8000", 1.0, True))
    assert rows[1].values == (("0.4000", 1.0, True), ("1.0000", pytest.approx(0.8), False))


def test_missing_values_and_failed_models_have_their_place():
    rows = table_rows(
        [
            record("a", rmse=None),
            {"label": "b", "metrics": {}, "error": "out of themes"},
            record("c", rmse=0.0),
        ],
        ["rmse"],
    )
    assert rows[0].values == (("–", 0.0, False),)
    assert rows[1].error == "out of themes"
    assert rows[2].values[0][0] == "0.0000"
    assert "out of themes" in render(page(rows=rows, metrics=["rmse"]))


def test_write_replaces_the_old_page_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_page(page(title="old"), path)
    monkeypatch.setattr("recsys.report.page.render", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_page(page(title="new"), path)
    assert "<title>old</title>" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]
