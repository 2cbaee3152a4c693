import numpy as np
import pytest

from recsys.factorization.factors import Factors
from recsys.factorization.losses import Loss
from recsys.factorization.masked import MaskedObjective
from recsys.factorization.masked_kl import MaskedKLObjective
from recsys.factorization.starts import random_start
from recsys.factorization.updating import extended, touch
from tests.matrices import ABSENT, random_matrix, rows_of

SQUARED = Loss(MaskedObjective(l2=0.2, l2_exponent=0.5, l1=0.01, item_l1=0.05, bias_l2=1.5, biases=True))
LOSSES = {"squared": SQUARED, "kl": Loss(MaskedKLObjective(l2=0.1, l1=0.01, item_l1=0.05))}
PARTS = ("user_factors", "item_factors", "user_bias", "item_bias")


@pytest.fixture(params=LOSSES)
def loss(request):
    return LOSSES[request.param]


def state(matrix, loss, n_sweeps=5):
    rows = rows_of(matrix)
    start = random_start(rows, 3, biases=loss is SQUARED, seed=0)
    problem = loss.problem(rows, rows.transposed(), start)
    for _ in range(n_sweeps):
        problem.sweep_users()
        problem.sweep_items()
    return problem.factors()


def copied(at):
    return Factors(at.mean, *(getattr(at, name).copy() for name in PARTS))


@pytest.mark.parametrize("weighted", [False, True])
def test_touching_everything_is_a_sweep_of_everything(loss, weighted):
    rows = rows_of(random_matrix(20, 12))
    weights = np.random.default_rng(0).choice([0.5, 2], rows.nnz).astype(np.float32) if weighted else None
    at = state(random_matrix(20, 12), loss)
    problem = loss.problem(rows, rows.transposed(), at, weights)
    problem.sweep_users()
    problem.sweep_items()
    found = touch(
        at, rows, rows.transposed(), loss, users=np.arange(20), items=np.arange(12), passes=1, weights=weights
    )
    for name in PARTS:
        np.testing.assert_allclose(
            getattr(found, name), getattr(problem.factors(), name), rtol=1e-4, atol=1e-5
        )


def test_rows_that_are_not_touched_keep_their_bits(loss):
    rows = rows_of(random_matrix(20, 12))
    at = state(random_matrix(20, 12), loss)
    before = copied(at)
    users, items = np.array([3, 7]), np.array([0, 11])
    found = touch(at, rows, rows.transposed(), loss, users=users, items=items, passes=2)
    for side, chosen in (("user", users), ("item", items)):
        for part in ("factors", "bias"):
            new, old = getattr(found, f"{side}_{part}"), getattr(before, f"{side}_{part}")
            others = np.setdiff1d(np.arange(len(old)), chosen)
            np.testing.assert_array_equal(new[others], old[others])
        assert (getattr(found, f"{side}_factors")[chosen] != getattr(before, f"{side}_factors")[chosen]).any()
    for name in PARTS:  # what was given is left as it was
        np.testing.assert_array_equal(getattr(at, name), getattr(before, name))
    assert found.mean == before.mean


def test_nothing_to_touch_changes_nothing(loss):
    rows = rows_of(random_matrix(20, 12))
    at = state(random_matrix(20, 12), loss)
    none = np.array([], dtype=np.int64)
    found = touch(at, rows, rows.transposed(), loss, users=none, items=none, passes=2)
    for name in PARTS:
        np.testing.assert_array_equal(getattr(found, name), getattr(at, name))


def wider():
    """Return ratings of 20 users and 12 items, with 3 new users and 3 new items.

    The first new user has known items, the second only a new one, the third nothing; likewise items,
    of which the second is known to the second new user alone.
    """
    matrix = np.full((23, 15), ABSENT)
    matrix[:20, :12] = random_matrix(20, 12)
    matrix[20, [0, 3, 5]] = [5, 1, 4]
    matrix[:6, 12] = [5, 4, 3, 5, 1, 2]
    matrix[21, 13] = 4
    return matrix


def test_new_rows_begin_as_they_would_be_folded_in(loss):
    matrix = wider()
    rows = rows_of(matrix)
    at = state(matrix[:20, :12], loss)
    found = extended(at, rows, rows.transposed(), loss, seed=0)
    for name, n in zip(PARTS, (20, 12, 20, 12), strict=True):
        np.testing.assert_array_equal(getattr(found, name)[:n], getattr(at, name))
    folded, bias = loss.fold_in(rows_of(matrix[20:21, :12]), at)
    np.testing.assert_allclose(found.user_factors[20], folded[0], rtol=1e-5)
    np.testing.assert_allclose(found.user_bias[20], bias[0], rtol=1e-5)
    # A new item is fitted to the users with its own penalty.
    turned = found.swapped
    folded, bias = loss.of_items.fold_in(rows_of(matrix.T[12:13]), turned)
    np.testing.assert_allclose(found.item_factors[12], folded[0], rtol=1e-5)
    np.testing.assert_allclose(found.item_bias[12], bias[0], rtol=1e-5)


def test_those_with_nothing_get_nothing_and_those_with_new_ones_alone_something(loss):
    matrix = wider()
    rows = rows_of(matrix)
    found = extended(state(matrix[:20, :12], loss), rows, rows.transposed(), loss, seed=0)
    assert not found.user_factors[22].any()
    assert not found.item_factors[14].any()
    assert found.user_factors[21].any()
    again = extended(state(matrix[:20, :12], loss), rows, rows.transposed(), loss, seed=0)
    np.testing.assert_array_equal(found.user_factors, again.user_factors)


def test_without_new_rows_nothing_is_appended(loss):
    rows = rows_of(random_matrix(20, 12))
    at = state(random_matrix(20, 12), loss)
    found = extended(at, rows, rows.transposed(), loss, seed=0)
    for name in PARTS:
        np.testing.assert_array_equal(getattr(found, name), getattr(at, name))


def test_what_is_held_is_made_anew_only_where_it_has_changed(monkeypatch):
    rows = rows_of(random_matrix(20, 12))
    at, made = state(random_matrix(20, 12), SQUARED), []
    monkeypatch.setattr(Loss, "hold", lambda self, factors: made.append(1) or factors)
    sides, none = (rows, rows.transposed(), SQUARED), np.empty(0, dtype=np.int64)
    touch(at, *sides, users=np.array([3]), items=none, passes=3)
    assert len(made) == 1
    touch(at, *sides, users=np.array([3]), items=np.array([2]), passes=3)
    assert len(made) == 1 + 6
