"""How a log is distributed, against counting by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.load import load_log
from recsys.data.log import Log
from recsys.data.profile import gaps, histograms
from recsys.report.log_page import log_page
from recsys.report.writing import write_report


def log_of(values: list[float], users: list[int] | None = None) -> Log:
    return Log.from_pairs(users or [1] * len(values), list(range(len(values))), values)


def upper(name: str) -> float:
    return float(name.split(" to ")[-1].replace(",", ""))


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=60))
def test_every_event_is_in_the_bin_whose_name_holds_its_value(values: list[int]) -> None:
    (_, _, histogram) = histograms(log_of(list(map(float, values))))
    assert sum(count for _, count in histogram.bins) == len(values)
    if len(set(values)) <= 12:
        assert dict(histogram.bins) == {f"{v:g}": values.count(v) for v in set(values)}
    elif "e" not in "".join(name for name, _ in histogram.bins) and max(values) > 20 * max(
        np.median(values), 1
    ):
        below = -1.0
        for name, count in histogram.bins:
            lowest = upper(name.split(" to ")[0])
            assert count == sum(lowest <= value <= upper(name) for value in values), name
            assert lowest == below + 1 or below == -1.0
            below = upper(name)


def test_events_of_users_and_items() -> None:
    users, items, values = histograms(log_of([1.0] * 6, [1, 1, 1, 2, 2, 3]))
    assert users.bins == (("1", 1), ("2", 1), ("3 to 4", 1))
    assert items.bins == (("1", 6),)
    assert values.bins == (("1", 6),)


def test_values_that_are_no_counts() -> None:
    (_, _, histogram) = histograms(log_of([n / 7 for n in range(-20, 50)]))
    assert len(histogram.bins) == 10
    assert sum(count for _, count in histogram.bins) == 70


def test_gaps(tmp_path: Path) -> None:
    days = [0, 1, 2, 3, 30, 31, 32, 50, 51]
    moments = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")
    frame = pd.DataFrame({"user": 1, "item": range(len(days)), "date": moments})
    found = gaps(load_log(frame).log)
    assert [(gap.last, gap.first, gap.days) for gap in found[:2]] == [
        ("2024-01-04 00:00", "2024-01-31 00:00", 27.0),
        ("2024-02-02 00:00", "2024-02-20 00:00", 18.0),
    ]
    assert gaps(load_log(frame.drop(columns="date")).log) == ()


@pytest.mark.parametrize("ending", ["html", "md", "json"])
def test_the_page_of_a_log(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame(
        {"user": ["<b>", "u2", "u2"], "item": ["a", "b", "A"], "count": [1, 2, 30]}
        | {"date": pd.to_datetime(["2024-01-01", "2024-03-01", "2024-03-02"])}
    )
    path = tmp_path / f"page.{ending}"
    write_report(log_page(load_log(frame)), path)
    text = path.read_text()
    for said in ("Events of a user" if ending != "md" else "events of a user", "letter case", "--user user"):
        assert said.lower() in text.lower()
    assert "<b>" not in text or ending != "html"
