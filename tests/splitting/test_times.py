import numpy as np
import pytest

from recsys.errors import InputError, ParameterError
from recsys.remarks import RemarkCode
from recsys.splitting.specs import parse_split, parse_splits
from tests.logs import log_of, random_log
from tests.splitting.events import DAYS, dated


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
    assert "holds out 75 % of the events: 3 happened at one and the same time" in split.remarks[0].text
    assert split.remarks[0].code is RemarkCode.EQUAL_TIMES
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


WEEKS = dated(*(f"2024-05-{day:02d}" for day in range(1, 29)))  # four weeks, an event a day


def test_windows_follow_each_other_and_leave_out_what_comes_later():
    splits = parse_splits("time:1wx3", WEEKS, seed=0)
    assert [(split.name, split.part, split.n_parts) for split in splits] == [
        ("time:1wx3", part, 3) for part in (1, 2, 3)
    ]
    for number, split in enumerate(splits, start=1):
        assert split.train.tolist() == list(range(7 * number))
        assert split.held_out.tolist() == list(range(7 * number, 7 * number + 7))
        assert split.n_left_out == 28 - 7 * number - 7
    one, last = parse_split("time:7d", WEEKS, seed=0), splits[-1]
    assert np.array_equal(one.held_out, last.held_out)
    assert parse_split("time:1wx1", WEEKS, seed=0).digest == one.digest


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("time:0.1x3", ParameterError, "expected e.g. time:4wx3"),
        ("time:0dx3", ParameterError, "expected e.g. time:4wx3"),
        ("time:x3", ParameterError, "expected e.g. time:4wx3"),
        ("time:1wx0", ParameterError, "0 repeats; expected 1 to 100"),
        ("time:1dx101", ParameterError, "101 repeats; expected 1 to 100"),
        ("time:1wx5", InputError, "leaves the training part empty"),
    ],
)
def test_windows_that_cannot_be_made_are_refused(spec, error, message):
    with pytest.raises(error, match=message):
        parse_splits(spec, WEEKS, seed=0)


def test_windows_need_timestamps():
    with pytest.raises(ParameterError, match=r"time:1wx2, window 1 of 2: .* this log's time is a number"):
        parse_splits("time:1wx2", random_log(30), seed=0)
