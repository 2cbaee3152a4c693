from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from recsys import threads
from recsys.errors import ModelError
from recsys.factorization.factors import DenseFactors, explained_shares
from recsys.factorization.penalty import Penalty
from recsys.factorization.squared import SquaredObjective
from tests.descents import descended
from tests.matrices import ABSENT, observed_matrices, random_matrix, rows_of
from tests.objectives import assert_same, changed, factors_of, folded, problem_of, start_of, with_penalty
from tests.penalties import penalties

PLAIN = SquaredObjective()
RIDGE = SquaredObjective(Penalty(0.3, 1.0))
SIDES = SquaredObjective(Penalty(0.2, 0.5, 0.1, 0.6), bias_l2=1.5, biases=True)
FULL = SquaredObjective(Penalty(0.2, 0.5, 0.3, 0.3), bias_l2=1.5, biases=True, n_inner=2)


def start_for(matrix, rank, objective, *, seed=0):
    return start_of(objective, rows_of(matrix), rank, seed=seed)


def fit(matrix, objective, *, rank=3, start=None, max_iter=10, weights=None):
    """Fit with no early stop; return factors and the objective of each iteration."""
    rows = rows_of(matrix)
    start = start or start_for(matrix, rank, objective)
    weights = None if weights is None else weights[~np.isnan(matrix)].astype(np.float32)
    return descended(problem_of(objective, rows, start, weights), max_iter)


def predicted(at):
    biases = at.mean + at.user_bias[:, None].astype(float) + at.item_bias
    return biases + at.user_factors.astype(float) @ at.item_factors.T


def dense_objective(matrix, at, objective, weights=1.0):
    """The objective by its formula, over a dense matrix."""
    total = 0.5 * np.nansum(weights * (matrix - predicted(at)) ** 2)
    penalty = objective.penalty
    for factors, bias, axis, l1 in (
        (at.user_factors, at.user_bias, 1, penalty.user_l1),
        (at.item_factors, at.item_bias, 0, penalty.item_l1),
    ):
        n = (~np.isnan(matrix)).sum(axis=axis)
        norms = (factors.astype(float) ** 2).sum(axis=1)
        total += penalty.l2 / 2 * (n**penalty.l2_exponent * norms)[n > 0].sum()
        total += l1 * abs(factors.astype(float)).sum()
        total += objective.bias_l2 / 2 * (bias.astype(float) ** 2).sum()
    return total


objectives = st.builds(
    SquaredObjective,
    penalties,
    bias_l2=st.sampled_from([0.0, 2.0]),
    biases=st.booleans(),
    nonnegative=st.just(True),
    n_inner=st.integers(1, 3),
)


@given(observed_matrices(), objectives, st.integers(1, 5), st.booleans())
def test_the_objective_is_the_formula_and_never_rises(matrix, objective, rank, weighted):
    weights = np.random.default_rng(1).choice([0.25, 1, 3], matrix.shape) if weighted else None
    found, trace = fit(matrix, objective, rank=rank, weights=weights)
    slack = 3e-6 * (1 + np.nansum(matrix**2))
    assert np.all(np.diff(trace) <= slack)
    formula = dense_objective(matrix, found, objective, 1.0 if weights is None else weights)
    assert trace[-1] == pytest.approx(formula, rel=1e-4, abs=slack)


def test_without_the_bound_the_objective_never_rises_and_ends_lower():
    matrix = random_matrix(30, 20)
    _, bounded = fit(matrix, RIDGE, rank=5, max_iter=60)
    unbounded, trace = fit(matrix, replace(RIDGE, nonnegative=False), rank=5, max_iter=60)
    assert np.all(np.diff(trace) <= 1e-5 * trace[0])
    assert unbounded.user_factors.min() < 0
    assert trace[-1] < bounded[-1]


