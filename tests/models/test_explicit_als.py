import numpy as np
import pytest

from recsys.models.baselines.explicit_als import ExplicitALS
from recsys.models.masked_nmf import MaskedNMF
from tests.matrices import random_matrix


def objective(model, matrix):
    """Return the objective of a fitted model, by its definition."""
    observed = ~np.isnan(matrix)
    rest = (matrix - model.score_block(np.arange(len(matrix))))[observed]
    penalty = sum(
        model.l2 * np.sum(observed.sum(axis=axis) * np.sum(side.astype(float) ** 2, axis=1))
        for axis, side in ((1, model.user_factors_), (0, model.item_factors_))
    )
    biases = model.bias_l2 * (np.sum(model.user_bias_**2) + np.sum(model.item_bias_**2))
    return 0.5 * (rest @ rest + penalty + biases)


def test_the_objective_is_what_the_docstring_says_and_never_rises():
    matrix = random_matrix(30, 20)
    model = ExplicitALS(3, l2=0.05, bias_l2=2.0, max_iter=20, tol=0.0).fit(matrix)
    trace = np.array(model.history_.objective)
    assert np.all(np.diff(trace) <= 1e-5 * trace[:-1])
    assert trace[-1] == pytest.approx(objective(model, matrix), rel=1e-4)


def test_at_the_end_no_row_can_be_improved():
    # Each user alone is a ridge regression, whose answer is known.
    matrix = random_matrix(30, 20)
    model = ExplicitALS(3, l2=0.05, bias_l2=2.0, max_iter=600, tol=0.0).fit(matrix)
    for user in range(30):
        items = np.flatnonzero(~np.isnan(matrix[user]))
        if not len(items):
            continue
        design = np.c_[model.item_factors_[items].astype(float), np.ones(len(items))]
        ridge = np.diag([0.05 * len(items)] * 3 + [2.0])
        rest = matrix[user, items] - model.mean_ - model.item_bias_[items]
        expected = np.linalg.solve(design.T @ design + ridge, design.T @ rest)
        found = np.r_[model.user_factors_[user], model.user_bias_[user]]
        np.testing.assert_allclose(found, expected, atol=2e-3)


def test_it_fits_what_non_negative_factors_cannot():
    # Beside the mean, one factor of both signs on both sides.
    generator = np.random.default_rng(0)
    sides = [generator.choice([-1.0, 1.0], n) for n in (40, 30)]
    matrix = 3 + np.outer(*sides)
    params = {"n_components": 1, "l2": 1e-3, "max_iter": 200}
    errors = [
        np.abs(kind(**params).fit(matrix).score_block(np.arange(40)) - matrix).max()
        for kind in (ExplicitALS, MaskedNMF)
    ]
    assert errors[0] < 0.05
    assert errors[1] > 5 * errors[0]


def test_its_parameters_are_those_of_masked_nmf():
    own, other = ExplicitALS().get_params(), MaskedNMF().get_params()
    assert own.keys() <= other.keys()
    assert (own | {"l2": other["l2"]}).items() <= other.items()
