from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.factorization.penalty import Penalty
from recsys.factorization.weighted import WeightedObjective
from tests.descents import descended
from tests.matrices import ABSENT, observed_matrices, random_matrix, rows_of
from tests.objectives import changed, problem_of, start_of

PLAIN = WeightedObjective(Penalty(0.05), unobserved_weight=0.2)
FULL = WeightedObjective(
    Penalty(0.02, 0.5, 0.05, 0.05),
    unobserved_weight=0.3,
    user_unobserved_exponent=0.5,
    item_unobserved_exponent=0.25,
    user_exponent=0.3,
    item_exponent=0.4,
    n_inner=2,
)


def fit(confidence, objective, *, rank=3, start=None, max_iter=10):
    """Fit with no early stop; return the factors and the objective of each iteration."""
    rows = rows_of(confidence)
    start = start or start_of(objective, rows, rank)
    return descended(problem_of(objective, rows, start), max_iter)


def relative_counts(confidence, axis):
    """Entries of each row or column over their mean, an empty one counted as of one entry."""
    n = np.maximum((~np.isnan(confidence)).sum(axis=axis), 1)
    return n / n.mean()


def cells(confidence, objective):
    """Return target and weight of the observed part, and the weight of all cells, dense."""
    users, items = relative_counts(confidence, 1)[:, None], relative_counts(confidence, 0)
    target = users**-objective.user_exponent * items**-objective.item_exponent
    everywhere = objective.unobserved_weight * (
        users**objective.user_unobserved_exponent * items**objective.item_unobserved_exponent
    )
    return target, np.nan_to_num(confidence), everywhere


def solved(confidence, found, objective):
    """Return the factors as the solver has them: times the scale of the targets."""
    users, items = relative_counts(confidence, 1)[:, None], relative_counts(confidence, 0)[:, None]
    return (
        found.user_factors.astype(float) * users**-objective.user_exponent,
        found.item_factors.astype(float) * items**-objective.item_exponent,
    )


def dense_objective(confidence, found, objective):
    """The objective by its formula, cell by cell of the whole matrix."""
    target, observed, everywhere = cells(confidence, objective)
    W, H = solved(confidence, found, objective)
    products = W @ H.T
    total = 0.5 * np.sum(observed * (target - products) ** 2 + everywhere * products**2)
    for factors, axis in ((W, 1), (H, 0)):
        n = (~np.isnan(confidence)).sum(axis=axis)
        penalty = objective.penalty
        total += penalty.l2 / 2 * (n**penalty.l2_exponent * (factors**2).sum(axis=1))[n > 0].sum()
        total += (penalty.user_l1 if axis else penalty.item_l1) * factors.sum()
    return total


confidences = observed_matrices(values=(ABSENT, ABSENT, 0.5, 1, 4))
exponents = st.sampled_from([0.0, 0.5, 1.0])
objectives = st.builds(
    WeightedObjective,
    st.builds(
        Penalty,
        st.sampled_from([0.0, 0.25]),
        exponents,
        st.sampled_from([0.0, 0.1]),
        st.sampled_from([0.0, 0.05, 0.1]),
    ),
    unobserved_weight=st.sampled_from([0.05, 1.0]),
    user_unobserved_exponent=exponents,
    item_unobserved_exponent=exponents,
    user_exponent=exponents,
    item_exponent=exponents,
    nonnegative=st.just(True),
    n_inner=st.integers(1, 3),
)


@given(confidences, objectives, st.integers(1, 5))
def test_the_objective_is_the_formula_and_never_rises(confidence, objective, rank):
    found, trace = fit(confidence, objective, rank=rank)
    slack = 1e-6 * (1 + np.nansum(confidence))
    assert np.all(np.diff(trace) <= slack)
    assert trace[-1] == pytest.approx(dense_objective(confidence, found, objective), rel=1e-4, abs=slack)


