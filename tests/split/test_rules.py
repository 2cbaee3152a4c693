from collections import defaultdict
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError, ParameterError
from recsys.split.rules import parse_split
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


@pytest.mark.parametrize("spec", ["random:0.3", "last:1", "last:3", "time:0.3", "time:40"])
def test_every_event_is_on_one_side(spec):
    log = random_log(120)
    split = parse_split(spec, log, seed=0)
    assert sorted([*split.train, *split.held_out]) == list(range(120))
    assert split.name == spec
    assert np.all(np.diff(split.train) > 0)
    assert np.all(np.diff(split.held_out) > 0)


@pytest.mark.parametrize("spec", ["random:0.3", "last:2"])
def test_all_events_of_a_pair_are_on_one_side(spec):
    log = random_log(120)
    split = parse_split(spec, log, seed=0)
    assert len(pairs_of(log, range(120))) < 120
    assert not pairs_of(log, split.train) & pairs_of(log, split.held_out)


@pytest.mark.parametrize("spec", ["random:0.3", "last:2", "time:0.3"])
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


def test_equal_times_stay_on_one_side():
    log = log_of([(1, item, 1, [1, 2, 2, 2][item]) for item in range(4)])
    assert parse_split("time:0.25", log, seed=0).held_out.tolist() == [1, 2, 3]


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
        ("half", NUMBERS, "there is no split 'half'; expected random:SHARE, last:N"),
        ("random:x", NUMBERS, "split 'random:x': 'x' is no number"),
        ("random:0", NUMBERS, "the share is expected between 0 and 1"),
        ("random:1", NUMBERS, "the share is expected between 0 and 1"),
        ("random:nan", NUMBERS, "the share is expected between 0 and 1"),
        ("last:0", NUMBERS, "expected to be 1 or more"),
        ("last:1.5", NUMBERS, "split 'last:1.5': '1.5' is no number"),
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
        ("last:1", NUMBERS, "'last:1' leaves the held-out part empty"),
        ("random:0.1", NUMBERS, "'random:0.1' leaves the held-out part empty"),
    ],
)
def test_a_split_with_an_empty_part_is_refused(spec, log, message):
    with pytest.raises(InputError, match=message):
        parse_split(spec, log, seed=0)


def test_rules_have_defaults():
    log = random_log(100)
    for short, full in (("random", "random:0.2"), ("last", "last:1"), ("time", "time:0.2")):
        assert parse_split(short, log, seed=3).digest == parse_split(full, log, seed=3).digest


def test_a_digest_tells_the_parts_apart():
    marks = np.array([True, False, True, False])
    digests = {
        Split.of_mask("a", None, mask).digest for mask in (marks, ~marks, np.array([1, 0, 0, 0], bool))
    }
    assert len(digests) == 3
    assert Split.of_mask("another name", 5, marks).digest in digests
