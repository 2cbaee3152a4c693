from __future__ import annotations

import re

from recsys.report.markdown import render
from tests.report.pages import HOSTILE, page


def test_what_users_wrote_marks_nothing_up():
    text = render(page(command="recsys compare", plan={}))
    assert "<script" not in text
    assert "[a](b)" not in text
    assert HOSTILE not in text


def test_a_command_stays_a_block_whatever_is_in_it():
    text = render(page(command="recsys ``` compare"))
    assert "````\nrecsys ``` compare\n````" in text


def test_tables_have_as_many_cells_in_each_row():
    width = 0
    for line in render(page()).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width
        width = cells


def test_drawn_charts_are_linked_and_others_are_tables():
    text = render(page(), {"curve": "chart-curve.svg"})
    assert "](chart-curve.svg)" in text
    assert text.count("](chart-") == 1
    assert "Events over time" in text
