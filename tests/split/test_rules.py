from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError, ParameterError
from recsys.split.specs import parse_split, parse_splits
from recsys.split.split import Split
from tests.logs import log_of, random_log


def events_of(log, rows):
    return {(int(log.users[row]), int(log.items[row]), int(log.times[row])) for row in rows}


def pairs_of(log, rows):
    return {(int(log.users[row]), int(log.items[row])) for row in rows}


def shuffled(log, seed=5):
    """Return the same events in another order."""
    order = np.random.default_rng(seed).permutation(len(log))
    columns = log.users, log.items, log.values, log.times
    return log_of(list(zip(*(column[order].tolist() for column in columns), strict=True)))


@pytest.mark.parametrize("spec", ["random:0.3", "random-user:0.3", "time:0.3", "time:40"])
def test_every_event_is_on_one_side(spec):
    log = random_log(120)
    split = parse_split(spec, log, seed=0)
    assert sorted([*split.train, *split.held_out]) == list(range(120))
    assert split.name == spec
    assert np.all(np.diff(split.train) > 0)
    assert np.all(np.diff(split.held_out) > 0)


@pytest.mark.parametrize("spec", ["random:0.3", "random-user:0.3", "last:2", "last:0.4"])
def test_all_events_of_a_pair_are_on_one_side(spec):
    log = random_log(120)
    split = parse_split(spec, log, seed=0)
    assert len(pairs_of(log, range(120))) < 120
    assert not pairs_of(log, split.train) & pairs_of(log, split.held_out)


@pytest.mark.parametrize("spec", ["random:0.3", "random-user:0.3", "last:2", "last:0.4", "time:0.3"])
def test_the_order_of_the_lines_does_not_matter_where_times_are_distinct(spec):
    log = random_log(120)
    again = shuffled(log)
    expected = events_of(log, parse_split(spec, log, seed=4).held_out)
    assert events_of(again, parse_split(spec, again, seed=4).held_out) == expected


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


@pytest.mark.parametrize(
    ("share", "n", "n_held_out"),
    [
        (0.1, 10, 1),
        (0.2, 5, 1),
        (0.5, 4, 2),
        (0.7, 10, 7),
        (0.8, 5, 4),
        (0.8, 15, 12),
        (0.9, 10, 9),
        (0.9, 100, 90),
    ],
)
def test_time_holds_out_the_latest_share_of_the_events(share, n, n_held_out):
    log = log_of([(1, item, 1, item) for item in range(n)])
    held_out = parse_split(f"time:{share}", log, seed=0).held_out
    assert held_out.tolist() == list(range(n - n_held_out, n))


def test_equal_times_stay_on_one_side_and_are_told():
    log = log_of([(1, item, 1, [1, 2, 2, 2][item]) for item in range(4)])
    split = parse_split("time:0.25", log, seed=0)
    assert split.held_out.tolist() == [1, 2, 3]
    assert "holds out 75 % of the events: 3 happened at one and the same time" in split.remarks[0]
    assert not parse_split("time:0.75", log, seed=0).remarks


@pytest.mark.parametrize(
    ("window", "train", "held_out"),
    [("3..5", [0, 1, 2], [3, 4]), ("4..100", [0, 1, 2, 3], [4, 5]), ("0.5..0.3", [0, 1, 2], [3])],
)
def test_a_window_leaves_out_what_came_later(window, train, held_out):
    log = log_of([(1, item, 1, item) for item in range(6)])
    split = parse_split(f"time:{window}", log, seed=0)
    assert split.name == f"time:{window}"
    assert split.train.tolist() == train
    assert split.held_out.tolist() == held_out
    assert split.n_left_out == 6 - len(train) - len(held_out)


def test_a_window_may_be_counted_from_the_end():
    split = parse_split("time:29d..1d", DAYS, seed=0)
    assert split.train.tolist() == [0]
    assert split.held_out.tolist() == [1, 2, 3]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("rule", ["last", "random-user"])
def test_a_share_is_held_out_of_each_user(rule, share):
    log = random_log(80)
    held = pairs_of(log, parse_split(f"{rule}:{share}", log, seed=1).held_out)
    for user in range(len(log.user_ids)):
        n = sum(of == user for of, _ in pairs_of(log, range(80)))
        assert sum(of == user for of, _ in held) == min(int(share * n + 0.5), n - 1)


def test_without_times_the_last_items_are_those_of_the_last_lines_and_that_is_told():
    log = random_log(60, with_times=False)
    assert "last lines" in parse_split("last:0.3", log, seed=0).remarks[0]
    assert not parse_split("last:0.3", random_log(60), seed=0).remarks


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


def test_a_rule_that_makes_several_splits_is_no_single_split():
    with pytest.raises(ParameterError, match="'folds:2' makes 2 parts"):
        parse_split("folds:2", random_log(60), seed=0)


@pytest.mark.parametrize(
    ("point", "held_out"), [("5", [1, 2]), ("5.5", [2]), ("0", [0, 1, 2]), ("-3", [0, 1, 2])]
)
def test_time_splits_at_a_number_which_is_held_out_itself(point, held_out):
    log = log_of([(1, "z", 1, -10), (1, "a", 1, 4), (1, "b", 1, 5), (1, "c", 1, 6)])
    assert (parse_split(f"time:{point}", log, seed=0).held_out - 1).tolist() == held_out


def test_a_large_number_loses_no_digit():
    base = 2**60
    log = log_of([(1, "a", 1, base), (1, "b", 1, base + 1), (1, "c", 1, base + 2)])
    assert parse_split(f"time:{base + 1}", log, seed=0).held_out.tolist() == [1, 2]


