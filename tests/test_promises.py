"""The page "What you can rely on" names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "pages" / "explanation" / "what-you-can-rely-on.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what holds")]


@pytest.mark.parametrize("row", ROWS)
def test_every_promise_names_its_test(row):
    _, sentence, held_by, _ = row.split("|")
    assert sentence.strip().endswith(".")
    names = re.findall(r"`([^`]+)`", held_by)
    assert names
    file = ""
    for name in names:
        path, _, function = name.partition("::")
        file = (path or file).partition(" ")[0]
        content = (ROOT / file).read_text()
        assert not function or f"def {function}(" in content, name
