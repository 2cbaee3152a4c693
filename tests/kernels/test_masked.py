import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.sharing import row_blocks
from recsys.kernels.masked import sweep_masked
from recsys.kernels.masked_gram import sweep_masked_gram
from tests.matrices import matrices, random_matrix, rows_of
from tests.reference import masked as reference

FORMS = [sweep_masked, sweep_masked_gram]


def sweep(form, matrix, case, blocks=None):
    """Return factors, biases and objective after the kernel's sweep."""
    rows = rows_of(matrix)
    own, own_bias = case["own"].copy(), case["own_bias"].copy()
    objective = np.full(len(own), np.nan)
    with threads.launch():
        form(
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


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


@st.composite
def cases(draw):
    matrix = draw(matrices())
    n_rows, n_columns = matrix.shape
    rank = draw(st.integers(1, 6))
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


@pytest.mark.parametrize("form", FORMS)
@given(cases())
def test_both_forms_equal_their_naive_twin(form, case):
    matrix, given_case = case
    found = sweep(form, matrix, given_case)
    expected = reference.sweep_masked(matrix, **{k: v for k, v in given_case.items() if k != "weighted"})
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-4, atol=1e-4)


def large_case(matrix, rank=7):
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
    }


@pytest.mark.parametrize("form", FORMS)
def test_long_rows_equal_the_twin(form):
    """Rows of more entries than are gathered at once, ranks that are no multiple of a vector."""
    matrix = random_matrix(4, 700, density=0.8)
    case = large_case(matrix, rank=19)
    found = sweep(form, matrix, case)
    expected = reference.sweep_masked(matrix, **{k: v for k, v in case.items() if k != "weighted"})
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["one block", "a block a row", "equal work"])
def test_threads_and_blocks_change_no_bit(form, n_threads, cut):
    matrix = random_matrix(150, 70)
    case = large_case(matrix)
    blocks = {
        "one block": np.array([0, 150]),
        "a block a row": np.arange(151),
        "equal work": row_blocks(rows_of(matrix).indptr, 7),
    }[cut]
    expected = sweep(form, matrix, case)
    with threads.use(n_threads):
        found = sweep(form, matrix, case, blocks)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
