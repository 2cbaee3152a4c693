from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.errors import InputError
from recsys.factorization.entries import Entries
from recsys.factorization.fold_in import update_rows
from recsys.factorization.held_out_errors import KL_FLOOR
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from tests.descents import descended
from tests.matrices import ABSENT, observed_matrices, random_matrix, rows_of
from tests.objectives import assert_same, changed, folded, problem_of, start_of, with_penalty
from tests.penalties import penalties
from tests.reference.kl import divergence

PLAIN = KLObjective()
FULL = KLObjective(Penalty(0.05, 0.5, 0.2, 0.4), n_inner=2)


def start_for(matrix, rank, *, seed=0):
    return start_of(PLAIN, rows_of(matrix), rank, seed=seed)


def fit(matrix, objective, *, rank=3, start=None, max_iter=10, weights=None):
    """Fit with no early stop; return factors and the objective of each iteration."""
    rows = rows_of(matrix)
    weights = None if weights is None else weights[~np.isnan(matrix)]
    start = start or start_for(matrix, rank)
    return descended(problem_of(objective, rows, start, weights), max_iter)


def products(at):
    return at.user_factors.astype(float) @ at.item_factors.T


def unit_of_matrix(matrix):
    """The power of four at or below the mean."""
    mean = np.nanmean(matrix)
    return 4.0 ** np.floor(np.log(mean) / np.log(4)) if mean > 0 else 1.0


def dense_objective(matrix, at, objective, weights=None):
    """The objective by its formula, over a dense matrix."""
    weights = np.ones(matrix.shape) if weights is None else weights
    q = products(at) + KL_FLOOR * unit_of_matrix(matrix)
    total = sum(
        weights[cell] * divergence(x, q[cell]) for cell, x in np.ndenumerate(matrix) if not np.isnan(x)
    )
    penalty = objective.penalty
    for factors, l1, axis in (
        (at.user_factors, penalty.user_l1, 1),
        (at.item_factors, penalty.item_l1, 0),
    ):
        n = (~np.isnan(matrix)).sum(axis=axis)
        norms = (factors.astype(float) ** 2).sum(axis=1)
        total += penalty.l2 / 2 * (n**penalty.l2_exponent * norms)[n > 0].sum()
        total += l1 * factors.astype(float).sum()
    return total


objectives = st.builds(
    KLObjective,
    penalties,
    n_inner=st.integers(1, 3),
)


@given(observed_matrices(), objectives, st.integers(1, 5), st.booleans())
def test_the_objective_is_the_formula_and_never_rises(matrix, objective, rank, is_weighted):
    weights = None
    if is_weighted:
        weights = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 7.0], matrix.shape)
    found, trace = fit(matrix, objective, rank=rank, weights=weights)
    slack = 1e-6 * (1 + 20 * np.nansum(matrix))
    assert np.all(np.diff(trace) <= slack)
    assert trace[-1] == pytest.approx(
        dense_objective(matrix, found, objective, weights), rel=1e-4, abs=10 * slack
    )


@given(observed_matrices(), objectives)
def test_factors_are_never_negative_and_rows_without_entries_are_zero(matrix, objective):
    found, _ = fit(matrix, objective)
    observed = ~np.isnan(matrix)
    for factors, is_empty in (
        (found.user_factors, ~observed.any(axis=1)),
        (found.item_factors, ~observed.any(axis=0)),
    ):
        assert np.isfinite(factors).all()
        assert factors.min() >= 0
        assert not factors[is_empty].any()


