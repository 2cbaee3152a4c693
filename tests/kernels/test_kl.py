import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.kernels.kl import sweep_kl
from tests.matrices import ABSENT, matrices, random_matrix, rows_of
from tests.reference import kl as reference

FLOOR = 2.0**-20


def sweep(matrix, weights, case, blocks=None, *, all_cells=False):
    """Return factors and objective after the kernel's sweep; no weights are all ones."""
    rows = rows_of(matrix)
    own, other = case["own"].copy(), case["other"]
    objective = np.full(len(own), np.nan)
    of_entries = np.empty(0) if weights is None else weights[~np.isnan(matrix)]
    sweep_kl(
        np.array([0, rows.n_rows]) if blocks is None else blocks,
        rows.indptr,
        rows.columns,
        rows.values,
        of_entries.astype(np.float32),
        own,
        other,
        other.sum(axis=0, dtype=np.float64) if all_cells else np.empty(0),
        case["ridge"],
        np.float32(case["l1"]),
        np.float32(case["floor"]),
        case["n_inner"],
        objective,
    )
    return own, objective


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


COUNTS = (ABSENT, ABSENT, 0.5, 1, 4)


@st.composite
def cases(draw, most_inner=3, *, values=(ABSENT, ABSENT, 0, 1, 2.5, 5)):
    matrix = draw(matrices(values=values))
    n_rows, n_columns = matrix.shape
    rank = draw(st.integers(1, 6))
    return matrix, {
        "own": draw(floats((n_rows, rank), 0, 0.5, 1, 2)),
        "other": draw(floats((n_columns, rank), 0, 0, 0.5, 1, 2)),
        "ridge": draw(floats(n_rows, 0, 0.5, 3)),
        "l1": draw(st.sampled_from([0.0, 0.5])),
        "floor": draw(st.sampled_from([FLOOR, 0.125])),
        "n_inner": draw(st.integers(1, most_inner)),
    }


@given(cases(), st.booleans(), st.randoms(use_true_random=False))
def test_sweep_equals_its_naive_twin(case, is_weighted, chance):
    matrix, given_case = case
    weights = np.ones(matrix.shape)
    if is_weighted:
        weights = np.array([chance.choice([0, 0.5, 1, 3]) for _ in range(matrix.size)]).reshape(matrix.shape)
    found = sweep(matrix, weights if is_weighted else None, given_case)
    expected = reference.sweep_kl(matrix, weights, **given_case)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-3, atol=1e-4)


@given(cases(values=COUNTS))
def test_over_all_cells_a_sweep_equals_its_naive_twin(case):
    matrix, given_case = case
    found = sweep(matrix, None, given_case, all_cells=True)
    expected = reference.sweep_kl(matrix, np.ones(matrix.shape), all_cells=True, **given_case)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("all_cells", [False, True])
@given(data=st.data())
def test_no_pass_raises_the_objective_of_any_row(all_cells, data):
    values = {"values": COUNTS} if all_cells else {}  # over all cells a zero is absent
    matrix, given_case = data.draw(cases(most_inner=1, **values))
    before = None
    for _ in range(8):
        own, objective = sweep(matrix, None, given_case, all_cells=all_cells)
        assert own.min() >= 0
        if before is not None:
            assert np.all(objective <= before + 1e-5 * (1 + abs(before)))
        before = objective
        given_case = {**given_case, "own": own}


def row_objective(w, x, c, h, ridge, l1):
    q = FLOOR + h @ w
    loss = sum(weight * reference.divergence(value, at) for weight, value, at in zip(c, x, q, strict=True))
    gradient = h.T @ (c * (1 - x / q)) + ridge * w + l1
    return loss + 0.5 * ridge * (w @ w) + l1 * w.sum(), gradient


