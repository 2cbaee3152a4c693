from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.errors import InputError, ParameterError
from recsys.factorization.entries import Entries
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.starts import custom_start, nndsvd_start
from tests import objectives
from tests.descents import descended
from tests.matrices import ABSENT, observed_matrices, random_matrix, rows_of
from tests.objectives import problem_of


def start_of(matrix, rank, *, biases=False, seed=0):
    objective, entries = SquaredObjective(biases=biases), Entries.of(rows_of(matrix))
    factors = nndsvd_start(objective, entries, rank, seed=seed).factors
    return replace(factors, mean=objective.start_mean(entries))


def after_a_sweep(matrix, rank, *, biases=False):
    """Return the start after one sweep of both sides, which solves the flat user side."""
    rows = rows_of(matrix)
    objective = SquaredObjective(Penalty(0.01, 1.0), bias_l2=1.0, biases=biases, n_inner=5)
    return descended(problem_of(objective, rows, start_of(matrix, rank, biases=biases)), 1)[0]


def arrays_of(start):
    return start.user_factors, start.item_factors, start.user_bias, start.item_bias


def predicted(at):
    biases = at.mean + at.user_bias[:, None].astype(float) + at.item_bias
    return biases + at.user_factors.astype(float) @ at.item_factors.T


def groups(*, hidden_share, seed=0):
    """Two groups of users who each like one of two groups of items; cells are hidden at random."""
    generator = np.random.default_rng(seed)
    truth = 1 + 4 * np.kron(np.eye(2), np.ones((20, 15)))
    return truth, np.where(generator.random(truth.shape) < hidden_share, ABSENT, truth)


@given(observed_matrices(), st.integers(1, 12), st.booleans())
def test_factors_have_the_shape_asked_for_and_are_finite_and_not_negative(matrix, rank, biases):
    start = start_of(matrix, rank, biases=biases)
    assert start.user_factors.shape == (matrix.shape[0], rank)
    assert start.item_factors.shape == (matrix.shape[1], rank)
    for array in arrays_of(start):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert min(start.user_factors.min(), start.item_factors.min()) >= 0
    assert np.isfinite(start.mean)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("rank", [1, 4, 30])
def test_no_factor_is_zero_so_that_all_can_move(rank, biases):
    start = start_of(random_matrix(12, 9), rank, biases=biases)
    assert min(start.user_factors.min(), start.item_factors.min()) > 0


@given(observed_matrices(), st.integers(1, 12))
def test_without_biases_products_meet_the_mean_of_the_values(matrix, rank):
    start = start_of(matrix, rank)
    assert start.mean == 0
    assert not start.user_bias.any()
    assert not start.item_bias.any()
    assert predicted(start).mean() == pytest.approx(np.nanmean(matrix), rel=1e-3)


def test_a_missing_entry_is_not_a_zero():
    truth, matrix = groups(hidden_share=0.7)
    found = predicted(after_a_sweep(matrix, 2))
    missing = np.isnan(matrix)
    assert found[missing].mean() == pytest.approx(truth[missing].mean(), rel=0.1)


@pytest.mark.parametrize("biases", [False, True])
def test_the_groups_of_the_data_are_seen_after_one_sweep(biases):
    truth, matrix = groups(hidden_share=0.5)
    missing = np.isnan(matrix)
    found = predicted(after_a_sweep(matrix, 4, biases=biases))
    assert np.corrcoef(found[missing], truth[missing])[0, 1] > 0.9


def test_loadings_are_leading_singular_vectors_of_what_biases_leave():
    """A full matrix, where the product of two contrasts stands on a base: one vector says it all."""
    users, items = np.tile([1.0, -1.0], 30), np.repeat([1.0, -1.0], 20)
    start = start_of(3 + np.outer(users, items), 2)
    positive, negative = start.item_factors.T
    assert abs(np.corrcoef(positive - negative, items)[0, 1]) > 0.9


