from __future__ import annotations

from dataclasses import replace

from recsys.report.facts import about_log, about_split
from recsys.report.phrases import log_in_words, name_of_log
from recsys.splitting.audit import SplitAudit
from recsys.splitting.record import SplitRecord
from recsys.splitting.split import SplitDescription
from recsys.splitting.support import FilterCounts

DESCRIPTION = {
    "source": "/somewhere/ml-100k/ratings.parquet",
    "columns": {"user": "user", "item": "item", "value": "rating", "time": None},
    "feedback": "explicit", "n_read": 12, "dropped": [], "n_events": 1200, "n_users": 9, "n_items": 8,
    "n_pairs": 10, "density": 10 / 72, "value_min": 1.0, "value_max": 5.0, "value_mean": 3.52986,
    "first_time": "1997-09-20T20:18:15", "last_time": "1998-04-22T23:10:38", "licence": None,
}  # fmt: skip
AUDIT = SplitAudit(
    n_pairs_on_both_sides=0, n_future_events=None, n_future_events_global=None, n_cold_users=0,
    n_cold_items=0, n_held_out_pairs_of_cold_users=0, n_held_out_pairs_of_cold_items=0,
    n_users_with_held_out=1, n_users_evaluated=1, share_evaluated=1.0, n_history_users=None,
    n_history_events=None, window=None, train_window=None, n_left_out_events=0, filters=None,
)  # fmt: skip
SPLIT = SplitRecord(
    name="last:1", description=SplitDescription("last", "Each user's last item is held out.", n_items=1),
    seed=None, digest="0", part=1, n_parts=1, n_train_events=9, n_train_pairs=9, n_held_out_events=1,
    n_held_out_pairs=1, n_repeated_pairs=0, n_zero_pairs=0, n_cold_users=0, n_cold_items=0, n_users=9,
    n_items=8, audit=AUDIT,
)  # fmt: skip


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
    filters = FilterCounts(
        min_user=5, min_item=2, filter_test=False, n_users_removed=3, n_items_removed=4,
        n_train_pairs_removed=1024, n_train_events_removed=1024,
    )  # fmt: skip
    found = dict(about_split(replace(SPLIT, audit=replace(AUDIT, filters=filters))))
    assert found["support filter"] == (
        "at least 5 items a user and 2 users an item: 3 users, 4 items and 1,024 training pairs left out "
        "of training"
    )


def test_a_file_with_a_name_that_says_nothing_is_called_by_its_folder():
    assert name_of_log("/somewhere/ml-100k/ratings.parquet") == "ml-100k"
    assert name_of_log("shop.csv.gz") == "shop"
    assert name_of_log("ratings.csv") == "ratings"
    assert name_of_log("completejourney") == "completejourney"