@pytest.mark.parametrize("start", [0.0, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize(("ridge", "l1"), [(0.0, 0.0), (0.3, 0.0), (0.3, 2.0)])
def test_many_passes_end_where_an_optimiser_does_whatever_the_start(start, ridge, l1):
    generator = np.random.default_rng(4)
    matrix = random_matrix(12, 30, density=0.6)
    matrix[generator.random(matrix.shape) < 0.1] = 0  # counts know zeros
    weights = generator.random(matrix.shape) + 0.25
    case = {
        "own": np.full((12, 3), start, dtype=np.float32),
        "other": generator.gamma(0.5, size=(30, 3)).astype(np.float32),
        "ridge": np.full(12, ridge, dtype=np.float32),
        "l1": l1,
        "floor": FLOOR,
        "n_inner": 500,
    }
    found, objective = sweep(matrix, weights, case)
    for u, row in enumerate(matrix):
        seen = ~np.isnan(row)
        arguments = (row[seen], weights[u, seen], case["other"][seen].astype(float), ridge, l1)
        best = minimize(
            row_objective, np.ones(3), arguments, jac=True, bounds=[(0, None)] * 3, options={"ftol": 1e-14}
        )
        assert objective[u] == pytest.approx(best.fun, rel=1e-5)
        np.testing.assert_allclose(found[u], best.x, rtol=5e-3, atol=2e-3)


def test_the_step_down_does_not_overshoot_where_newtons_would():
    # One entry of 1, predicted as 10: Newton's step, -90, ends at zero, which is worse than 10.
    case = {
        "own": np.array([[10.0]], dtype=np.float32),
        "other": np.ones((1, 1), dtype=np.float32),
        "ridge": np.zeros(1, dtype=np.float32),
        "l1": 0.0,
        "floor": FLOOR,
        "n_inner": 1,
    }
    assert reference.divergence(1.0, FLOOR) > reference.divergence(1.0, 10.0)
    own, objective = sweep(np.array([[1.0]]), None, case)
    assert 1 - 2 * FLOOR <= own[0, 0] < 10
    assert objective[0] < reference.divergence(1.0, 10.0)
    converged, end = sweep(np.array([[1.0]]), None, {**case, "n_inner": 50})
    assert converged[0, 0] == pytest.approx(1, rel=1e-4)
    assert end[0] == pytest.approx(0, abs=1e-6)


def test_zeros_can_be_left_and_reached():
    matrix = np.array([[4.0, 0.0]])
    case = {
        "own": np.array([[0.0, 3.0]], dtype=np.float32),
        "other": np.eye(2, dtype=np.float32),
        "ridge": np.zeros(1, dtype=np.float32),
        "l1": 0.0,
        "floor": FLOOR,
        "n_inner": 3,
    }
    own, _ = sweep(matrix, None, case)
    assert own[0, 0] == pytest.approx(4, rel=1e-4)
    assert own[0, 1] == 0


def test_a_row_whose_penalty_outweighs_its_values_is_zero_and_its_objective_finite():
    matrix = random_matrix(5, 8)
    case = {
        "own": np.ones((5, 2), dtype=np.float32),
        "other": np.ones((8, 2), dtype=np.float32),
        "ridge": np.zeros(5, dtype=np.float32),
        "l1": 1e9,
        "floor": FLOOR,
        "n_inner": 20,
    }
    own, objective = sweep(matrix, None, case)
    assert not own.any()
    expected = [sum(reference.divergence(x, FLOOR) for x in row[~np.isnan(row)]) for row in matrix]
    np.testing.assert_allclose(objective, expected, rtol=1e-5)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["one block", "a block a row", "equal work"])
@pytest.mark.parametrize("all_cells", [False, True])
def test_threads_and_blocks_change_no_bit(n_threads, cut, all_cells):
    generator = np.random.default_rng(1)
    matrix = random_matrix(150, 70)
    weights = None if all_cells else generator.random(matrix.shape)
    case = {
        "own": generator.random((150, 7), dtype=np.float32),
        "other": generator.random((70, 7), dtype=np.float32),
        "ridge": generator.random(150, dtype=np.float32),
        "l1": 0.1,
        "floor": FLOOR,
        "n_inner": 2,
    }
    blocks = {
        "one block": np.array([0, 150]),
        "a block a row": np.arange(151),
        "equal work": row_blocks(rows_of(matrix).indptr, 7),
    }[cut]
    expected = sweep(matrix, weights, case, all_cells=all_cells)
    with threads.use(n_threads):
        found = sweep(matrix, weights, case, blocks, all_cells=all_cells)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
