import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.sharing import row_blocks
from recsys.kernels.poisson import sweep_poisson
from tests.matrices import ABSENT, matrices, random_matrix, rows_of
from tests.reference import poisson as reference


def sweep(matrix, case, blocks=None):
    """Return factors and objective after the kernel's sweep."""
    rows = rows_of(matrix)
    own, other = case["own"].copy(), case["other"]
    objective = np.full(len(own), np.nan)
    with threads.launch():
        sweep_poisson(
            np.array([0, rows.n_rows]) if blocks is None else blocks,
            rows.indptr,
            rows.columns,
            rows.values,
            own,
            other,
            other.sum(axis=0, dtype=np.float64),
            case["ridge"],
            np.float32(case["l1"]),
            np.float32(case["floor"]),
            case["n_inner"],
            objective,
        )
    return own, objective


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


@st.composite
def cases(draw):
    matrix = draw(matrices(values=(ABSENT, ABSENT, 0.5, 1, 4)))
    n_rows, n_columns = matrix.shape
    rank = draw(st.integers(1, 5))
    return matrix, {
        "own": draw(floats((n_rows, rank), 0, 0.5, 1)),
        "other": draw(floats((n_columns, rank), 0, 0, 0.5, 1)),
        "ridge": draw(floats(n_rows, 0, 0.5, 3)),
        "l1": draw(st.sampled_from([0.0, 0.25])),
        "floor": draw(st.sampled_from([0.01, 0.5])),
        "n_inner": draw(st.integers(1, 3)),
    }


@given(cases())
def test_sweep_equals_its_naive_twin(case):
    matrix, given_case = case
    found = sweep(matrix, given_case)
    expected = reference.sweep_poisson(matrix, **given_case)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_and_blocks_change_no_bit(n_threads):
    matrix, generator = random_matrix(150, 70), np.random.default_rng(1)
    case = {
        "own": generator.random((150, 7), dtype=np.float32),
        "other": generator.random((70, 7), dtype=np.float32),
        "ridge": generator.random(150, dtype=np.float32),
        "l1": 0.1,
        "floor": 1e-6,
        "n_inner": 2,
    }
    expected = sweep(matrix, case)
    with threads.use(n_threads):
        found = sweep(matrix, case, row_blocks(rows_of(matrix).indptr, 7))
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
