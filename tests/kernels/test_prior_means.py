import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.prior_means import sweep_prior_means
from tests.matrices import matrices, random_matrix, rows_of
from tests.reference import prior_means as reference


def case_of(matrix, rank, seed=0):
    """Return a design matrix and a state in which prior means follow from levels and weights."""
    draw = np.random.default_rng(seed)
    observed = ~np.isnan(matrix)
    scale = np.maximum(observed.sum(axis=1), 1) ** -0.5
    n_rows, n_columns = matrix.shape
    design = np.where(observed, scale[:, None], 0.0)
    levels, weights = draw.standard_normal(rank), draw.standard_normal((rank, n_columns))
    return {
        "columns": rows_of(matrix.T),
        "scale": scale,
        "design": design,
        "latent": draw.standard_normal((n_rows, rank)).astype(np.float32),
        "precisions": draw.gamma(2.0, 1.0, rank),
        "weight_precisions": draw.gamma(2.0, 1.0, rank),
        "normals": draw.standard_normal((rank, n_columns + 1)),
        "levels": levels,
        "weights": weights,
        "prior_means": levels[:, None] + weights @ design.T,
    }


def sweep(case, n_sweeps=1, **changes):
    """Return levels, weights and prior means after sweeps of the kernel."""
    case = case | changes
    state = [case[name].copy() for name in ("levels", "weights", "prior_means")]
    for _ in range(n_sweeps):
        sweep_prior_means(
            case["columns"].indptr, case["columns"].columns, case["scale"],
            np.sum(case["design"] ** 2, axis=0), case["latent"], case["precisions"],
            case["weight_precisions"], case["normals"], *state,
        )  # fmt: skip
    return state


@given(matrix=matrices(), rank=st.integers(1, 4), seed=st.integers(0, 9))
def test_it_agrees_with_its_naive_twin(matrix, rank, seed):
    case = case_of(matrix, rank, seed)
    names = ("design", "latent", "precisions", "weight_precisions", "normals", "levels", "weights")
    expected = reference.sweep_prior_means(*(case[name] for name in names))
    for found, wanted in zip(sweep(case), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-9)


def test_without_chance_it_goes_to_the_ridge_regression():
    case = case_of(random_matrix(30, 12), 2)
    levels, weights, _ = sweep(case, 500, normals=np.zeros((2, 13)))
    design = np.column_stack([case["design"], np.ones(30)])
    for f in range(2):
        ridge = np.diag(np.append(np.full(12, case["weight_precisions"][f]), 1.0))
        gram = case["precisions"][f] * design.T @ design + ridge
        solved = np.linalg.solve(gram, case["precisions"][f] * design.T @ case["latent"][:, f].astype(float))
        np.testing.assert_allclose(np.append(weights[f], levels[f]), solved, atol=1e-8)


def test_draws_have_the_posterior_of_the_regression():
    case = case_of(random_matrix(8, 3), 1)
    draw = np.random.default_rng(1)
    drawn = np.empty((20_000, 4))
    state = {}
    for row in drawn:
        found = sweep(case, normals=draw.standard_normal((1, 4)), **state)
        state = dict(zip(("levels", "weights", "prior_means"), found, strict=True))
        row[:] = [*found[1][0], *found[0]]
    design = np.column_stack([case["design"], np.ones(8)])
    ridge = np.diag(np.append(np.full(3, case["weight_precisions"][0]), 1.0))
    covariance = np.linalg.inv(case["precisions"][0] * design.T @ design + ridge)
    np.testing.assert_allclose(np.cov(drawn.T), covariance, atol=0.05)
    mean = covariance @ design.T @ case["latent"][:, 0].astype(float) * case["precisions"][0]
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.05)


def test_threads_change_no_bit():
    case = case_of(random_matrix(200, 90), 8)
    with threads.use(1):
        one = sweep(case, 3)
    with threads.use(2):
        two = sweep(case, 3)
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)
