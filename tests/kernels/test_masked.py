import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.sharing import row_blocks
from recsys.kernels.masked import sweep_masked
from tests.matrices import matrices, random_matrix, rows_of
from tests.reference import masked as reference


def sweep(matrix, case, blocks=None):
    """Return factors, biases and objective after the kernel's sweep."""
    rows = rows_of(matrix)
    own, own_bias = case["own"].copy(), case["own_bias"].copy()
    objective = np.full(len(own), np.nan)
    with threads.launch():
        sweep_masked(
            np.array([0, rows.n_rows]) if blocks is None else blocks,
            rows.indptr,
            rows.columns,
            rows.values,
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


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


@st.composite
def cases(draw):
    matrix = draw(matrices())
    n_rows, n_columns = matrix.shape
    rank = draw(st.integers(1, 6))
    return matrix, {
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
    found = sweep(matrix, given_case)
    expected = reference.sweep_masked(matrix, **given_case)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-4, atol=1e-4)


def large_case(matrix, rank=7):
    generator = np.random.default_rng(1)
    n_rows, n_columns = matrix.shape

    def draw(*shape):
        return generator.random(shape, dtype=np.float32)

    return {
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
    }


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["one block", "a block a row", "equal work"])
def test_threads_and_blocks_change_no_bit(n_threads, cut):
    matrix = random_matrix(150, 70)
    case = large_case(matrix)
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
