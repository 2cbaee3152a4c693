import numpy as np
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.log import Log
from tests.logs import log_of, random_log


def pairs_by_id(held_out, train):
    """Return {(user id, item id): value}, None standing for an id that training does not know."""
    return {
        (train.user_ids[user] if user >= 0 else None, train.item_ids[item] if item >= 0 else None): value
        for user, item, value in zip(held_out.users, held_out.items, held_out.values, strict=True)
    }


def test_pairs_are_looked_up_and_those_of_training_set_aside():
    train = Interactions.from_log(log_of([("bob", "x", 1), ("ann", "y", 2), ("ann", "z", 3)]))
    log = log_of(
        [
            ("ann", "y", 5),  # stands in training
            ("ann", "x", 4),
            ("ann", "new", 3),
            ("cy", "x", 2),
            ("cy", "other", 1),
        ]
    )
    held_out = HeldOut.from_log(log, None, train)
    assert pairs_by_id(held_out, train) == {
        ("ann", "x"): 4,
        ("ann", None): 3,
        (None, "x"): 2,
        (None, None): 1,
    }
    assert held_out.n_pairs == 4
    assert held_out.n_repeated == 1
    assert held_out.n_cold_users == 1
    assert held_out.n_cold_items == 2
    ann, bob = train.user_ids.rows(["ann", "bob"])
    # An item unknown to training cannot be listed, but was taken: it counts.
    assert held_out.n_held_out[[ann, bob]].tolist() == [2, 0]
    assert held_out.by_user.row(ann)[0].tolist() == train.item_ids.rows(["x"]).tolist()
    assert held_out.by_user.row(bob)[0].tolist() == []


def test_counts_and_rows_agree_on_a_larger_log():
    train = Interactions.from_log(random_log(150, n_users=25, n_items=18))
    log = random_log(120, n_users=30, n_items=22, seed=1)
    held_out = HeldOut.from_log(log, None, train)
    held = Interactions.from_log(log)
    assert held_out.n_pairs + held_out.n_repeated == held.nnz
    assert held_out.n_held_out.sum() == np.count_nonzero(held_out.users >= 0)
    assert held_out.n_cold_users == len(set(held.user_ids) - set(train.user_ids)) > 0
    assert held_out.n_cold_items == len(set(held.item_ids) - set(train.item_ids)) > 0
    for user in range(train.n_users):
        items, values = held_out.by_user.row(user)
        assert np.all(np.diff(items) > 0)
        assert not set(items) & set(train.by_user.row(user)[0])
        known = (held_out.users == user) & (held_out.items >= 0)
        assert dict(zip(items, values, strict=True)) == dict(
            zip(held_out.items[known], held_out.values[known], strict=True)
        )


def test_only_the_events_asked_for_are_held_out():
    log = log_of([(1, 1, 5), (1, 2, 4), (2, 2, 3), (1, 2, 1)])
    train = Interactions.from_log(log, np.array([0, 2]))
    held_out = HeldOut.from_log(log, np.array([1, 3]), train)
    assert pairs_by_id(held_out, train) == {(1, 2): 1}
    summed = HeldOut.from_log(log, np.array([1, 3]), train, duplicates="sum")
    assert pairs_by_id(summed, train) == {(1, 2): 5}


@pytest.mark.parametrize("text_in_training", [True, False])
def test_ids_written_as_text_and_as_numbers_meet(text_in_training):
    as_text, as_numbers = log_of([("1", "5", 4), ("2", "7", 4)]), log_of([(1, 7, 2), (3, 5, 2)])
    first, second = (as_text, as_numbers) if text_in_training else (as_numbers, as_text)
    held_out = HeldOut.from_log(second, None, Interactions.from_log(first))
    assert held_out.n_cold_users == 1
    assert held_out.n_cold_items == 0


def test_a_held_out_amount_of_zero_was_not_taken():
    train = Interactions.from_pairs([1, 2], ["a", "b"], feedback="implicit")
    for feedback, n_pairs in (("implicit", 1), ("explicit", 2)):
        log = Log([0, 1], [1, 0], [0.0, 2.0], Ids([1, 2]), Ids(["a", "b"]), feedback)
        held_out = HeldOut.from_log(log, None, train)
        assert held_out.n_pairs == n_pairs
        assert held_out.n_held_out.sum() == n_pairs
        assert held_out.n_zero == 2 - n_pairs
