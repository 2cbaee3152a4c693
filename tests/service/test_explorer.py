"""The explorer in a browser: every view, live lists, names that would be markup, a token, a phone."""

import os
import re
import subprocess
import sys
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
def browser():
    with Browser() as found:
        yield found


def wait_for(browser, condition):
    """Wait until a condition holds in the page."""
    look = f"const look = () => ({condition}) ? done(true) : setTimeout(look, 20); look();"
    assert browser.run(f"new Promise(done => {{ {look} setTimeout(() => done(false), 20000); }})"), condition


def test_every_view_works_and_asks_nobody_else(folder, browser):
    process, address = started(folder, "explore", "--no-browser")
    try:
        browser.open(f"{address}/")
        wait_for(browser, "document.querySelector('#home')")
        assert browser.run("document.getElementById('token').checkVisibility()") is False

        browser.run("document.getElementById('user-field').value = '3'")
        browser.run("document.querySelector('#find-user button').click()")
        wait_for(browser, "document.querySelector('#list') && document.querySelector('#mixture')")
        bundle = recsys.load_bundle(folder)
        expected = [bundle.name_of(item) for item in bundle.recommend([3]).items.tolist()]
        shown = browser.run(
            "[...document.querySelectorAll('#list ~ ol > li > span > a')].map(a => a.textContent)"
        )
        assert [text.rpartition(" (")[0] for text in shown] == expected
        assert browser.run("document.querySelectorAll('.reason').length") == len(expected)

        browser.run("document.querySelectorAll('.rows input[type=checkbox]').forEach(box => box.click())")
        wait_for(browser, "document.body.textContent.includes('what most users have')")
        assert "No longer listed" in browser.run("document.body.textContent")

        browser.run("const field = document.getElementById('item-field'); field.value = 'onerror 7';"
                    " field.dispatchEvent(new Event('input'))")  # fmt: skip
        wait_for(browser, "document.querySelector('#hits a')")
        browser.run("document.querySelector('#hits a').click()")
        wait_for(browser, "document.querySelector('#item')")
        assert browser.run("location.hash") == "#/item/7"
        browser.run("document.querySelector('main button').click()")
        wait_for(browser, "document.querySelector('#history')")
        browser.run("location.hash = '#/themes'")
        wait_for(browser, "document.querySelector('#theme-1')")
        browser.run("document.querySelector('.bar').checkVisibility()")
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
        unlabelled = "[...document.querySelectorAll('input')].filter(field => !field.labels.length).length"
        assert browser.run(unlabelled) == 0
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
