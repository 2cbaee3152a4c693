import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from recsys.data.duplicates import DUPLICATE_RULES, stable_order
from recsys.data.interactions import Interactions
from recsys.errors import InputError
from tests.logs import log_of, random_log


def entries(interactions):
    """Return {(user id, item id): value}."""
    return {
        (interactions.user_ids[user], interactions.item_ids[item]): float(value)
        for user, item, value in zip(
            interactions.by_user.row_numbers,
            interactions.by_user.columns,
            interactions.by_user.values,
            strict=True,
        )
    }


def frame_of(log):
    return pd.DataFrame(
        {
            "user": log.user_ids.values[log.users],
            "item": log.item_ids.values[log.items],
            "value": log.values,
            "time": np.arange(len(log)) if log.times is None else log.times,
        }
    )


@pytest.mark.parametrize("with_times", [True, False])
@pytest.mark.parametrize("rule", [rule for rule in DUPLICATE_RULES if rule != "error"])
def test_repeated_pairs_are_joined_as_pandas_does(rule, with_times):
    log = random_log(120, with_times=with_times)
    groups = frame_of(log).sort_values("time").groupby(["user", "item"])
    expected = groups["value"].agg(rule)
    found = Interactions.from_log(log, duplicates=rule)
    assert len(expected) < 120
    assert entries(found) == pytest.approx(expected.to_dict())
    if with_times:
        assert found.time.tolist() == groups["time"].max().tolist()
    else:
        assert found.time is None


def test_a_repeated_pair_can_be_refused():
    log = log_of([("ann", "x"), ("bob", "x"), ("bob", "x")])
    with pytest.raises(InputError, match="user 'bob' and item 'x' meet more than once"):
        Interactions.from_log(log, duplicates="error")
    assert Interactions.from_log(log, np.array([0, 1]), duplicates="error").nnz == 2


def test_of_equal_times_the_later_line_is_the_last():
    log = log_of([(1, 1, 5, 7), (1, 1, 3, 7), (1, 1, 4, 6)])
    assert entries(Interactions.from_log(log, duplicates="last")) == {(1, 1): 3}


@pytest.mark.parametrize(("feedback", "expected"), [("explicit", 2), ("implicit", 5)])
def test_the_last_opinion_counts_and_amounts_add_up(feedback, expected):
    log = log_of([(1, 1, 3, 1), (1, 1, 2, 2)], feedback=feedback)
    assert entries(Interactions.from_log(log)) == {(1, 1): expected}


@pytest.mark.parametrize("rule", DUPLICATE_RULES[:-1])
def test_the_order_of_the_lines_changes_nothing_where_times_are_distinct(rule):
    log = random_log(120)
    order = np.random.default_rng(2).permutation(120)
    columns = log.users, log.items, log.values, log.times
    again = log_of(list(zip(*(column[order].tolist() for column in columns), strict=True)))
    one, two = (Interactions.from_log(given, duplicates=rule) for given in (log, again))
    assert one.digest == two.digest
    np.testing.assert_array_equal(one.time, two.time)


def test_stored_zeros_stay_on_both_sides():
    log = log_of([(1, 1, 0), (1, 2, 3), (2, 1, 0)])
    found = Interactions.from_log(log)
    assert entries(found) == {(1, 1): 0, (1, 2): 3, (2, 1): 0}
    assert found.by_item.counts.tolist() == [2, 1]
    assert found.by_item.transposed().columns.tolist() == found.by_user.columns.tolist()
    stored = sparse.csr_array((np.array([0.0, 3, 0]), ([0, 0, 1], [0, 1, 0])))
    assert Interactions.from_matrix(stored).nnz == 3
    assert Interactions.from_matrix([[0, 3], [0, np.nan]]).digest == Interactions.from_matrix(stored).digest


def test_users_and_items_without_an_event_are_left_out():
    log = log_of([("ann", 7), ("bob", 8), ("cy", 9), ("bob", 7)])
    found = Interactions.from_log(log, np.array([0, 3]))
    assert list(found.user_ids) == ["ann", "bob"]
    assert list(found.item_ids) == [7]


