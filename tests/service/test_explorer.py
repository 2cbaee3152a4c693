"""The explorer in a browser: every view, live lists, names that would be markup, a token, a phone."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import recsys
from tests.matrices import random_matrix
from tests.report.browser import CHROMIUM, Browser

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]
ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef"
HOSTILE = "<img src=x onerror=console.error(1)>"
DATA = recsys.Interactions.from_matrix(random_matrix(40, 25))


def started(folder, command, *options, token=None):
    path = os.pathsep.join([str(ROOT), str(ROOT / "cli")])
    environment = {**os.environ, "PYTHONPATH": path}
    environment.pop("RECSYS_SERVE_TOKEN", None)
    if token is not None:
        environment["RECSYS_SERVE_TOKEN"] = token
    process = subprocess.Popen(
        [sys.executable, "-m", "recsys_cli", command, str(folder), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    for line in process.stdout:
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return process, found[0]
    raise AssertionError("it has ended without an address")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "model"
    names = {item: f"{HOSTILE} {item}" for item in range(25)}
    recsys.save_bundle(recsys.Bundle.of(recsys.HybridNMF().fit(DATA), DATA, item_names=names), path)
    return path


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    path = tmp_path_factory.mktemp("beside") / "model"
    recsys.save_bundle(recsys.Bundle.of(recsys.Popularity().fit(DATA), DATA), path)
    return path


@pytest.fixture(scope="module")
def browser():
    with Browser() as found:
        yield found


def wait_for(browser, condition):
    """Wait until a condition holds in the page."""
    look = f"const look = () => ({condition}) ? done(true) : setTimeout(look, 20); look();"
    assert browser.run(f"new Promise(done => {{ {look} setTimeout(() => done(false), 20000); }})"), condition


def set_field(browser, selector, value, event="change"):
    """Fill a field of the page in as a person would."""
    browser.run(f"{{ const field = document.querySelector('{selector}'); field.value = '{value}';"
                f" field.dispatchEvent(new Event('{event}')); }}")  # fmt: skip


def shown_items(browser, title):
    """Return the items of the list below a heading, without marks."""
    links = browser.run(
        f"[...document.querySelectorAll('#{title} ~ ol > li > span > a')].map(a => a.textContent)"
    )
    return [text.rpartition(" (")[0] for text in links]


def check_list(browser, expected):
    """Check that the list becomes what is expected."""
    until = time.monotonic() + 20
    while shown_items(browser, "list") != expected and time.monotonic() < until:
        time.sleep(0.05)
    assert shown_items(browser, "list") == expected


CATEGORIES = {item: HOSTILE if item % 2 else "even" for item in range(25)}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("items") / "items.tsv"
    rows = [f"{item}\t{category}" for item, category in CATEGORIES.items()]
    path.write_text("\n".join(["item\tkind", *rows]))
    return path


def test_every_view_works_and_asks_nobody_else(folder, other, table, browser):
    with_categories = ["--items", str(table), "--item-category", "kind"]
    process, address = started(folder, "explore", "--no-browser", "--beside", str(other), *with_categories)
    try:
        browser.open(f"{address}/")
        wait_for(browser, "document.querySelector('#home')")
        assert browser.run("document.getElementById('token').checkVisibility()") is False

        browser.run("document.getElementById('user-field').value = '3'")
        browser.run("document.querySelector('#find-user button').click()")
        wait_for(browser, "document.querySelector('#list') && document.querySelector('#mixture')")
        bundle = recsys.load_bundle(folder)

        def names(**options):
            return [bundle.name_of(item) for item in bundle.recommend([3], **options).items.tolist()]

        expected = names()
        assert shown_items(browser, "list") == expected
        assert browser.run("document.querySelectorAll('.reason').length") == len(expected)

        # Beside: what only one of the two lists is marked in its list.
        here = {str(item) for item in bundle.recommend([3]).items.tolist()}
        beside = {str(item) for item in recsys.load_bundle(other).recommend([3]).items.tolist()}
        wait_for(browser, "document.querySelector('#list-beside')")
        marked = "[...document.querySelectorAll('#list-{} ~ ol .new')].length"
        assert browser.run(marked.format("here")) == len(here - beside)
        assert browser.run(marked.format("beside")) == len(beside - here)

        # Rules: an item is left out and put back, seen ones are listed, and all of them switched off.
        browser.run("document.querySelector('#list ~ ol button').click()")
        rules = recsys.Rules(exclude=[bundle.recommend([3]).items.tolist()[0]])
        check_list(browser, names(rules=rules))
        browser.run("document.querySelector('#rules-seen').click()")
        check_list(browser, names(rules=rules, include_seen=True))
        browser.run("document.querySelector('#rules-apply').click()")
        check_list(browser, expected)
        browser.run("document.querySelector('#left-out button').click()")
        assert browser.run("document.querySelectorAll('#left-out button').length") == 0

        # Rules on categories: one alone, at most so many of each, and none.
        browser.run("document.querySelector('#rules-apply').click()")
        browser.run("document.querySelector('#rules-seen').click()")
        wait_for(browser, "document.querySelectorAll('#rules-category option').length == 2")
        browser.run("document.querySelector('#rules-category').value = 'even'")
        browser.run("document.querySelector('#rules-only').click()")
        by = {"categories": CATEGORIES}
        check_list(browser, names(rules=recsys.Rules(**by, only_categories=["even"])))
        set_field(browser, "#rules-most", "2")
        check_list(browser, names(rules=recsys.Rules(**by, only_categories=["even"], most_per_category=2)))
        browser.run("document.querySelector('#category-rules button').click()")
        check_list(browser, names(rules=recsys.Rules(**by, most_per_category=2)))
        set_field(browser, "#rules-most", "0")
        set_field(browser, "#rules-calibration", "0.3")
        check_list(browser, names(rules=recsys.Rules(**by, calibration=0.3)))
        set_field(browser, "#rules-calibration", "0")
        check_list(browser, expected)

        browser.run(
            "document.querySelectorAll('#history ~ ul input[type=checkbox]').forEach(box => box.click())"
        )
        wait_for(browser, "document.body.textContent.includes('what most users have')")
        assert "No longer listed" in browser.run("document.body.textContent")

        set_field(browser, "#item-field", "onerror 7", "input")
        wait_for(browser, "document.querySelector('#hits a')")
        browser.run("document.querySelector('#hits a').click()")
        wait_for(browser, "document.querySelector('#item')")
        assert browser.run("location.hash") == "#/item/7"
        assert browser.run("document.querySelectorAll('#alike ~ ol li').length") == 10
        assert browser.run("document.querySelectorAll('#mixture ~ ul li').length") > 0
        assert browser.run("document.activeElement.id") == "main"
        browser.run("document.querySelector('main button').click()")
        wait_for(browser, "document.querySelector('#history')")
        browser.run("location.hash = '#/themes'")
        wait_for(browser, "document.querySelector('#theme-1')")
        assert browser.run("document.querySelector('.bar').checkVisibility()")
        browser.run("location.hash = '#/families'")
        wait_for(browser, "document.querySelector('#family-1')")
        browser.run("document.querySelector('#family-1 a').click()")
        wait_for(browser, "document.querySelector('#family')")
        browser.run("location.hash = '#/themes/1'")
        wait_for(browser, "document.querySelector('#theme-1')")
        browser.run("location.hash = '#/user/nobody'")
        wait_for(browser, "document.getElementById('said').textContent.includes('is not known to the model')")
        # A user who is not known is an answer of 404, which the browser notes as a failed load.
        assert [fault for fault in browser.faults if "404" not in fault] == []
        assert browser.run("document.querySelectorAll('main img, #hits img').length") == 0
        assert all(request.startswith(address) for request in browser.requests)
    finally:
        process.terminate()
        assert process.wait(timeout=30) is not None
        process.stdout.close()


def test_a_phone_a_dark_one_and_a_token(folder, browser):
    process, address = started(folder, "serve", "--no-access-log", token=TOKEN)
    try:
        browser.open(f"{address}/?narrow#/user/5", width=390, dark=True)
        wait_for(browser, "document.getElementById('token').checkVisibility()")
        browser.run(f"document.getElementById('token-field').value = '{TOKEN}'")
        browser.run("document.querySelector('#token button').click()")
        wait_for(browser, "document.querySelector('#list')")
        assert browser.run("document.documentElement.scrollWidth") <= 390
        ink, page = (
            browser.run(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor")
        )
        assert sum(map(int, re.findall(r"\d+", ink))) > sum(map(int, re.findall(r"\d+", page)))
        unlabelled = (
            "[...document.querySelectorAll('input, select')].filter(field => !field.labels.length).length"
        )
        assert browser.run(unlabelled) == 0
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
