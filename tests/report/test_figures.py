from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.entry_errors import EntryErrors
from recsys.evaluation.gap import GroupMean
from recsys.evaluation.measurements import Measurements
from recsys.factorization.history import History
from recsys.report import cost_figures, figures, log_figures
from recsys.report.groups import by_activity, by_popularity
from recsys.report.pivot import pivoted

counts = st.lists(st.integers(1, 50), min_size=1, max_size=60).map(np.array)


@given(counts)
def test_groups_of_users_are_in_order_and_hold_everybody(found):
    groups = by_activity(found)
    assert len(np.unique(groups.of)) == len(groups) <= 4
    tops = [found[groups.of == n].max() for n in range(len(groups))]
    bottoms = [found[groups.of == n].min() for n in range(len(groups))]
    assert all(top < bottom for top, bottom in zip(tops, bottoms[1:], strict=False))
    assert len(set(groups.names)) == len(groups)


@given(counts)
def test_groups_of_items_hold_about_a_quarter_each(found):
    groups = by_popularity(found)
    assert len(np.unique(groups.of)) == len(groups) <= 4
    sums = np.bincount(groups.of, weights=found)
    assert sums.sum() == found.sum()
    # A group ends with the item that fills it, so it is over by less than one item.
    assert all(total < found.sum() / 4 + found.max() for total in sums)
    assert np.all(np.diff([found[groups.of == n].mean() for n in range(len(groups))]) <= 0)


@pytest.mark.parametrize("days", [0.01, 0.5, 3, 40, 200, 2000, 12_000, 40_000])
def test_events_over_time_are_all_counted_in_few_bars(days):
    times = np.random.default_rng(0).integers(0, int(days * 86_400_000_000), 500)
    figure = log_figures.over_time(times, "timestamp", None)
    assert sum(row[-1] for row in figure.rows) == 500
    assert 2 <= len(figure.rows) <= 250
    assert figure.rows[-1][1] >= str(np.datetime64(int(times.max()), "us").astype("datetime64[s]"))


def test_times_that_are_numbers_and_a_log_of_one_moment():
    figure = log_figures.over_time(np.array([5, 5, 900]), "number", None)
    assert [row[-1] for row in figure.rows if row[-1]] == [2, 1]
    assert log_figures.over_time(np.array([5, 5]), "number", None) is None


def test_the_long_tail_goes_from_nothing_to_all():
    figure = log_figures.long_tail(np.array([8, 1, 1]), np.array([5, 5]))
    items = [row for row in figure.rows if row[0] == "items"]
    assert items[0][1:] == (0.0, 0.0)
    assert items[-1][1:] == (1.0, 1.0)
    assert figure.notes["halves"] == {"items": pytest.approx(1 / 3), "users": 0.5}


def test_convergence_is_the_gain_of_a_sweep_beside_the_fall_so_far():
    told = History([10.0, 6.0, 2.0, 1.0], [1, 2, 3, 4], [1] * 4, stopped="tol")
    figure = cost_figures.convergence({"a": told, "b": History()})
    assert [row[-1] for row in figure.rows] == [pytest.approx(4 / 8), pytest.approx(1 / 9)]
    assert [row[1] for row in figure.rows] == [3, 4]
    assert figure.notes["stopped"] == {"a": "tol"}
    rising = History([1.0, 2.0, 3.0], [1, 2, 3], [1, 1, 1])
    assert cost_figures.convergence({"rising": rising}) is None
    assert cost_figures.convergence({"two": History([3.0, 2.0], [1, 2], [1, 1])}) is None


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59", "1600-01-01T00:00:00"])
def test_a_wrong_year_makes_few_bars_and_no_error(far):
    moments = np.array(["2011-01-01", "2011-06-01", far], dtype="datetime64[us]").astype(np.int64)
    figure = log_figures.over_time(moments, "timestamp", None)
    assert sum(row[-1] for row in figure.rows) == 3
    assert len(figure.rows) <= 241
    assert len(figure.rows[-1][1]) == len("9999-12-31T23:59:59")  # a year that browsers read


def test_a_window_colours_its_own_bars_and_none_after_it():
    days = 86_400_000_000 * np.arange(30, dtype=np.int64)
    figure = log_figures.over_time(days, "timestamp", ["1970-01-10T00:00:00", "1970-01-12T00:00:00"])
    held_out = [row[0][:10] for row in figure.rows if row[2] == log_figures.HELD_OUT]
    assert {"1970-01-11"} <= set(held_out)
    assert not {day for day in held_out if day < "1970-01-09" or day > "1970-01-12"}
    narrow = log_figures.over_time(days, "timestamp", ["1970-01-10T00:00:01", "1970-01-10T00:00:01"])
    assert sum(row[2] == log_figures.HELD_OUT for row in narrow.rows) == 1


def test_users_by_activity_have_intervals_of_errors_too():
    values = EntryErrors(np.arange(6), np.ones(6), {"rmse": np.arange(6.0), "mae": np.arange(6.0)})
    at = Measurements({"rmse": 1.0}, {}, np.zeros(0, int), 6, 6, 0.0, (), entry_errors=values)
    groups = by_activity(np.array([1, 1, 1, 9, 9, 9]))
    figure = figures.by_activity({"a": at}, "rmse", np.arange(6), groups, seed=0)
    assert [row[-1] for row in figure.rows] == [pytest.approx(1.0), pytest.approx(2.0)]
    assert all(row[3] <= row[-1] <= row[4] for row in figure.rows)


def test_gaps_show_the_means_behind_them():
    means = (GroupMean("young", 3, 0.2), GroupMean("old", 2, 0.5))
    at = Measurements({"ndcg-gap@5": 0.3}, {}, np.zeros(0, int), 5, 5, 0.0, (), groups={"ndcg-gap@5": means})
    (figure,) = figures.gaps({"a": at})
    assert [row[1:] for row in figure.rows] == [("young", 3, 0.2), ("old", 2, 0.5)]
    assert figure.name == "ndcg-gap-5"


def test_a_table_has_a_row_a_model_and_a_column_a_group():
    means = (GroupMean("young", 3, 0.2), GroupMean("old", 2, 0.5))
    at = Measurements({}, {}, np.zeros(0, int), 5, 5, 0.0, (), groups={"ndcg-gap@5": means})
    (figure,) = figures.gaps({"a": at, "b": at})
    columns, rows = pivoted(figure)
    assert [column.heading for column in columns] == ["model", "young", "old"]
    assert rows == [("a", 0.2, 0.5), ("b", 0.2, 0.5)]
