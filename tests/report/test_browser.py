"""The page in a real browser: no errors, nothing from outside, charts drawn, nothing runs over the edge."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from recsys.report.writing import write_report
from tests.report.browser import CHROMIUM, Browser
from tests.report.pages import page

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]

# What sticks out of the window, other than inside a box that scrolls by itself.
BEYOND = """[...document.querySelectorAll("body *")].filter(e => {
  if (e.closest(".scroll") && !e.classList.contains("scroll")) return false;
  const box = e.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(page(), path)
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
def test_charts_are_drawn_without_an_error_and_nothing_runs_over(browser, report, width, dark):
    browser.open(report, width=width, dark=dark)
    assert browser.faults == []
    assert browser.requests == [report.as_uri()]
    assert browser.run("document.querySelectorAll('figure.chart[data-drawn] .draw svg path').length") > 50
    assert browser.run("[...document.querySelectorAll('.draw')].every(e => e.clientHeight > 100)")
    # A phone widens its window to what does not fit.
    assert browser.run("[innerWidth, document.documentElement.scrollWidth <= innerWidth]") == [width, True]
    assert browser.run(BEYOND) == []
    # What was hostile stands there as text, and nothing of it ran.
    assert "<script>alert" in browser.run("document.querySelector('h1').textContent")


def test_dark_is_dark_in_the_charts_too(browser, report):
    colour = "getComputedStyle(document.querySelector('#chart-curve .draw text')).fill"
    browser.open(report)
    light = browser.run(colour)
    browser.open(report, dark=True)
    assert browser.run(colour) != light


def test_without_scripts_tables_and_still_charts_remain(browser, report):
    browser.open(report, scripts=False)
    assert browser.faults == []
    # Scripts of the page are off; those of the test still ask.
    assert browser.run("document.querySelectorAll('noscript svg').length") == 13
    assert browser.run("document.querySelector('table.models').rows.length") == 4


# Chromium's way to put text into a PDF needs a reader of PDF.
@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="there is no pdftotext")
def test_paper_has_all_that_a_screen_can_open(browser, tmp_path):
    answer = [f"sentence number {n}." for n in range(9)]
    path = tmp_path / "report.html"
    write_report(
        page(answer=answer, configs=[("als", {"regularization": 0.125})], command="recsys", plan={}), path
    )
    browser.open(path, dark=True)
    browser.pdf(tmp_path / "report.pdf")
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, text=True, check=True
    ).stdout
    assert all(sentence in text for sentence in answer)
    assert "0.125" in text.split("Parameters")[-1]
    assert "regularization" in text.split("Parameters")[-1]
    assert "(Holm)" in text  # below the pairs
    assert "Make it again" not in text  # the contents, of links


def test_many_models_are_drawn_without_a_warning(browser, tmp_path):
    path = tmp_path / "report.html"
    write_report(page([*(f"model {n}" for n in range(9)), "popularity"]), path)
    browser.open(path)
    assert browser.faults == []


def test_a_table_that_is_wide_can_be_scrolled_by_keys(browser, report):
    browser.open(report, width=390)
    assert browser.run(
        "[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0 && e.ariaLabel)"
    )


def test_paper_is_white_and_charts_fit_it(browser, report):
    browser.open(report, dark=True, media="print")
    assert browser.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