def dated(*moments):
    micros = [
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000 for text in moments
    ]
    return log_of([(1, at, 1, time) for at, time in enumerate(micros)], time_kind="timestamp")


DAYS = dated("2024-05-01", "2024-05-30T23:59:59", "2024-05-31", "2024-06-27", "2024-06-28")


@pytest.mark.parametrize(
    ("when", "held_out"),
    [
        ("2024-05-31", [2, 3, 4]),
        ("2024-05-31T00:00:01", [3, 4]),
        ("2024-05-31T01:00+02:00", [1, 2, 3, 4]),
        ("2024-05-30T23:59:59Z", [1, 2, 3, 4]),
        ("1d", [4]),
        ("2d", [3, 4]),
        ("28d", [3, 4]),
        ("4w", [3, 4]),
        ("29d", [1, 2, 3, 4]),
        ("0.4", [3, 4]),
    ],
)
def test_time_splits_at_a_moment_or_a_stretch_before_the_end(when, held_out):
    assert parse_split(f"time:{when}", DAYS, seed=0).held_out.tolist() == held_out


NUMBERS = log_of([(1, "a", 1, 10), (2, "b", 1, 20)])
TIMELESS = log_of([(1, "a"), (2, "b")])


@pytest.mark.parametrize(
    ("spec", "log", "message"),
    [
        ("half", NUMBERS, "there is no split 'half'; expected random:SHARE, random-user:SHARE"),
        ("random:x", NUMBERS, "split 'random:x': 'x' is no number"),
        ("random:0", NUMBERS, "the share is expected between 0 and 1"),
        ("random:1", NUMBERS, "the share is expected between 0 and 1"),
        ("random:0.2x0", NUMBERS, "0 repeats; expected 1 to 100"),
        ("random:0.2x101", NUMBERS, "101 repeats; expected 1 to 100"),
        ("folds:2x51", NUMBERS, "makes more than 100 parts"),
        ("folds:1", NUMBERS, "expected to be 2 or more"),
        ("folds:101", NUMBERS, "makes more than 100 parts"),
        ("folds:many", NUMBERS, "'many' is no whole number"),
        ("random-user:2", NUMBERS, "the share is expected between 0 and 1"),
        ("last:0.2x3", NUMBERS, "'0.2x3' is no number"),
        ("time:5..5", NUMBERS, "the window ends before it begins"),
        ("time:0.2..0.5", NUMBERS, "the window ends before it begins"),
        ("time:5..", NUMBERS, "FROM..TO"),
        ("users:0", NUMBERS, "the share is expected between 0 and 1"),
        ("users:0.5:0", NUMBERS, "expected a share below 1 or a number"),
        ("users:0.5:1.5", NUMBERS, "expected a share below 1 or a number"),
        ("users:0.5:inf", NUMBERS, "expected a share below 1 or a number"),
        ("user-folds:0", NUMBERS, "expected to be 2 or more"),
        ("random:nan", NUMBERS, "the share is expected between 0 and 1"),
        ("last:0", NUMBERS, "expected to be 1 or more"),
        ("last:1.5", NUMBERS, "split 'last:1.5': '1.5' is no whole number"),
        ("time:soon", NUMBERS, "expected a share below 1, a date"),
        ("time:nan", NUMBERS, "expected a share below 1, a date"),
        ("time:inf", NUMBERS, "time:inf"),
        ("time:4w", NUMBERS, "this log's time is a number; give time:NUMBER"),
        ("time:2024-05-31", NUMBERS, r"this log's time is a number \(10 to 20\)"),
        ("time:5", DAYS, "this log has timestamps; give a date or a share"),
        ("time:2024-13-31", DAYS, "expected a share below 1, a date"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(spec, log, message):
    with pytest.raises(ParameterError, match=message):
        parse_split(spec, log, seed=0)


@pytest.mark.parametrize(
    ("spec", "log", "message"),
    [
        ("time:0.5", TIMELESS, "the log has no time column"),
        ("time:30", NUMBERS, "'time:30' leaves the held-out part empty"),
        ("time:10", NUMBERS, "'time:10' leaves the training part empty"),
        ("time:30..40", NUMBERS, "'time:30..40' leaves the held-out part empty"),
        ("folds:3", NUMBERS, "'folds:3' leaves the held-out part empty"),
        ("users:0.5", NUMBERS, "no user has more than 1 items"),
        ("last:0.2", NUMBERS, "'last:0.2' leaves the held-out part empty"),
        ("last:1", NUMBERS, "'last:1' leaves the held-out part empty"),
        ("random:0.1", NUMBERS, "'random:0.1' leaves the held-out part empty"),
    ],
)
def test_a_split_with_an_empty_part_is_refused(spec, log, message):
    with pytest.raises(InputError, match=message):
        parse_split(spec, log, seed=0)


def test_rules_have_defaults():
    log = random_log(100)
    for short, full in (
        ("random", "random:0.2"),
        ("random-user", "random-user:0.2"),
        ("folds", "folds:5"),
        ("last", "last:1"),
        ("time", "time:0.2"),
        ("users", "users:0.2:0.8"),
        ("user-folds", "user-folds:5:0.8"),
    ):
        found, expected = (parse_splits(spec, log, seed=3) for spec in (short, full))
        assert [split.digest for split in found] == [split.digest for split in expected]
        assert {split.name for split in found} == {full}


def test_a_digest_tells_the_parts_apart():
    marks = np.array([True, False, True, False])
    digests = {
        Split.of_mask("a", None, mask).digest for mask in (marks, ~marks, np.array([1, 0, 0, 0], bool))
    }
    assert len(digests) == 3
    assert Split.of_mask("another name", 5, marks).digest in digests
