from collections import defaultdict

import numpy as np
import pytest

from recsys.remarks import RemarkCode
from recsys.splitting.specs import parse_split
from tests.logs import log_of, random_log
from tests.splitting.events import pairs_of


@pytest.mark.parametrize("spec", ["last:1", "last:3", "last:0.3"])
@pytest.mark.parametrize("with_times", [True, False])
def test_last_leaves_out_what_users_repeat_after_their_first_held_out_event(spec, with_times):
    log = random_log(120, with_times=with_times)
    split = parse_split(spec, log, seed=0)
    times = log.times if with_times else np.arange(120)
    first = {user: min(times[split.held_out][log.users[split.held_out] == user]) for user in range(6)}
    left_out = sorted({*range(120)} - {*split.train} - {*split.held_out})
    assert len(left_out) == split.n_left_out > 0
    assert all(times[event] > first[log.users[event]] for event in left_out)
    assert all(times[event] < first[log.users[event]] for event in split.train)
    assert not pairs_of(log, left_out) & pairs_of(log, split.held_out)
    assert pairs_of(log, left_out) <= pairs_of(log, split.train)


@pytest.mark.parametrize("n", [1, 3, 100])
@pytest.mark.parametrize("with_times", [True, False])
def test_last_holds_out_what_each_user_met_last(n, with_times):
    log = random_log(60, with_times=with_times)
    order = np.argsort(log.times) if with_times else range(60)
    met = defaultdict(list)
    for event in order:
        user, item = int(log.users[event]), int(log.items[event])
        if item not in met[user]:
            met[user].append(item)
    # The first item met always stays in training.
    expected = {(user, item) for user, items in met.items() for item in items[1:][-n:]}
    assert pairs_of(log, parse_split(f"last:{n}", log, seed=0).held_out) == expected


def test_last_orders_equal_times_by_line():
    log = log_of([(1, "a", 1, 7), (1, "c", 1, 7), (1, "b", 1, 7)])
    assert parse_split("last", log, seed=0).held_out.tolist() == [2]


def test_without_times_the_last_items_are_those_of_the_last_lines_and_that_is_told():
    log = random_log(60, with_times=False)
    (remark,) = parse_split("last:0.3", log, seed=0).remarks
    assert remark.code is RemarkCode.NO_TIMES
    assert "last lines" in remark.text
    assert not parse_split("last:0.3", random_log(60), seed=0).remarks
