import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.kernels.weighted import sweep_weighted
from tests.matrices import ABSENT, matrices, random_matrix, rows_of
from tests.reference import weighted as reference


def sweep(confidence, case, blocks=None):
    """Return factors and objective after the kernel's sweep."""
    rows = rows_of(confidence)
    own, other = case["own"].copy(), case["other"]
    objective = np.full(len(own), np.nan)
    sweep_weighted(
        np.array([0, rows.n_rows]) if blocks is None else blocks,
        rows.indptr,
        rows.columns,
        rows.values,
        case["row_target"],
        case["column_target"],
        own,
        other,
        (other * case["column_importance"][:, None]).T @ other,
        case["absent"],
        case["ridge"],
        np.float32(case["l1"]),
        np.float32(case["lower"]),
        case["n_inner"],
        objective,
    )
    return own, objective


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from([np.float32(value) for value in values]))


@st.composite
def cases(draw):
    confidence = draw(matrices(values=(ABSENT, ABSENT, 0.5, 1, 4)))
    n_rows, n_columns = confidence.shape
    rank = draw(st.integers(1, 6))
    return confidence, {
        "row_target": draw(floats(n_rows, 0.5, 1, 2)),
        "column_target": draw(floats(n_columns, 0.5, 1, 2)),
        "own": draw(floats((n_rows, rank), 0, 0.5, 1)),
        "other": draw(floats((n_columns, rank), 0, 0, 0.5, 1)),
        "column_importance": draw(floats(n_columns, 0.5, 1, 2)),
        "absent": draw(floats(n_rows, 0.125, 1)),
        "ridge": draw(floats(n_rows, 0, 0.5, 3)),
        "l1": draw(st.sampled_from([0.0, 0.25])),
        "lower": draw(st.sampled_from([0.0, -np.inf])),
        "n_inner": draw(st.integers(1, 3)),
    }


@given(cases())
def test_sweep_equals_its_naive_twin(case):
    confidence, given_case = case
    found = sweep(confidence, given_case)
    expected = reference.sweep_weighted(confidence, **given_case)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part, wanted, rtol=1e-4, atol=1e-4)


def large_case(n_rows, n_columns, rank=7):
    generator = np.random.default_rng(1)

    def draw(*shape):
        return generator.random(shape, dtype=np.float32)

    return {
        "row_target": draw(n_rows),
        "column_target": draw(n_columns),
        "own": draw(n_rows, rank),
        "other": draw(n_columns, rank),
        "column_importance": draw(n_columns),
        "absent": draw(n_rows),
        "ridge": draw(n_rows),
        "l1": 0.1,
        "lower": 0.0,
        "n_inner": 2,
    }


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["one block", "a block a row", "equal work"])
def test_threads_and_blocks_change_no_bit(n_threads, cut):
    confidence = random_matrix(150, 70)
    case = large_case(150, 70)
    blocks = {
        "one block": np.array([0, 150]),
        "a block a row": np.arange(151),
        "equal work": row_blocks(rows_of(confidence).indptr, 7),
    }[cut]
    expected = sweep(confidence, case)
    with threads.use(n_threads):
        found = sweep(confidence, case, blocks)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