@pytest.mark.parametrize("biases", [False, True])
def test_the_first_sweeps_end_lower_than_from_a_random_start(biases):
    generator = np.random.default_rng(3)
    truth = generator.gamma(0.3, size=(80, 4)) @ generator.gamma(0.3, size=(4, 60))
    matrix = np.where(generator.random(truth.shape) < 0.5, ABSENT, truth)
    rows = rows_of(matrix)
    objective = SquaredObjective(Penalty(0.01, 1.0), bias_l2=1.0, biases=biases, n_inner=3)
    starts = start_of(matrix, 4, biases=biases), objectives.start_of(objective, rows, 4)
    ends = [descended(problem_of(objective, rows, start), 3)[1][-1] for start in starts]
    assert ends[0] < 0.95 * ends[1]


@pytest.mark.parametrize("scale", [1e-30, 1e30])
@pytest.mark.parametrize("biases", [False, True])
def test_the_scale_of_the_data_is_the_scale_of_the_products(scale, biases):
    matrix = random_matrix(12, 9)
    start, scaled = (start_of(values, 4, biases=biases) for values in (matrix, matrix * scale))
    np.testing.assert_allclose(predicted(scaled) / scale, predicted(start), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1e-30, 1.0, 1e30])
@pytest.mark.parametrize("biases", [False, True])
def test_all_equal_values_are_met(value, biases):
    matrix = np.full((5, 4), value)
    matrix[0, 0] = ABSENT
    np.testing.assert_allclose(
        predicted(start_of(matrix, 3, biases=biases)), value, rtol=1e-3 if biases else 0.4
    )


def test_users_and_items_without_entries_start_finite():
    wider = np.full((14, 10), ABSENT)
    wider[:12, :9] = random_matrix(12, 9)
    for biases in (False, True):
        assert all(np.isfinite(array).all() for array in arrays_of(start_of(wider, 20, biases=biases)))


@pytest.mark.parametrize("biases", [False, True])
def test_same_seed_same_bits_for_any_number_of_threads(biases):
    matrix = random_matrix(150, 70)
    one = start_of(matrix, 12, biases=biases, seed=5)
    with threads.use(2):
        two = start_of(matrix, 12, biases=biases, seed=5)
    for first, second in zip(arrays_of(one), arrays_of(two), strict=True):
        np.testing.assert_array_equal(first, second)


def test_custom_factors_are_taken_over_as_they_are():
    users, items = np.arange(12.0).reshape(6, 2), np.ones((5, 2)).tolist()
    start = custom_start((6, 5), 2, users, items)
    np.testing.assert_array_equal(start.user_factors, users)
    np.testing.assert_array_equal(start.item_factors, items)
    assert start.user_factors.dtype == start.item_factors.dtype == np.float32
    assert start.mean == 0
    assert not start.user_bias.any()


def test_a_custom_start_is_a_copy():
    users, items = np.ones((6, 2), dtype=np.float32), np.ones((5, 2), dtype=np.float32)
    start = custom_start((6, 5), 2, users, items)
    start.user_factors[:] = 7
    assert users.max() == 1


GOOD = np.ones((6, 2)), np.ones((5, 2))


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        (np.ones((6, 3)), GOOD[1], r"user_factors has the shape \(6, 3\); expected \(6, 2\)"),
        (GOOD[0], np.ones((2, 5)), r"item_factors has the shape \(2, 5\); expected \(5, 2\)"),
        (np.full((6, 2), np.nan), GOOD[1], "user_factors holds a number that is not finite"),
        (np.full((6, 2), 1e39), GOOD[1], "not finite in single precision"),
        (GOOD[0], -GOOD[1], "item_factors holds -1; expected 0 or above"),
        (GOOD[0] * 0, GOOD[1] * 0, "zero on both sides"),
        ([["a", "b"]] * 6, GOOD[1], "user_factors is not a matrix of numbers"),
    ],
)
def test_a_custom_start_that_cannot_be_used_is_refused(users, items, message):
    with pytest.raises(InputError, match=message):
        custom_start((6, 5), 2, users, items)


@pytest.mark.parametrize(("users", "items", "missing"), [(None, GOOD[1], "user"), (GOOD[0], None, "item")])
def test_a_custom_start_needs_both_sides(users, items, missing):
    with pytest.raises(ParameterError, match=f"{missing}_factors is missing"):
        custom_start((6, 5), 2, users, items)


def test_factors_of_any_sign_are_taken_where_they_are_allowed():
    start = custom_start((6, 5), 2, -GOOD[0], GOOD[1], nonnegative=False)
    assert start.user_factors.max() == -1
