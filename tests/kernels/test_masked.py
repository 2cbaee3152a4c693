import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.kernels.masked import sweep_masked
from tests.matrices import ABSENT, matrices, random_matrix, rows_of
from tests.reference import masked as reference


def sweep(matrix, case, blocks=None):
    """Return factors, biases and objective after the kernel's sweep."""
    rows = rows_of(matrix)
    own, own_bias = case["own"].copy(), case["own_bias"].copy()
    objective = np.full(len(own), np.nan)
    sweep_masked(
        np.array([0, rows.n_rows]) if blocks is None else blocks,
        rows.indptr,
        rows.columns,
        rows.values,
        case["weights"][~np.isnan(matrix)] if case["weighted"] else np.empty(0, dtype=np.float32),
        np.float32(case["scale"]),
        np.float32(case["mean"]),
        own,
        own_bias,
        case["other"],
        case["other_bias"],
        case["fit_bias"],
        case["ridge"],
        case["bias_ridge"],
        np.float32(case["l1"]),
        np.float32(case["lower"]),
        case["n_inner"],
        objective,
    )
    return own, own_bias, objective


def twin(matrix, case):
    return reference.sweep_masked(matrix, **{k: v for k, v in case.items() if k != "weighted"})


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


@st.composite
def cases(draw):
    matrix = draw(matrices())
    n_rows, n_columns = matrix.shape
    rank = draw(st.sampled_from([1, 2, 5, 16, 17]))
    weighted = draw(st.booleans())
    return matrix, {
        "weighted": weighted,
        "weights": draw(floats(matrix.shape, 0, 0.5, 1, 3))
        if weighted
        else np.ones(matrix.shape, np.float32),
        "scale": draw(st.sampled_from([0.25, 1.0])),
        "mean": draw(st.sampled_from([0.0, 2.5])),
        "own": draw(floats((n_rows, rank), 0, 0.5, 1, 2)),
        "own_bias": draw(floats(n_rows, -1, 0, 0.5)),
        "other": draw(floats((n_columns, rank), 0, 0, 0.5, 1, 2)),
        "other_bias": draw(floats(n_columns, -1, 0, 0.5)),
        "fit_bias": draw(st.booleans()),
        "ridge": draw(floats(n_rows, 0, 0.5, 3)),
        "bias_ridge": draw(floats(n_rows, 0, 2)),
        "l1": draw(st.sampled_from([0.0, 0.5])),
        "lower": draw(st.sampled_from([0.0, -np.inf])),
        "n_inner": draw(st.integers(1, 3)),
    }


@given(cases())
def test_sweep_equals_its_naive_twin(case):
    matrix, given_case = case
    for part, expected in zip(sweep(matrix, given_case), twin(matrix, given_case), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-3, atol=1e-3)


def large_case(matrix, rank=7, **changes):
    generator = np.random.default_rng(1)
    n_rows, n_columns = matrix.shape

    def draw(*shape):
        return generator.random(shape, dtype=np.float32)

    return {
        "weighted": True,
        "weights": draw(n_rows, n_columns),
        "scale": 1.0,
        "mean": 3.0,
        "own": draw(n_rows, rank),
        "own_bias": draw(n_rows),
        "other": draw(n_columns, rank),
        "other_bias": draw(n_columns),
        "fit_bias": True,
        "ridge": draw(n_rows),
        "bias_ridge": draw(n_rows),
        "l1": 0.1,
        "lower": 0.0,
        "n_inner": 2,
    } | changes


@pytest.mark.parametrize("rank", [15, 16, 19, 64])
@pytest.mark.parametrize("n_columns", [3, 700])
def test_long_and_short_rows_equal_the_twin(rank, n_columns):
    """Ranks that fill their parts of sixteen and ranks that do not, above and below the entries of a row."""
    matrix = random_matrix(4, n_columns, density=0.8)
    case = large_case(matrix, rank)
    for part, expected in zip(sweep(matrix, case), twin(matrix, case), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-3, atol=2e-4)


@pytest.mark.parametrize("lower", [0.0, -np.inf])
@pytest.mark.parametrize("rank", [5, 40])
def test_no_sweep_raises_the_objective_of_any_row(lower, rank):
    matrix = random_matrix(60, 50)
    case = large_case(matrix, rank, lower=lower, l1=0.1 if lower == 0 else 0.0, n_inner=1)
    before = np.full(60, np.inf)
    for _ in range(12):
        own, own_bias, objective = sweep(matrix, case)
        assert own.min() >= lower
        assert np.all(objective <= before * (1 + 1e-5) + 1e-6)
        before = objective
        case |= {"own": own, "own_bias": own_bias}


@pytest.mark.parametrize("rank", [5, 40])
def test_many_passes_end_where_no_coordinate_can_improve(rank):
    """The conditions of Karush, Kuhn and Tucker hold for every row."""
    matrix = random_matrix(20, 50)
    case = large_case(matrix, rank, n_inner=3000)
    case["ridge"] += 0.5
    own, own_bias, _ = sweep(matrix, case)
    weights = np.where(np.isnan(matrix), 0, case["weights"])
    rest = np.nan_to_num(matrix) - 3.0 - own_bias[:, np.newaxis] - case["other_bias"] - own @ case["other"].T
    slope = (weights * rest) @ case["other"] - case["ridge"][:, np.newaxis] * own - case["l1"]
    np.testing.assert_allclose(np.where(own > 0, slope, np.maximum(slope, 0)), 0, atol=2e-4)
    np.testing.assert_allclose((weights * rest).sum(axis=1), case["bias_ridge"] * own_bias, atol=2e-4)


def test_the_order_of_rows_changes_no_bit_of_a_row():
    matrix = random_matrix(80, 60)
    case = large_case(matrix, 20)
    order = np.random.default_rng(2).permutation(80)
    by_row = ("weights", "own", "own_bias", "ridge", "bias_ridge")
    permuted = case | {name: case[name][order] for name in by_row}
    for part, expected in zip(sweep(matrix[order], permuted), sweep(matrix, case), strict=True):
        np.testing.assert_array_equal(part, expected[order])


def test_a_row_that_is_no_number_leaves_the_others_alone():
    matrix = random_matrix(6, 9)
    expected = sweep(matrix, large_case(matrix))
    broken = matrix.copy()
    broken[2, np.flatnonzero(~np.isnan(matrix[2]))[0]] = np.inf
    found = sweep(broken, large_case(matrix))
    assert not np.isfinite(found[2][2])
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(np.delete(part, 2, axis=0), np.delete(wanted, 2, axis=0))


@pytest.mark.parametrize("l1", [0.0, 0.5])
def test_a_coordinate_of_which_nothing_speaks_is_zero_only_under_a_penalty(l1):
    matrix = np.array([[4.0, ABSENT, 2.0]])
    case = large_case(matrix, 18, l1=l1, ridge=np.zeros(1, dtype=np.float32))
    case["other"][[0, 2], 17] = 0
    own, _, _ = sweep(matrix, case)
    assert own[0, 17] == (0 if l1 > 0 else case["own"][0, 17])


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["one block", "a block a row", "equal work"])
@pytest.mark.parametrize("rank", [7, 32])
def test_threads_and_blocks_change_no_bit(n_threads, cut, rank):
    matrix = random_matrix(150, 70)
    case = large_case(matrix, rank)
    blocks = {
        "one block": np.array([0, 150]),
        "a block a row": np.arange(151),
        "equal work": row_blocks(rows_of(matrix).indptr, 7),
    }[cut]
    expected = sweep(matrix, case)
    with threads.use(n_threads):
        found = sweep(matrix, case, blocks)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
