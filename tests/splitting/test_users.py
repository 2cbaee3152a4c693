import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.splitting.specs import parse_split, parse_splits
from tests.logs import log_of, random_log


def users_of(log, rows):
    return set(log.users[rows].tolist())


def pairs_of(log, rows):
    return set(zip(log.users[rows].tolist(), log.items[rows].tolist(), strict=True))


@given(
    st.floats(0.1, 0.9),
    st.one_of(st.floats(0.1, 0.9), st.integers(1, 3)),
    st.integers(0, 5),
    st.booleans(),
)
def test_a_held_out_user_trains_nothing_and_is_told_one_part(share, told, seed, with_times):
    log = random_log(200, n_users=12, n_items=12, seed=seed, with_times=with_times)
    split = parse_split(f"users:{share}:{told}", log, seed=seed)
    parts = split.train, split.held_out, split.history
    everything = np.concatenate(parts)
    assert len(np.unique(everything)) == len(everything) == 200 - split.n_left_out
    assert split.n_left_out == 0 or with_times
    assert users_of(log, split.held_out) == users_of(log, split.history)
    assert not users_of(log, split.train) & users_of(log, split.held_out)
    assert not pairs_of(log, split.history) & pairs_of(log, split.held_out)
    assert len(users_of(log, split.held_out)) == round(share * 12)
    for user in users_of(log, split.held_out):
        n_told = len({pair for pair in pairs_of(log, split.history) if pair[0] == user})
        n = len({pair for pair in pairs_of(log, np.arange(200)) if pair[0] == user})
        assert n_told == (told if told >= 1 else min(max(int(told * n + 0.5), 1), n - 1))


def test_the_past_is_told_and_the_future_asked():
    log = random_log(200, n_users=12, n_items=30)
    split = parse_split("users:0.5:0.6", log, seed=0)
    for user in users_of(log, split.held_out):
        mine = log.users == user
        told = log.times[split.history[log.users[split.history] == user]]
        assert max(told) < min(log.times[split.held_out[log.users[split.held_out] == user]])
        first_met = {
            part: [
                log.times[mine & (log.items == item)].min()
                for item in np.unique(log.items[rows[log.users[rows] == user]])
            ]
            for part, rows in (("told", split.history), ("asked", split.held_out))
        }
        assert max(first_met["told"]) < min(first_met["asked"])


@pytest.mark.parametrize("with_times", [True, False])
def test_the_order_of_the_lines_does_not_matter(with_times):
    log = random_log(150, n_users=10, with_times=with_times)
    order = np.random.default_rng(3).permutation(150)
    columns = [log.users, log.items, log.values, *([log.times] if with_times else [])]
    again = log_of(list(zip(*(column[order].tolist() for column in columns), strict=True)))
    one, two = (parse_split("users:0.4", each, seed=1) for each in (log, again))
    for part in ("train", "history", "held_out"):
        assert pairs_of(log, getattr(one, part)) == pairs_of(again, getattr(two, part))


def test_user_folds_hold_out_everyone_once():
    log = random_log(150, n_users=11)
    splits = parse_splits("user-folds:3", log, seed=4)
    held = [users_of(log, split.held_out) for split in splits]
    assert set.union(*held) == set(range(11))
    assert sorted(map(len, held)) == [3, 4, 4]
    assert [split.part for split in splits] == [1, 2, 3]


def test_who_did_too_little_to_be_told_and_asked_is_never_held_out():
    log = log_of([("a", 1), ("b", 1), ("b", 2), ("c", 1), ("c", 2), ("c", 3), ("d", 1), ("d", 2), ("d", 3)])
    ids = [log.user_ids[user] for split in parse_splits("user-folds:2:2", log, seed=0)
           for user in users_of(log, split.held_out)]  # fmt: skip
    assert sorted(ids) == ["c", "d"]
    with pytest.raises(InputError, match="no user has more than 3 items"):
        parse_split("users:0.5:3", log, seed=0)


def test_the_digest_covers_what_is_told():
    log = random_log(100, n_users=8)
    one, two = (parse_split(f"users:0.5:{told}", log, seed=1) for told in (1, 2))
    assert users_of(log, one.held_out) == users_of(log, two.held_out)
    assert one.digest != two.digest