@pytest.mark.parametrize("objective", [PLAIN, FULL], ids=["plain", "full"])
def test_users_and_items_without_entries_change_no_bit_of_the_others(objective):
    matrix = random_matrix(12, 9)
    wider = np.full((14, 10), ABSENT)
    wider[:12, :9] = matrix
    start, wider_start = start_for(matrix, 3), start_for(wider, 3, seed=1)
    wider_start.user_factors[:12], wider_start.item_factors[:9] = start.user_factors, start.item_factors
    found, trace = fit(matrix, objective, start=start)
    among, wider_trace = fit(wider, objective, start=wider_start)
    assert trace == pytest.approx(wider_trace, rel=1e-6)
    np.testing.assert_array_equal(among.user_factors[:12], found.user_factors)
    np.testing.assert_array_equal(among.item_factors[:9], found.item_factors)


def test_permuting_users_permutes_their_rows():
    matrix = random_matrix(12, 9)
    order = np.random.default_rng(3).permutation(12)
    start = start_for(matrix, 3)
    found, _ = fit(matrix, FULL, start=start)
    permuted = changed(start, user_factors=start.user_factors[order])
    in_order, _ = fit(matrix[order], FULL, start=permuted)
    np.testing.assert_allclose(in_order.user_factors, found.user_factors[order], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(in_order.item_factors, found.item_factors, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_projected_gradient_is_small_at_the_end(is_weighted):
    matrix = random_matrix(20, 12)
    weights = np.random.default_rng(0).random(matrix.shape) + 0.5 if is_weighted else np.ones(matrix.shape)
    objective = with_penalty(FULL, l2=0.3)
    at, _ = fit(matrix, objective, max_iter=800, weights=weights if is_weighted else None)
    q = products(at) + KL_FLOOR * unit_of_matrix(matrix)
    slopes = np.nan_to_num(weights * (1 - matrix / q))
    counts = ~np.isnan(matrix)
    total = 0.0
    for left, own, other, n, l1 in (
        (slopes, at.user_factors, at.item_factors, counts.sum(axis=1), 0.2),
        (slopes.T, at.item_factors, at.user_factors, counts.sum(axis=0), 0.4),
    ):
        gradient = left @ other.astype(float) + 0.3 * n[:, None] ** 0.5 * own + l1
        projected = np.where(own > 0, gradient, np.minimum(gradient, 0))
        assert abs(projected).max() < 2e-3
        total += (projected**2).sum()
    rows = rows_of(matrix)
    given_weights = weights[~np.isnan(matrix)].astype(np.float32) if is_weighted else None
    problem = problem_of(objective, rows, at, given_weights)
    assert problem.projected_gradient() == pytest.approx(np.sqrt(total), rel=0.2, abs=1e-4)


def test_the_projected_gradient_is_the_slope_of_the_objective():
    matrix = random_matrix(8, 6)
    start = start_for(matrix, 2)
    rows = rows_of(matrix)
    squares = 0.0
    for name in ("user_factors", "item_factors"):
        for index in np.ndindex(getattr(start, name).shape):
            values = []
            for shift in (1e-3, -1e-3):
                moved = getattr(start, name).copy()
                moved[index] += shift
                values.append(dense_objective(matrix, changed(start, **{name: moved}), FULL))
            squares += ((values[0] - values[1]) / 2e-3) ** 2
    problem = problem_of(FULL, rows, start)
    assert problem.projected_gradient() == pytest.approx(np.sqrt(squares), rel=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_planted_factors_predict_the_hidden_cells(seed):
    generator = np.random.default_rng(seed)
    truth = generator.gamma(1.0, size=(80, 3)) @ generator.gamma(1.0, size=(3, 60))
    hidden = generator.random(truth.shape) < 0.5
    found, _ = fit(np.where(hidden, ABSENT, truth), PLAIN, max_iter=500)
    error = (products(found) - truth)[hidden]
    assert np.sqrt(np.mean(error**2)) < 0.02 * truth.std()


def test_planted_rates_of_counts_are_found_better_than_by_their_mean():
    generator = np.random.default_rng(2)
    rates = generator.gamma(0.5, 4, size=(150, 3)) @ generator.gamma(0.5, 1, size=(3, 80))
    counts = generator.poisson(rates).astype(float)
    hidden = generator.random(rates.shape) < 0.3
    found, _ = fit(np.where(hidden, ABSENT, counts), with_penalty(PLAIN, l2=0.02), max_iter=200)
    error = (products(found) - rates)[hidden]
    assert np.sqrt(np.mean(error**2)) < 0.25 * rates[hidden].std()


def test_of_rank_one_it_gives_the_margins_of_a_table():
    # Over a full table the best product of rank one is row sum x column sum / total.
    table = np.random.default_rng(0).integers(0, 9, (6, 5)).astype(float)
    found, _ = fit(table, PLAIN, rank=1, max_iter=50)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    np.testing.assert_allclose(products(found), expected, rtol=1e-4, atol=1e-5)


def test_weights_are_repeated_entries():
    # Up to three copies of each item side by side, each user seen in as many as the weight says.
    matrix = random_matrix(10, 7, density=0.5)
    weights = np.random.default_rng(5).integers(1, 4, matrix.shape).astype(float)
    start = start_for(matrix, 2)
    objective = replace(with_penalty(PLAIN, l2=0.1), n_inner=100)
    entries = Entries.of(rows_of(matrix), weights[~np.isnan(matrix)].astype(np.float32))
    everyone, nobody = np.arange(10), np.empty(0, dtype=np.int64)
    weighted = update_rows(objective, start, entries, users=everyone, items=nobody, passes=10)
    copies = [np.where(weights > k, matrix, ABSENT) for k in range(3)]
    tiled = np.tile(start.item_factors, (3, 1))
    repeated = changed(start, item_factors=tiled, item_bias=np.zeros(21, dtype=np.float32))
    found, _ = folded(objective, rows_of(np.hstack(copies)), repeated)
    np.testing.assert_allclose(weighted.user_factors, found, rtol=1e-3, atol=1e-4)


def test_an_entry_without_weight_is_as_if_absent():
    matrix = random_matrix(12, 9)
    weights = np.ones(matrix.shape)
    cell = tuple(np.argwhere(~np.isnan(matrix))[3])
    weights[cell] = 0
    without = matrix.copy()
    without[cell] = ABSENT
    start = start_for(matrix, 2)
    found, _ = fit(matrix, PLAIN, start=start, max_iter=30, weights=weights)
    expected, _ = fit(without, PLAIN, start=start, max_iter=30)
    np.testing.assert_allclose(products(found), products(expected), rtol=1e-3)


def test_a_stored_zero_pulls_down_and_an_absent_cell_does_not():
    without = random_matrix(12, 9)
    objective = with_penalty(PLAIN, l2=0.1, l2_exponent=1.0)
    before = products(fit(without, objective, max_iter=200)[0])
    cell = np.unravel_index(np.argmax(np.where(np.isnan(without), before, 0)), without.shape)
    with_zero = without.copy()
    with_zero[cell] = 0
    after = products(fit(with_zero, objective, max_iter=200)[0])
    assert after[cell] < before[cell] - 1


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_scale_of_the_data_is_the_scale_of_the_factors(scale):
    # The divergence grows with the scale, the squares of factors, too, their sum with its root.
    matrix = random_matrix(12, 9)
    root = np.sqrt(scale)
    found, trace = fit(matrix, FULL)
    scaled, scaled_trace = fit(matrix * scale, with_penalty(FULL, user_l1=0.2 * root, item_l1=0.4 * root))
    np.testing.assert_allclose(np.array(scaled_trace) / scale, trace, rtol=1e-4)
    np.testing.assert_allclose(scaled.user_factors / root, found.user_factors, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(scaled.item_factors / root, found.item_factors, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_the_scale_of_the_weights_is_that_of_the_penalties(scale):
    matrix = random_matrix(12, 9)
    weights = np.random.default_rng(0).random(matrix.shape) + 0.1
    found, trace = fit(matrix, FULL, weights=weights)
    objective = with_penalty(FULL, l2=0.05 * scale, user_l1=0.2 * scale, item_l1=0.4 * scale)
    scaled, scaled_trace = fit(matrix, objective, weights=weights * scale)
    np.testing.assert_allclose(np.array(scaled_trace) / scale, trace, rtol=1e-4)
    np.testing.assert_allclose(products(scaled), products(found), rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1e-30, 1.0, 1e30, float(np.finfo(np.float32).max)])
@pytest.mark.parametrize("rank", [1, 5])
def test_all_equal_values_are_met(value, rank):
    found, trace = fit(np.full((4, 3), value), PLAIN, rank=rank, max_iter=200)
    np.testing.assert_allclose(products(found), value, rtol=1e-3)
    assert np.isfinite(trace).all()


def test_values_of_many_magnitudes_give_numbers():
    generator = np.random.default_rng(0)
    matrix = np.where(generator.random((30, 20)) < 0.5, 10.0 ** generator.uniform(-30, 30, (30, 20)), ABSENT)
    found, trace = fit(matrix, PLAIN, rank=4, max_iter=50)
    assert np.isfinite(trace).all()
    assert np.all(np.diff(trace) <= 1e-5 * trace[0])
    assert np.isfinite(products(found)).all()


def test_threads_change_no_bit():
    matrix = random_matrix(150, 70)
    one, one_trace = fit(matrix, FULL, rank=8)
    with threads.use(2):
        two, two_trace = fit(matrix, FULL, rank=8)
    assert one_trace == two_trace
    np.testing.assert_array_equal(one.user_factors, two.user_factors)
    np.testing.assert_array_equal(one.item_factors, two.item_factors)


def test_the_start_is_left_as_it_was():
    matrix = random_matrix(6, 5)
    start = start_for(matrix, 2)
    before = replace(start, users=start.users.copy(), items=start.items.copy())
    fit(matrix, FULL, start=start)
    assert_same(start, before)


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e30])
def test_fold_in_finds_the_rows_of_the_fit(scale):
    matrix = random_matrix(20, 12, density=0.6)
    matrix[3] = ABSENT
    objective = KLObjective(Penalty(0.1, 1.0, 0.3 * np.sqrt(scale)))
    fitted, _ = fit(matrix * scale, objective, max_iter=600)
    found, _ = folded(objective, rows_of(matrix * scale), fitted)
    np.testing.assert_allclose(found / np.sqrt(scale), fitted.user_factors / np.sqrt(scale), atol=2e-3)
    assert not found[3].any()


def test_a_user_folded_in_alone_gets_the_same_bits():
    matrix = random_matrix(20, 12, density=0.6)
    fitted, _ = fit(matrix, FULL, max_iter=20)
    matrix[::3] *= 1e6
    matrix[1::3] *= 1e-6
    together, _ = folded(FULL, rows_of(matrix), fitted)
    for user, row in enumerate(matrix):
        np.testing.assert_array_equal(folded(FULL, rows_of(row[None]), fitted)[0][0], together[user])


def test_fold_in_of_nobody_is_empty():
    fitted, _ = fit(random_matrix(6, 5), PLAIN)
    found, _ = folded(PLAIN, rows_of(np.empty((0, 5))), fitted)
    assert found.shape == (0, 3)


def test_what_cannot_be_fitted_is_refused():
    matrix = random_matrix(6, 5)
    rows, start = rows_of(matrix), start_for(matrix, 2)
    with pytest.raises(InputError, match=r"found the value -1; .* 0 or above"):
        problem_of(PLAIN, rows.with_values(-np.ones(rows.nnz)), start)
    for weights, message in (
        (np.ones(3), "found weights of shape"),
        (-np.ones(rows.nnz), "found a weight that is negative"),
        (np.full(rows.nnz, np.inf), "found a weight that is negative or not a finite number"),
    ):
        with pytest.raises(InputError, match=message):
            problem_of(PLAIN, rows, start, weights)
