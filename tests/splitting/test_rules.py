import numpy as np
import pytest

from recsys.errors import InputError, ParameterError
from recsys.splitting.specs import parse_split, parse_splits
from recsys.splitting.split import Split, SplitDescription
from tests.logs import log_of, random_log
from tests.splitting.events import DAYS, events_of, pairs_of, shuffled


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


def test_a_rule_that_makes_several_splits_is_no_single_split():
    with pytest.raises(ParameterError, match="'folds:2' makes 2 parts"):
        parse_split("folds:2", random_log(60), seed=0)


NUMBERS = log_of([(1, "a", 1, 10), (2, "b", 1, 20)])


TIMELESS = log_of([(1, "a"), (2, "b")])


@pytest.mark.parametrize(
    ("spec", "log", "message"),
    [
        (
            "half",
            NUMBERS,
            r"there is no split 'half'; expected .*random:SHARE, .* or users:SHARE\[:",
        ),
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
        ("time:4w", NUMBERS, r"this log's time is a number \(.* to .*\), not a date; give time:NUMBER"),
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
    about = SplitDescription("a", "Some are held out.")
    masks = marks, ~marks, np.array([1, 0, 0, 0], bool)
    digests = {Split.of_mask("a", about, None, mask).digest for mask in masks}
    assert len(digests) == 3
    assert Split.of_mask("another name", about, 5, marks).digest in digests
