from dataclasses import replace

import numpy as np
import pytest

from recsys.factorization.entries import Entries
from recsys.factorization.fold_in import FoldIn, append_new_rows, fold_in, update_rows
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from tests.matrices import ABSENT, random_matrix, rows_of
from tests.objectives import PARTS, assert_same, folded, problem_of, start_of

OBJECTIVES = {
    "squared": SquaredObjective(Penalty(0.2, 0.5, 0.01, 0.05), bias_l2=1.5, biases=True),
    "kl": KLObjective(Penalty(0.1, 1.0, 0.01, 0.05)),
}


@pytest.fixture(params=OBJECTIVES)
def objective(request):
    return OBJECTIVES[request.param]


def fitted(matrix, objective, n_sweeps=5):
    rows = rows_of(matrix)
    problem = problem_of(objective, rows, start_of(objective, rows, 3))
    for _ in range(n_sweeps):
        problem.sweep()
    return problem.factors()


@pytest.mark.parametrize("weighted", [False, True])
def test_updating_every_row_is_a_sweep_of_everything(objective, weighted):
    rows = rows_of(random_matrix(20, 12))
    weights = np.random.default_rng(0).choice([0.5, 2], rows.nnz).astype(np.float32) if weighted else None
    factors = fitted(random_matrix(20, 12), objective)
    problem = problem_of(objective, rows, factors, weights)
    problem.sweep()
    entries = Entries.of(rows, weights)
    updated = update_rows(objective, factors, entries, users=np.arange(20), items=np.arange(12), passes=1)
    for name in PARTS:
        np.testing.assert_allclose(
            getattr(updated, name), getattr(problem.factors(), name), rtol=1e-4, atol=1e-5
        )


def test_rows_that_are_not_updated_keep_their_bits(objective):
    entries = Entries.of(rows_of(random_matrix(20, 12)))
    factors = fitted(random_matrix(20, 12), objective)
    before = replace(factors, users=factors.users.copy(), items=factors.items.copy())
    users, items = np.array([3, 7]), np.array([0, 11])
    updated = update_rows(objective, factors, entries, users=users, items=items, passes=2)
    for side, chosen in (("user", users), ("item", items)):
        for part in ("factors", "bias"):
            new, old = getattr(updated, f"{side}_{part}"), getattr(before, f"{side}_{part}")
            others = np.setdiff1d(np.arange(len(old)), chosen)
            np.testing.assert_array_equal(new[others], old[others])
        new, old = getattr(updated, f"{side}_factors"), getattr(before, f"{side}_factors")
        assert (new[chosen] != old[chosen]).any()
    assert_same(factors, before)  # what was given is left as it was
    assert updated.mean == before.mean


def test_nothing_to_update_changes_nothing(objective):
    factors = fitted(random_matrix(20, 12), objective)
    none = np.array([], dtype=np.int64)
    entries = Entries.of(rows_of(random_matrix(20, 12)))
    assert_same(update_rows(objective, factors, entries, users=none, items=none, passes=2), factors)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_an_updated_row_does_not_depend_on_the_others(objective, scale):
    matrix = random_matrix(20, 12)
    factors = fitted(matrix, objective)
    matrix[7] *= scale
    entries, none = Entries.of(rows_of(matrix)), np.array([], dtype=np.int64)
    alone, beside = (
        update_rows(objective, factors, entries, users=np.array(users), items=none, passes=3)
        for users in ([3], [3, 7])
    )
    np.testing.assert_array_equal(alone.user_factors[3], beside.user_factors[3])
    np.testing.assert_array_equal(alone.user_bias[3], beside.user_bias[3])


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


def test_new_rows_begin_as_they_would_be_folded_in(objective):
    matrix = wider()
    factors = fitted(matrix[:20, :12], objective)
    longer = append_new_rows(objective, factors, Entries.of(rows_of(matrix)), seed=0)
    for name, n in zip(PARTS, (20, 12, 20, 12), strict=True):
        np.testing.assert_array_equal(getattr(longer, name)[:n], getattr(factors, name))
    users, bias = folded(objective, rows_of(matrix[20:21, :12]), factors)
    np.testing.assert_allclose(longer.user_factors[20], users[0], rtol=1e-5)
    np.testing.assert_allclose(longer.user_bias[20], bias[0], rtol=1e-5)
    # A new item is fitted to the users with its own penalty.
    items, bias = folded(objective.transposed, rows_of(matrix.T[12:13]), longer.transposed)
    np.testing.assert_allclose(longer.item_factors[12], items[0], rtol=1e-5)
    np.testing.assert_allclose(longer.item_bias[12], bias[0], rtol=1e-5)


def test_those_with_nothing_get_nothing_and_those_with_new_ones_alone_something(objective):
    matrix = wider()
    entries = Entries.of(rows_of(matrix))
    longer = append_new_rows(objective, fitted(matrix[:20, :12], objective), entries, seed=0)
    assert not longer.user_factors[22].any()
    assert not longer.item_factors[14].any()
    assert longer.user_factors[21].any()
    again = append_new_rows(objective, fitted(matrix[:20, :12], objective), entries, seed=0)
    np.testing.assert_array_equal(longer.user_factors, again.user_factors)


def test_without_new_rows_nothing_is_appended(objective):
    factors = fitted(random_matrix(20, 12), objective)
    entries = Entries.of(rows_of(random_matrix(20, 12)))
    assert_same(append_new_rows(objective, factors, entries, seed=0), factors)


def test_what_is_held_is_made_anew_only_where_it_has_changed(monkeypatch):
    entries, none = Entries.of(rows_of(random_matrix(20, 12))), np.empty(0, dtype=np.int64)
    objective = OBJECTIVES["squared"]
    factors, made = fitted(random_matrix(20, 12), objective), []
    hold = SquaredObjective.hold_items
    monkeypatch.setattr(SquaredObjective, "hold_items", lambda *arguments: made.append(1) or hold(*arguments))
    update_rows(objective, factors, entries, users=np.array([3]), items=none, passes=3)
    assert len(made) == 1
    update_rows(objective, factors, entries, users=np.array([3]), items=np.array([2]), passes=3)
    assert len(made) == 1 + 6


def test_few_users_asked_for_again_are_not_fitted_again_whatever_callers_change(objective, monkeypatch):
    factors, values = fitted(random_matrix(20, 12), objective), random_matrix(2, 12)
    expected = fold_in(objective, rows_of(values), objective.hold_items(factors.items, factors.mean), 3)
    fits, folded_in = [], FoldIn(factors)

    def counted(*arguments):
        fits.append(arguments)
        return fold_in(*arguments)

    monkeypatch.setattr("recsys.factorization.fold_in.fold_in", counted)
    rows = rows_of(values)
    for _ in range(3):
        answer = folded_in(objective, rows_of(values))
        np.testing.assert_array_equal(answer.factors.dense(), expected.factors.dense())
        np.testing.assert_array_equal(answer.bias, expected.bias)
        answer.factors.dense()[:] = 7
        answer.bias[:] = 7
    assert len(fits) == 1
    folded_in(objective, rows.with_values(rows.values * 2))
    folded_in(objective, rows_of(values[:1]))
    assert len(fits) == 3
