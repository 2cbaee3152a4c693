import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.splitting.specs import parse_split, parse_splits
from tests.logs import random_log
from tests.splitting.events import pairs_of


@given(st.floats(0.05, 0.95), st.integers(0, 5))
def test_random_holds_out_its_share_of_the_pairs(share, seed):
    log = random_log(200, n_users=10, n_items=12)
    n_pairs = len(pairs_of(log, range(200)))
    held = pairs_of(log, parse_split(f"random:{share}", log, seed=seed).held_out)
    assert len(held) == round(share * n_pairs)


def test_random_depends_on_its_seed_alone():
    log = random_log(120)
    first, again, other = (parse_split("random:0.3", log, seed=seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert first.seed == 1


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("rule", ["last", "random-user"])
def test_a_share_is_held_out_of_each_user(rule, share):
    log = random_log(80)
    held = pairs_of(log, parse_split(f"{rule}:{share}", log, seed=1).held_out)
    for user in range(len(log.user_ids)):
        n = sum(of == user for of, _ in pairs_of(log, range(80)))
        assert sum(of == user for of, _ in held) == min(int(share * n + 0.5), n - 1)


@given(st.integers(2, 7), st.integers(1, 3), st.integers(0, 3))
def test_folds_hold_out_every_pair_once_in_each_repeat(n, n_repeats, seed):
    log = random_log(90)
    splits = parse_splits(f"folds:{n}" + (f"x{n_repeats}" if n_repeats > 1 else ""), log, seed=seed)
    assert [split.part for split in splits] == list(range(1, n * n_repeats + 1))
    assert {split.n_parts for split in splits} == {n * n_repeats}
    everything = pairs_of(log, range(90))
    for repeat in range(n_repeats):
        held = [pairs_of(log, split.held_out) for split in splits[repeat * n : (repeat + 1) * n]]
        assert sum(map(len, held)) == len(everything)
        assert set.union(*held) == everything
        assert max(map(len, held)) - min(map(len, held)) <= 1
    for split in splits:
        assert sorted([*split.train, *split.held_out]) == list(range(90))


@pytest.mark.parametrize("rule", ["random:0.3", "random-user:0.3", "users:0.4:0.5"])
def test_repeats_differ_and_begin_with_the_split_that_is_not_repeated(rule):
    log = random_log(120, n_users=12)
    splits = parse_splits(f"{rule}x3", log, seed=2)
    assert len({split.digest for split in splits}) == 3
    assert splits[0].digest == parse_split(rule, log, seed=2).digest
    assert [split.part for split in splits] == [1, 2, 3]
    assert {split.name for split in splits} == {f"{rule}x3"}