@given(observed_matrices(), objectives)
def test_factors_are_never_negative_and_rows_without_entries_are_zero(matrix, objective):
    found, _ = fit(matrix, objective)
    observed = ~np.isnan(matrix)
    for factors, bias, is_empty in (
        (found.user_factors, found.user_bias, ~observed.any(axis=1)),
        (found.item_factors, found.item_bias, ~observed.any(axis=0)),
    ):
        assert factors.min() >= 0
        assert not factors[is_empty].any()
        assert not bias[is_empty].any()


@pytest.mark.parametrize("objective", [PLAIN, RIDGE, FULL])
def test_users_and_items_without_entries_change_no_bit_of_the_others(objective):
    matrix = random_matrix(12, 9)
    wider = np.full((14, 10), ABSENT)
    wider[:12, :9] = matrix
    start = start_for(matrix, 3, objective)
    wider_start = start_for(wider, 3, objective, seed=1)
    for name in ("user_factors", "item_factors", "user_bias", "item_bias"):
        own = getattr(start, name)
        getattr(wider_start, name)[: len(own)] = own
    found, trace = fit(matrix, objective, start=start)
    in_wider, wider_trace = fit(wider, objective, start=wider_start)
    np.testing.assert_array_equal(in_wider.user_factors[:12], found.user_factors)
    np.testing.assert_array_equal(in_wider.item_factors[:9], found.item_factors)
    assert wider_trace == pytest.approx(trace, rel=1e-12)