def test_the_digest_follows_values_ids_and_feedback():
    base = [(1, 1, 3), (1, 2, 4)]
    logs = [
        log_of(base),
        log_of([(1, 1, 3), (1, 2, 5)]),
        log_of([(1, 1, 3), (1, 3, 4)]),
        log_of([("1", 1, 3), ("1", 2, 4)]),
        log_of(base, feedback="implicit"),
    ]
    assert len({Interactions.from_log(log).digest for log in logs}) == len(logs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Interactions.from_log(log_of([(1, 1)]), np.array([], dtype=int)), "no events are left"),
        (
            lambda: Interactions.from_log(log_of([(1, 1)]), duplicates="first"),
            "duplicates is 'first'; expected",
        ),
        (
            lambda: Interactions.from_log(log_of([(1, 1, 3e38), (1, 1, 3e38)]), duplicates="sum"),
            r"6e\+38 is beyond single precision",
        ),
        (lambda: Interactions.from_pairs([1, 2], [1]), "2 users, 1 items and 2 values"),
        (lambda: Interactions.from_pairs([1], [1], [-1], feedback="implicit"), "value -1 .* is negative"),
        (lambda: Interactions.from_matrix([1.0, 2.0]), r"shape \(2,\); expected users x items"),
        (
            lambda: Interactions.from_matrix(sparse.coo_array(np.array([1.0, 2.0]))),
            r"shape \(2,\); expected users x items",
        ),
        (
            lambda: Interactions.from_matrix(sparse.csr_array((np.ones(2), [0, 0], [0, 2]))),
            "stores an entry twice",
        ),
        (
            lambda: Interactions.from_matrix(sparse.coo_array((np.ones(2), ([0, 0], [0, 0])))),
            "stores an entry twice",
        ),
    ],
    ids=[
        "no events",
        "no such rule",
        "a sum too large",
        "columns of other lengths",
        "negative",
        "one dimension",
        "one sparse dimension",
        "csr with repeats",
        "coo with repeats",
    ],
)
def test_what_cannot_be_used_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_the_matrix_given_is_left_as_it_was():
    unsorted = sparse.csr_array((np.array([1.0, 2.0]), np.array([1, 0]), np.array([0, 2])))
    Interactions.from_matrix(unsorted)
    assert unsorted.indices.tolist() == [1, 0]


def test_the_arrays_of_the_caller_stay_writable():
    values = np.array([1.0, 2.0, 3.0])
    interactions = Interactions.from_pairs([1, 2, 3], [1, 2, 3], values)
    values[0] = 9.0
    assert interactions.by_user.values[0] == 1.0


def test_an_amount_of_zero_is_no_purchase_but_a_rating_of_zero_is_a_rating():
    for feedback, counts in (("implicit", [1, 0]), ("explicit", [1, 1])):
        found = Interactions.from_pairs([1, 2], ["a", "b"], [3, 0], feedback=feedback)
        assert found.item_counts.tolist() == counts
        assert found.nnz == 2  # observed all the same


def test_a_kind_of_feedback_that_does_not_exist_is_refused():
    for make in (
        lambda: Interactions.from_pairs([1], [1], feedback="maybe"),
        lambda: Interactions.from_matrix(np.ones((1, 1)), feedback="maybe"),
    ):
        with pytest.raises(InputError, match="feedback is 'maybe'"):
            make()


@given(st.data())
def test_the_order_of_events_is_that_of_a_stable_sort(data):
    n = data.draw(st.integers(0, 6))
    few = st.lists(st.integers(0, 2), min_size=n, max_size=n)
    keys, times = (np.array(data.draw(few), dtype=np.int64) for _ in range(2))
    if data.draw(st.booleans()):
        keys.sort()  # then nothing may be moved, unless a time falls
    lines = range(n)
    by_key = sorted(lines, key=lambda line: keys[line])
    by_time = sorted(lines, key=lambda line: (keys[line], times[line]))
    assert np.arange(n)[stable_order(keys)].tolist() == by_key
    assert np.arange(n)[stable_order(keys, times)].tolist() == by_time