@given(confidences, objectives)
def test_factors_are_never_negative_and_rows_without_entries_are_zero(confidence, objective):
    found, _ = fit(confidence, objective)
    observed = ~np.isnan(confidence)
    for factors, is_empty in (
        (found.user_factors, ~observed.any(axis=1)),
        (found.item_factors, ~observed.any(axis=0)),
    ):
        assert factors.min() >= 0
        assert not factors[is_empty].any()


def test_permuting_users_permutes_their_rows():
    confidence = random_matrix(12, 9)
    order = np.random.default_rng(3).permutation(12)
    start = start_of(FULL, rows_of(confidence), 3)
    found, _ = fit(confidence, FULL, start=start)
    turned = changed(start, user_factors=start.user_factors[order])
    permuted, _ = fit(confidence[order], FULL, start=turned)
    np.testing.assert_allclose(permuted.user_factors, found.user_factors[order], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(permuted.item_factors, found.item_factors, rtol=1e-3, atol=1e-4)


def test_the_projected_gradient_is_small_at_the_end():
    confidence = random_matrix(20, 12)
    found, _ = fit(confidence, FULL, max_iter=400)
    target, observed, everywhere = cells(confidence, FULL)
    W, H = solved(confidence, found, FULL)
    slope = everywhere * (W @ H.T) - observed * (target - W @ H.T)
    for left, own, other, axis in ((slope, W, H, 1), (slope.T, H, W, 0)):
        ridge = 0.02 * (~np.isnan(confidence)).sum(axis=axis) ** 0.5
        gradient = left @ other + ridge[:, None] * own + 0.05
        projected = np.where(own > 0, gradient, np.minimum(gradient, 0))
        assert abs(projected).max() < 2e-4


def test_without_the_bound_each_side_is_the_closed_form_of_the_other():
    confidence = random_matrix(20, 12)
    objective = replace(FULL, penalty=Penalty(0.02, 0.5), nonnegative=False)
    found, _ = fit(confidence, objective, max_iter=400)
    assert found.user_factors.min() < 0
    target, observed, everywhere = cells(confidence, objective)
    W, H = solved(confidence, found, objective)
    sides = (
        (W, H, observed, target, everywhere),
        (H, W, observed.T, target.T, everywhere.T),
    )
    for own, other, weights, targets, absent in sides:
        for row in range(len(own)):
            ridge = 0.02 * np.count_nonzero(weights[row]) ** 0.5
            normal = (other.T * (weights[row] + absent[row])) @ other + ridge * np.eye(3)
            best = np.linalg.solve(normal, other.T @ (weights[row] * targets[row]))
            np.testing.assert_allclose(own[row], best, atol=1e-3)


def test_planted_groups_are_found_again():
    # Two groups of users who take from two groups of items; a tenth of the cells is taken out.
    generator = np.random.default_rng(0)
    truth = np.kron(np.eye(2), np.ones((20, 15)))
    hidden = (truth > 0) & (generator.random(truth.shape) < 0.1)
    found, _ = fit(np.where((truth > 0) & ~hidden, 1.0, ABSENT), PLAIN, rank=2, max_iter=100)
    products = found.user_factors @ found.item_factors.T
    assert products[hidden].min() > 2 * products[truth == 0].max()


def test_threads_change_no_bit():
    confidence = random_matrix(150, 70)
    one, one_trace = fit(confidence, FULL, rank=8)
    with threads.use(2):
        two, two_trace = fit(confidence, FULL, rank=8)
    assert one_trace == two_trace
    np.testing.assert_array_equal(one.user_factors, two.user_factors)
    np.testing.assert_array_equal(one.item_factors, two.item_factors)


def test_a_weighted_start_meets_the_best_constant():
    confidence = np.where(np.isnan(random_matrix(200, 150)), ABSENT, 1.0)
    start = start_of(PLAIN, rows_of(confidence), 4)
    target, observed, everywhere = cells(confidence, PLAIN)
    best = (observed * target).sum() / (observed + everywhere).sum()
    assert (start.user_factors @ start.item_factors.T).mean() == pytest.approx(best, rel=0.05)
