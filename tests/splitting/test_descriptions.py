"""What a split holds out, in words and as typed fields; nobody has to read its name."""

import numpy as np
import pytest

from recsys.splitting.specs import parse_splits
from tests.logs import random_log
from tests.splitting.events import DAYS, dated

LOG = random_log(200)
WEEKS = dated(*(f"2024-05-{day:02d}" for day in range(1, 29)))


@pytest.mark.parametrize(
    ("spec", "log", "words"),
    [
        ("last:0.2", LOG, "The last 20 % of each user's items are held out."),
        ("last:1", LOG, "Each user's last item is held out."),
        ("last:2", LOG, "The last 2 items of each user are held out."),
        ("random:0.1x3", LOG, "10 % of all pairs, drawn at random, are held out."),
        ("random-user:0.25", LOG, "25 % of each user's pairs, drawn at random, are held out."),
        ("folds:3", LOG, "All pairs are dealt to 3 folds, each held out once."),
        ("time:0.2", LOG, "The last 20 % of the events are held out."),
        ("time:150", LOG, "What came from 150 on is held out."),
        ("time:50..150", LOG, "What came from 50 to 150 is held out."),
        ("time:4w", DAYS, "The last 4 weeks are held out."),
        ("time:1w", DAYS, "The last week is held out."),
        ("time:1d", DAYS, "The last day is held out."),
        ("time:2024-05-31", DAYS, "What came from 2024-05-31 on is held out."),
        ("time:1wx2", WEEKS, "The last 2 windows of 1 week are held out, one after the other."),
        ("users:0.2:0.8", LOG, "20 % of the users are held out; a part of what each did is given."),
        ("user-folds:3:2", LOG, "All users are dealt to 3 folds, each held out once as a whole."),
    ],
)
def test_a_split_is_described_in_words(spec, log, words):
    splits = parse_splits(spec, log, seed=0)
    assert {split.description.text for split in splits} == {words}
    assert {split.description.rule for split in splits} == {spec.partition(":")[0]}


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ("random:0.1", {"share": 0.1}),
        ("random-user:0.25", {"share": 0.25}),
        ("folds:3", {"n_folds": 3}),
        ("last:2", {"n_items": 2}),
        ("last:0.2", {"share": 0.2}),
        ("time:150", {"start": 150}),
        ("time:50..150", {"start": 50, "end": 150}),
        ("users:0.2:3", {"share": 0.2, "given": 3.0}),
        ("user-folds:3:0.5", {"n_folds": 3, "given": 0.5}),
    ],
)
def test_arguments_are_typed_fields(spec, fields):
    for split in parse_splits(spec, LOG, seed=0):
        about = split.description
        known = {
            name: value
            for name in ("share", "n_items", "n_folds", "given", "start", "end")
            if (value := getattr(about, name)) is not None
        }
        assert known == fields
        assert about.is_by_time == spec.startswith("time")


def test_the_window_of_a_split_by_time_is_what_it_holds_out():
    for spec, log in (("time:0.2", LOG), ("time:4w", DAYS), ("time:29d..1d", DAYS), ("time:1wx2", WEEKS)):
        for split in parse_splits(spec, log, seed=0):
            about = split.description
            inside = log.times >= about.start
            if about.end is not None:
                inside &= log.times < about.end
            assert np.array_equal(np.flatnonzero(inside), split.held_out)


def test_parts_know_their_repeat():
    splits = parse_splits("folds:2x3", LOG, seed=0)
    assert [(split.part, split.repeat) for split in splits] == [
        (1, 0),
        (2, 0),
        (3, 1),
        (4, 1),
        (5, 2),
        (6, 2),
    ]
