import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.splitting.support import MinSupport
from tests.logs import log_of, random_log


def core_of(pairs, min_user, min_item):
    """Remove one user or item at a time until all have enough; the order does not change the end."""
    pairs = set(pairs)
    while True:
        few = {("user", u) for u, _ in pairs if sum(v == u for v, _ in pairs) < min_user}
        few |= {("item", i) for _, i in pairs if sum(j == i for _, j in pairs) < min_item}
        if not few:
            return pairs
        side, who = sorted(few)[0]
        pairs = {pair for pair in pairs if pair[side == "item"] != who}


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 20))
def test_what_stays_is_the_core(min_user, min_item, seed):
    log = random_log(50, n_users=15, n_items=15, seed=seed)
    rows = np.arange(5, 50)
    everything = set(zip(log.users[rows].tolist(), log.items[rows].tolist(), strict=True))
    expected = core_of(everything, min_user, min_item)
    if not expected:
        with pytest.raises(InputError, match="nothing of the training part stays"):
            MinSupport(min_user, min_item).core(log, rows)
        return
    kept, removed = MinSupport(min_user, min_item).core(log, rows)
    assert set(zip(log.users[kept].tolist(), log.items[kept].tolist(), strict=True)) == expected
    assert set(kept) <= set(rows)
    assert removed.n_train_events_removed == len(rows) - len(kept)
    assert removed.n_train_pairs_removed == len(everything) - len(expected)
    for side, at in (("users", 0), ("items", 1)):
        gone = {pair[at] for pair in everything} - {pair[at] for pair in expected}
        assert getattr(removed, f"n_{side}_removed") == len(gone)


def test_repeats_are_no_support():
    log = log_of([("a", 1), ("a", 1), ("a", 1), ("b", 1), ("b", 2)])
    kept, _ = MinSupport(user=2).core(log, np.arange(5))
    assert kept.tolist() == [3, 4]


def test_an_amount_of_zero_is_no_support_but_a_rating_of_zero_is():
    events = [("a", 1, 0), ("a", 2, 1), ("b", 1, 1), ("b", 2, 1)]
    for feedback, n_kept in (("implicit", 2), ("explicit", 4)):
        log = log_of(events, feedback=feedback)
        assert isinstance(log, Log)
        assert len(MinSupport(user=2).core(log, np.arange(4))[0]) == n_kept


@pytest.mark.parametrize(
    ("numbers", "message"),
    [((-1, 0), "support of each user is -1"), ((0, -2), "support of each item is -2"),
     ((0, 0, True), "no least support is given")],
)  # fmt: skip
def test_wrong_numbers_are_refused(numbers, message):
    with pytest.raises(ParameterError, match=message):
        MinSupport(*numbers)
