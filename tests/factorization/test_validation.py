from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.validation import HeldOutEntries, hold_out
from recsys.models.trainer import Monitor
from tests.matrices import matrices, random_matrix, rows_of
from tests.objectives import problem_of, start_of

PLAIN = SquaredObjective(Penalty(0.1), bias_l2=1.0, biases=True)
OBJECTIVES = {"squared": PLAIN, "kl": KLObjective()}


def dense(rows):
    matrix = np.full((rows.n_rows, rows.n_columns), np.nan)
    matrix[rows.row_numbers, rows.columns] = rows.values
    return matrix


@given(matrices(), st.integers(0, 3))
def test_what_is_held_out_and_what_is_left_are_the_data(matrix, seed):
    rows = rows_of(matrix)
    weights = np.arange(rows.nnz, dtype=np.float32)
    try:
        entries, held_out = hold_out(Entries.of(rows, weights), 0.3, seed=seed)
    except InputError:
        return
    rest, rest_weights = entries.by_user, entries.weights
    left = dense(rest)
    assert np.isnan(left[held_out.users, held_out.items]).all()
    np.testing.assert_array_equal(matrix[held_out.users, held_out.items].astype(np.float32), held_out.values)
    np.testing.assert_array_equal(left[~np.isnan(left)], matrix[~np.isnan(left)].astype(np.float32))
    assert rest.nnz == rows.nnz - max(1, round(0.3 * rows.nnz))
    # What is not measured has a user or an item of which nothing is left.
    out = ~np.isnan(matrix) & np.isnan(left)
    measured = np.zeros_like(out)
    measured[held_out.users, held_out.items] = True
    known = (rest.counts > 0)[:, None] & (~np.isnan(left)).any(axis=0)
    np.testing.assert_array_equal(measured, out & known)
    beside = np.full(matrix.shape, np.nan)
    beside[rows.row_numbers, rows.columns] = weights
    np.testing.assert_array_equal(rest_weights, beside[rest.row_numbers, rest.columns])
    np.testing.assert_array_equal(held_out.weights, beside[held_out.users, held_out.items])


def test_other_seeds_hold_out_other_entries():
    rows = rows_of(random_matrix(30, 20))
    chosen = [hold_out(Entries.of(rows), 0.2, seed=seed)[1] for seed in (0, 0, 1)]
    pairs = [set(zip(one.users, one.items, strict=True)) for one in chosen]
    assert pairs[0] == pairs[1] != pairs[2]


@pytest.mark.parametrize("matrix", [[[1.0]], [[1.0, np.nan], [np.nan, 2.0]]], ids=["one", "diagonal"])
def test_too_few_entries_to_hold_some_out_are_refused(matrix):
    with pytest.raises(InputError, match="entries are too few to hold out"):
        hold_out(Entries.of(rows_of(np.array(matrix))), 0.1, seed=0)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_the_monitor_measures_the_present_state_and_keeps_the_one_asked_for(objective):
    entries, held_out = hold_out(Entries.of(rows_of(random_matrix(30, 20))), 0.2, seed=0)
    rows, biases = entries.by_user, objective is PLAIN
    start = start_of(objective, rows, 3)
    problem = problem_of(objective, rows, start)
    monitor = Monitor(problem, held_out, objective)
    first = monitor.score()
    monitor.keep()
    problem.sweep()
    assert monitor.score() != first
    # Kept is the start, though the problem has moved on.
    np.testing.assert_allclose(monitor.best.user_factors, start.user_factors, rtol=1e-6)
    whole = start.user_factors.astype(float) @ start.item_factors.T + start.mean
    predicted = whole[held_out.users, held_out.items]
    x = held_out.values
    by_hand = {
        "squared": np.sqrt(np.mean((x - predicted) ** 2)),
        "kl": np.mean(x * np.log(x / predicted) - x + predicted),
    }
    assert first == pytest.approx(by_hand["squared" if biases else "kl"], rel=1e-4)


def test_predictions_are_measured_inside_the_bounds():
    entries, held_out = hold_out(Entries.of(rows_of(random_matrix(30, 20))), 0.2, seed=0)
    objective = replace(PLAIN, bounds=(1.0, 5.0))
    start = start_of(objective, entries.by_user, 3)
    start.user_bias[:] += 100
    monitor = Monitor(problem_of(objective, entries.by_user, start), held_out, objective)
    assert monitor.score() == pytest.approx(np.sqrt(np.mean((held_out.values - 5) ** 2)))


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_errors_are_weighted_means_and_finite(objective):
    x, predicted = np.array([0.0, 2.0, 2.0]), np.array([[0.5], [0.0], [2.0]], dtype=np.float32)
    at = Factors.unbiased(predicted, np.ones((1, 1), dtype=np.float32))
    nothing = rows_of(np.full((3, 1), np.nan))
    plain = HeldOutEntries(np.arange(3), np.zeros(3, np.int64), x, nothing)
    assert np.isfinite(objective.held_out_error(at, plain))
    weighted = replace(plain, weights=np.array([1.0, 0.0, 3.0], dtype=np.float32))
    expected = np.sqrt(0.25 / 4) if objective is PLAIN else 0.5 / 4
    assert objective.held_out_error(at, weighted) == pytest.approx(expected, rel=1e-4)