def test_permuting_users_permutes_their_rows():
    matrix = random_matrix(12, 9)
    order = np.random.default_rng(3).permutation(12)
    start = start_for(matrix, 3, FULL)
    permuted = changed(start, user_factors=start.user_factors[order], user_bias=start.user_bias[order])
    found, _ = fit(matrix, FULL, start=start)
    in_order, _ = fit(matrix[order], FULL, start=permuted)
    np.testing.assert_allclose(in_order.user_factors, found.user_factors[order], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(in_order.item_factors, found.item_factors, rtol=1e-3, atol=1e-4)


def dense_gradients(matrix, at, objective, weights):
    """The projected gradient by its formula, over a dense matrix, part by part."""
    residual = np.nan_to_num(weights * (matrix - predicted(at)))
    penalty = objective.penalty
    sides = (
        (residual, at.user_factors, at.item_factors, at.user_bias, penalty.user_l1),
        (residual.T, at.item_factors, at.user_factors, at.item_bias, penalty.item_l1),
    )
    n_of_sides = (~np.isnan(matrix)).sum(axis=1), (~np.isnan(matrix)).sum(axis=0)
    parts = []
    for (left, own, other, bias, l1), n in zip(sides, n_of_sides, strict=True):
        ridge = penalty.l2 * n**penalty.l2_exponent
        gradient = -left @ other.astype(float) + ridge[:, None] * own + l1
        parts.append(np.where(own > 0, gradient, np.minimum(gradient, 0)))
        if objective.biases:
            parts.append(-left.sum(axis=1) + objective.bias_l2 * bias)
    return parts


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("objective", [RIDGE, FULL, SIDES], ids=["ridge", "full", "sides"])
def test_the_projected_gradient_is_small_at_the_end(objective, weighted):
    matrix = random_matrix(20, 12)
    weights = (
        np.random.default_rng(1).choice([0.5, 1, 2], matrix.shape) if weighted else np.ones(matrix.shape)
    )
    at, _ = fit(matrix, objective, max_iter=400, weights=weights if weighted else None)
    for part in dense_gradients(matrix, at, objective, weights):
        assert abs(part).max() < 2e-3


@pytest.mark.parametrize("scale", [1.0, 16.0])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_norm_of_the_projected_gradient_is_that_of_the_formula(weighted, scale):
    matrix = random_matrix(20, 12)
    weights = np.random.default_rng(1).choice([0.5, 1, 2], matrix.shape)
    # Penalties in the units of the data: multiplied, the data make the same problem.
    objective = with_penalty(SIDES, l2=0.2 * scale, user_l1=0.1 * scale**1.5, item_l1=0.6 * scale**1.5)
    at, _ = fit(matrix * scale, objective, max_iter=3)
    rows = rows_of(matrix * scale)
    given_weights = weights[~np.isnan(matrix)].astype(np.float32) if weighted else None
    problem = problem_of(objective, rows, at, given_weights)
    small = changed(
        replace(at, mean=at.mean / scale),
        user_factors=at.user_factors / np.sqrt(scale),
        item_factors=at.item_factors / np.sqrt(scale),
        user_bias=at.user_bias / scale,
        item_bias=at.item_bias / scale,
    )
    parts = dense_gradients(matrix, small, SIDES, weights if weighted else np.ones(matrix.shape))
    expected = np.sqrt(sum(np.sum(part**2) for part in parts))
    assert problem.projected_gradient() == pytest.approx(expected, rel=1e-4)


def test_a_weight_of_two_counts_as_two_equal_users():
    matrix = random_matrix(12, 9)
    objective = PLAIN
    twice = np.vstack([matrix, matrix[:1]])
    start = start_for(matrix, 3, objective)
    start_twice = changed(
        start,
        user_factors=np.vstack([start.user_factors, start.user_factors[:1]]),
        user_bias=np.append(start.user_bias, start.user_bias[0]),
    )
    weights = np.ones(matrix.shape)
    weights[0] = 2
    found, _ = fit(matrix, objective, start=start, weights=weights)
    doubled, _ = fit(twice, objective, start=start_twice)
    np.testing.assert_allclose(found.item_factors, doubled.item_factors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.user_factors, doubled.user_factors[:12], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_factors_predict_the_hidden_cells(seed):
    generator = np.random.default_rng(seed)
    truth = generator.gamma(1.0, size=(80, 3)) @ generator.gamma(1.0, size=(3, 60))
    hidden = generator.random(truth.shape) < 0.5
    objective = with_penalty(PLAIN, l2=1e-4, l2_exponent=1.0)
    found, _ = fit(np.where(hidden, ABSENT, truth), objective, max_iter=500)
    error = (predicted(found) - truth)[hidden]
    assert np.sqrt(np.mean(error**2)) < 0.02 * truth.std()


def test_a_stored_zero_pulls_down_and_an_absent_cell_does_not():
    without = random_matrix(12, 9)
    cell = tuple(np.argwhere(np.isnan(without))[0])
    with_zero = without.copy()
    with_zero[cell] = 0
    apart = [predicted(fit(matrix, RIDGE, max_iter=200)[0])[cell] for matrix in (without, with_zero)]
    assert apart[1] < apart[0] - 0.5


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_scale_of_the_data_is_the_scale_of_the_factors(scale, biases):
    matrix = random_matrix(12, 9)
    objective = replace(PLAIN, biases=biases)
    found, _ = fit(matrix, objective)
    scaled, _ = fit(matrix * scale, objective)
    root = np.sqrt(scale)
    np.testing.assert_allclose(scaled.user_factors / root, found.user_factors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scaled.item_factors / root, found.item_factors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scaled.user_bias / scale, found.user_bias, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("end", [np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal])
def test_values_at_the_ends_of_single_precision_are_fitted(end):
    found, _ = fit(np.full((4, 3), float(end)), PLAIN, rank=1)
    np.testing.assert_allclose(predicted(found) / float(end), 1, rtol=1e-3)


def test_an_objective_that_is_no_number_is_an_error():
    matrix = random_matrix(6, 5)
    start = start_for(matrix, 3, PLAIN)
    start.user_factors[:] = np.nan
    with pytest.raises(ModelError, match="objective became nan after 1 iterations"):
        fit(matrix, PLAIN, start=start)


def test_threads_change_no_bit():
    matrix = random_matrix(150, 70)
    one, one_trace = fit(matrix, FULL, rank=8)
    with threads.use(2):
        two, two_trace = fit(matrix, FULL, rank=8)
    assert one_trace == two_trace
    np.testing.assert_array_equal(one.user_factors, two.user_factors)
    np.testing.assert_array_equal(one.item_factors, two.item_factors)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_fold_in_is_the_best_non_negative_fit_to_the_items(scale):
    matrix = random_matrix(10, 9, density=0.6)
    objective = with_penalty(PLAIN, l2=0.3 * scale, l2_exponent=1.0)
    fitted, _ = fit(matrix * scale, objective)
    found, _ = folded(objective, rows_of(matrix * scale), fitted)
    root = np.sqrt(scale)
    items = fitted.item_factors.astype(float) / root
    for user, row in enumerate(matrix):
        observed = ~np.isnan(row)
        ridge = np.sqrt(0.3 * observed.sum()) * np.eye(3)
        best, _ = nnls(np.vstack([items[observed], ridge]), np.r_[row[observed], np.zeros(3)])
        np.testing.assert_allclose(found[user] / root, best, rtol=1e-3, atol=1e-4)


def test_fold_in_with_biases_finds_what_the_fit_found():
    matrix = random_matrix(20, 12, density=0.6)
    fitted, _ = fit(matrix, FULL, max_iter=600)
    factors, biases = folded(FULL, rows_of(matrix), fitted)
    np.testing.assert_allclose(factors, fitted.user_factors, atol=5e-3)
    np.testing.assert_allclose(biases, fitted.user_bias, atol=5e-3)


def test_a_random_start_meets_the_mean_of_the_values():
    matrix = random_matrix(200, 150)
    start = start_for(matrix, 4, PLAIN)
    assert predicted(start).mean() == pytest.approx(np.nanmean(matrix), rel=0.05)
    assert start.mean == 0
    assert start_for(matrix, 4, FULL).mean == pytest.approx(np.nanmean(matrix))


def test_explained_shares_are_parts_of_the_sum_over_observed_products():
    pattern = rows_of(np.array([[1, ABSENT], [1, 1]]))
    users = np.array([[1, 0], [2, 1]], dtype=np.float32)
    items = np.array([[1, 1], [3, 5]], dtype=np.float32)
    # Observed products, component by component: 1 + 2 + 6 and 0 + 1 + 5.
    np.testing.assert_allclose(
        explained_shares(pattern, DenseFactors(users), DenseFactors(items)), [9 / 15, 6 / 15]
    )


def test_explained_shares_of_nothing_are_zeros():
    pattern = rows_of(np.array([[1.0]]))
    nothing = DenseFactors(np.zeros((1, 2), dtype=np.float32))
    assert explained_shares(pattern, nothing, nothing).tolist() == [0, 0]


@given(observed_matrices())
def test_explained_shares_sum_to_one(matrix):
    found, _ = fit(matrix, PLAIN)
    shares = explained_shares(rows_of(matrix), found.users.factors, found.items.factors)
    assert shares.sum() == pytest.approx(1)
    assert shares.min() >= 0


def test_components_are_ordered_by_share_and_ties_by_number():
    factors = factors_of(0.0, np.ones((1, 4), np.float32), np.array([[1, 4, 1, 4]], np.float32))
    ordered, shares, order = factors.by_share(rows_of(np.array([[1.0]])))
    assert order.tolist() == [1, 3, 0, 2]
    np.testing.assert_allclose(shares, [0.4, 0.4, 0.1, 0.1])
    assert ordered.item_factors.tolist() == [[4, 4, 1, 1]]


def test_the_start_is_left_as_it_was():
    matrix = random_matrix(6, 5)
    start = start_for(matrix, 2, FULL)
    before = replace(start, users=start.users.copy(), items=start.items.copy())
    fit(matrix, FULL, start=start)
    assert_same(start, before)
