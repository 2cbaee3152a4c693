from __future__ import annotations

import pytest

from recsys.report.facts import about_log, about_split
from recsys.report.phrases import log_in_words, name_of_log, split_in_words

DESCRIPTION = {
    "source": "/somewhere/ml-100k/ratings.parquet",
    "columns": {"user": "user", "item": "item", "value": "rating", "time": None},
    "feedback": "explicit", "n_read": 12, "dropped": [], "n_events": 1200, "n_users": 9, "n_items": 8,
    "n_pairs": 10, "density": 10 / 72, "value_min": 1.0, "value_max": 5.0, "value_mean": 3.52986,
    "first_time": "1997-09-20T20:18:15", "last_time": "1998-04-22T23:10:38", "licence": None,
}  # fmt: skip
SPLIT = {
    "name": "last:1", "seed": None, "n_train_events": 9, "n_train_pairs": 9, "n_held_out_events": 1,
    "n_held_out_pairs": 1, "n_repeated_pairs": 0, "n_cold_users": 0, "n_cold_items": 0,
}  # fmt: skip


def test_a_log_is_told_by_name_and_days_and_few_digits():
    found = dict(about_log(DESCRIPTION))
    assert found["log"] == "ratings.parquet"
    assert found["columns"] == "user, item, rating as value"
    assert found["time"] == "1997-09-20 to 1998-04-22"
    assert found["feedback"].endswith("mean 3.53")
    one_day = {**DESCRIPTION, "last_time": "1997-09-20T21:00:00"}
    assert dict(about_log(one_day))["time"] == "1997-09-20 20:18:15 to 1997-09-20 21:00:00"
    assert log_in_words(DESCRIPTION) == "9 users, 8 items, 1,200 ratings, Sep 1997 to Apr 1998."


def test_a_filter_is_told_in_a_sentence():
    filters = {
        "min_user": 5, "min_item": 2, "filter_test": False, "n_users_removed": 3, "n_items_removed": 4,
        "n_train_pairs_removed": 1024, "n_train_events_removed": 1024, "n_held_out_events_removed": 0,
    }  # fmt: skip
    found = dict(about_split({**SPLIT, "audit": {"filters": filters}}))
    assert found["support filter"] == (
        "at least 5 items a user and 2 users an item: 3 users, 4 items and 1,024 training pairs left out "
        "of training"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("last:0.2", "The last 20 % of each user's items are held out."),
        ("last:1", "Each user's last item is held out."),
        ("random:0.1x3", "10 % of all pairs, drawn at random, are held out."),
        ("time:4w", "The last 4 weeks are held out."),
        ("time:2024-05-01..2024-06-01", "What came from 2024-05-01 to 2024-06-01 is held out."),
        ("time:2024-05-01", "What came from 2024-05-01 on is held out."),
        ("users:0.2:0.8", "20 % of the users are held out; a part of what each did is told."),
        ("something new", "Split something new."),
    ],
)
def test_a_split_is_told_in_words(name, words):
    assert split_in_words(name) == words


def test_a_file_with_a_name_that_says_nothing_is_called_by_its_folder():
    assert name_of_log("/somewhere/ml-100k/ratings.parquet") == "ml-100k"
    assert name_of_log("shop.csv.gz") == "shop"
    assert name_of_log("ratings.csv") == "ratings"
    assert name_of_log("completejourney") == "completejourney"
