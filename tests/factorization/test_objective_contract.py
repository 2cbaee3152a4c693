"""What holds of every objective, whatever it minimises."""

from dataclasses import replace

import numpy as np
import pytest

from recsys import threads
from recsys.errors import ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.fold_in import update_rows
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty, PenaltySchedule
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.weighted import WeightedObjective, WeightedScale
from tests.descents import descended
from tests.matrices import ABSENT, random_matrix, rows_of
from tests.objectives import PARTS, assert_same, folded, problem_of, start_of, with_penalty

RIDGE = Penalty(0.2, 0.5)
OBJECTIVES = {
    "squared": SquaredObjective(RIDGE),
    "squared with biases": SquaredObjective(RIDGE, biases=True, bias_l2=1.5),
    "squared, any sign": SquaredObjective(RIDGE, biases=True, bias_l2=1.5, nonnegative=False),
    "kl": KLObjective(RIDGE),
    "kl, all cells": KLObjective(RIDGE, all_cells=True),
    "weighted": WeightedObjective(RIDGE, user_exponent=0.2, item_exponent=0.3),
    "weighted, any sign": WeightedObjective(RIDGE, item_unobserved_exponent=0.3, nonnegative=False),
}


@pytest.fixture(params=OBJECTIVES)
def objective(request):
    return OBJECTIVES[request.param]


def fitted(objective, matrix, *, rank=3, max_iter=30):
    """Return the factors and the objective of each iteration."""
    rows = rows_of(matrix)
    return descended(problem_of(objective, rows, start_of(objective, rows, rank)), max_iter)


def as_fitted(objective, matrix):
    """Return the objective as rows are folded in with it: relative to what was fitted."""
    if not isinstance(objective, WeightedObjective):
        return objective
    return replace(objective, scale=WeightedScale.of(Entries.of(rows_of(matrix))))


def test_it_never_rises_and_factors_keep_their_bound(objective):
    factors, trace = fitted(objective, random_matrix(30, 20))
    assert np.all(np.diff(trace) <= 1e-6 * abs(trace[0]))
    for array in (factors.user_factors, factors.item_factors):
        assert np.isfinite(array).all()
        assert not objective.nonnegative or array.min() >= 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_row_folded_in_does_not_depend_on_the_others(objective, scale):
    matrix = random_matrix(20, 12)
    factors, _ = fitted(objective, matrix)
    now = as_fitted(objective, matrix)
    crowd = random_matrix(6, 12, seed=5)
    crowd[1:4] *= scale
    crowd[4] = ABSENT
    together, bias = folded(now, rows_of(crowd), factors)
    for user, row in enumerate(crowd):
        alone, alone_bias = folded(now, rows_of(row[None]), factors)
        np.testing.assert_array_equal(alone[0], together[user])
        np.testing.assert_array_equal(alone_bias[0], bias[user])
    assert not together[4].any()
    assert together[0].any()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_row_updated_does_not_depend_on_the_others(objective, scale):
    matrix = random_matrix(20, 12)
    factors, _ = fitted(objective, matrix)
    matrix[7] *= scale
    now, entries, none = as_fitted(objective, matrix), Entries.of(rows_of(matrix)), np.empty(0, np.int64)
    alone, beside = (
        update_rows(now, factors, entries, users=np.array(users), items=none, passes=3)
        for users in ([3], [3, 7, 9])
    )
    np.testing.assert_array_equal(alone.user_factors[3], beside.user_factors[3])
    np.testing.assert_array_equal(alone.user_bias[3], beside.user_bias[3])


def test_penalties_beyond_single_precision_are_fitted_by_next_to_nothing(objective):
    matrix = random_matrix(12, 9)
    factors, trace = fitted(with_penalty(objective, l2=1e39), matrix)
    assert np.isfinite(trace).all()
    assert abs(factors.user_factors.astype(float) @ factors.item_factors.T).max() < 1e-3
    if objective.nonnegative:
        factors, trace = fitted(with_penalty(objective, user_l1=1e39, item_l1=1e39), matrix)
        assert np.isfinite(trace).all()
        assert not factors.user_factors.any()


def test_an_l1_penalty_wants_factors_of_no_sign(objective):
    if objective.nonnegative:
        assert with_penalty(objective, user_l1=0.1).penalty.user_l1 == 0.1
    else:
        with pytest.raises(ParameterError, match="l1 penalty needs non-negative factors"):
            with_penalty(objective, item_l1=0.1)


def test_exchanging_sides_twice_changes_nothing(objective):
    penalised = with_penalty(objective, user_l1=0.3, item_l1=0.1) if objective.nonnegative else objective
    assert penalised.transposed.transposed == penalised
    assert penalised.transposed.penalty.user_l1 == penalised.penalty.item_l1


def test_at_the_end_the_projected_gradient_is_small(objective):
    rows = rows_of(random_matrix(20, 12))
    problem = problem_of(objective, rows, start_of(objective, rows, 3))
    first = problem.projected_gradient()
    descended(problem, 300)
    assert problem.projected_gradient() < 2e-3 * first


def test_threads_change_no_bit(objective):
    matrix = random_matrix(150, 70)
    with threads.use(1):
        alone, trace = fitted(objective, matrix, rank=8, max_iter=6)
    with threads.use(2):
        shared, shared_trace = fitted(objective, matrix, rank=8, max_iter=6)
    assert trace == shared_trace
    assert_same(alone, shared)


def test_a_start_is_left_as_it_was(objective):
    rows = rows_of(random_matrix(12, 9))
    start = start_of(objective, rows, 3)
    before = replace(start, users=start.users.copy(), items=start.items.copy())
    descended(problem_of(objective, rows, start), 3)
    assert_same(start, before)


def test_fitted_factors_are_a_start_that_is_already_there(objective):
    matrix = random_matrix(12, 9)
    rows = rows_of(matrix)
    factors, trace = fitted(objective, matrix, max_iter=600)
    problem = problem_of(objective, rows, objective.given_start(factors), is_scaled=False)
    assert problem.sweep().objective == pytest.approx(trace[-1], rel=1e-3)
    for name in PARTS:
        np.testing.assert_allclose(getattr(problem.factors(), name), getattr(factors, name), atol=2e-2)


def test_a_schedule_ends_at_the_penalties_asked_for():
    schedule = PenaltySchedule(l2_sweeps=4, l1_sweeps=2)
    assert [schedule.multipliers(n) for n in range(6)] == [
        (3.0, 0.0),
        (2.5, 0.5),
        (2.0, 1.0),
        (1.5, 1.0),
        (1.0, 1.0),
        (1.0, 1.0),
    ]
    rows = rows_of(random_matrix(12, 9))
    objective = SquaredObjective(RIDGE, schedule=schedule)
    problem = problem_of(objective, rows, start_of(objective, rows, 3))
    assert [problem.sweep().is_comparable for _ in range(6)] == [False] * 4 + [True] * 2
