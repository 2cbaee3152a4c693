import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.factorization.entries import unit_of
from recsys.factorization.held_out_errors import KL_FLOOR
from recsys.factorization.kl import KLObjective
from recsys.factorization.penalty import Penalty
from tests.descents import descended
from tests.matrices import ABSENT, observed_matrices, random_matrix, rows_of
from tests.objectives import folded, problem_of, start_of

FULL = KLObjective(Penalty(0.1, 0.5, 0.2, 0.1), all_cells=True, n_inner=2)
PLAIN = KLObjective(all_cells=True)
counts = observed_matrices(values=(ABSENT, ABSENT, 0.5, 1, 4))


def fit(matrix, objective, *, rank=3, max_iter=10):
    rows = rows_of(matrix)
    return descended(problem_of(objective, rows, start_of(objective, rows, rank)), max_iter)


def dense_objective(matrix, at, objective):
    """The objective by its formula, cell by cell of the whole matrix."""
    W, H = at.user_factors.astype(float), at.item_factors.astype(float)
    x, seen = np.nan_to_num(matrix), ~np.isnan(matrix)
    q = W @ H.T + KL_FLOOR * unit_of(matrix[seen].astype(np.float32))
    total = np.sum(W @ H.T) + np.sum(np.where(seen, x * np.log(np.where(seen, x, 1) / q) - x, 0))
    penalty = objective.penalty
    for factors, axis, l1 in ((W, 1, penalty.user_l1), (H, 0, penalty.item_l1)):
        n = seen.sum(axis=axis)
        total += penalty.l2 / 2 * (n**penalty.l2_exponent * (factors**2).sum(axis=1))[n > 0].sum()
        total += l1 * factors.sum()
    return total


@given(counts, st.sampled_from([PLAIN, FULL]), st.integers(1, 5))
def test_the_objective_is_the_formula_and_never_rises(matrix, objective, rank):
    found, trace = fit(matrix, objective, rank=rank)
    slack = 1e-5 * (1 + np.nansum(matrix))
    assert np.all(np.diff(trace) <= slack)
    assert trace[-1] == pytest.approx(dense_objective(matrix, found, objective), rel=1e-3, abs=1e-3 + slack)
    for factors, axis in ((found.user_factors, 1), (found.item_factors, 0)):
        assert factors.min() >= 0
        assert not factors[np.isnan(matrix).all(axis=axis)].any()


def test_without_penalties_one_component_is_the_product_of_the_margins():
    matrix = random_matrix(12, 9)
    found, _ = fit(matrix, PLAIN, rank=1, max_iter=200)
    x = np.nan_to_num(matrix)
    expected = np.outer(x.sum(axis=1), x.sum(axis=0)) / x.sum()
    np.testing.assert_allclose(found.user_factors @ found.item_factors.T, expected, rtol=1e-3, atol=1e-5)


def test_the_projected_gradient_falls_to_a_small_part_of_the_first():
    rows = rows_of(random_matrix(20, 12))
    problem = problem_of(FULL, rows, start_of(FULL, rows, 3))
    first = problem.projected_gradient()
    descended(problem, 500)
    assert problem.projected_gradient() < 1e-3 * first


@pytest.mark.parametrize("scale", [1.0, 4.0**20, 4.0**-20])
def test_users_folded_in_get_what_a_fit_gives_them_alone_or_not(scale):
    matrix = random_matrix(20, 12) * scale
    matrix[3] = ABSENT
    matrix[4] *= 1000
    found, _ = fit(matrix, PLAIN, max_iter=400)
    users, bias = folded(PLAIN, rows_of(matrix), found)
    np.testing.assert_allclose(
        users @ found.item_factors.T, found.user_factors @ found.item_factors.T, rtol=0.05, atol=0.05 * scale
    )
    assert not users[3].any()
    assert not bias.any()
    for user in (0, 4):
        alone, _ = folded(PLAIN, rows_of(matrix[user : user + 1]), found)
        np.testing.assert_array_equal(alone[0], users[user])
