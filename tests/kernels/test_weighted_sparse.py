import numpy as np
import pytest
from hypothesis import given

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.weighted_sparse import sweep_weighted_sparse
from recsys.kernels.weighted_support import sweep_weighted_support
from tests.kernels.test_weighted import cases, large_case
from tests.matrices import random_matrix, rows_of
from tests.reference import weighted_sparse as reference


def sides(confidence, case):
    """Return what both kernels are told first and last."""
    rows, other = rows_of(confidence), SparseFactors.of(case["other"])
    entries = rows.indptr, rows.columns, rows.values, case["row_target"], case["column_target"]
    gram = (case["other"] * case["column_importance"][:, None]).T @ case["other"]
    held = other.indptr, other.components, other.values, gram, case["absent"], case["ridge"]
    return entries, (*held, np.float32(case["l1"]), case["n_inner"])


def whole(confidence, case, blocks=None):
    entries, held = sides(confidence, case)
    own, objective = case["own"].copy(), np.full(len(case["own"]), np.nan)
    blocks = np.array([0, len(own)]) if blocks is None else blocks
    sweep_weighted_sparse(blocks, *entries, own, *held, objective)
    return own, objective


def support(confidence, case, blocks=None):
    entries, held = sides(confidence, case)
    own, objective = SparseFactors.of(case["own"]), np.full(len(case["own"]), np.nan)
    blocks = np.array([0, len(own)]) if blocks is None else blocks
    values = own.values.copy()
    sweep_weighted_support(blocks, *entries, own.indptr, own.components, values, *held, objective)
    return SparseFactors(own.indptr, own.components, values, own.rank).dense(), objective


KERNELS = {
    "whole": (whole, reference.sweep_weighted_sparse),
    "support": (support, reference.sweep_weighted_support),
}


@pytest.mark.parametrize("kernel", KERNELS)
@given(case=cases())
def test_sweep_equals_its_naive_twin(kernel, case):
    confidence, given_case = case[0], {**case[1], "lower": 0.0}
    sweep, twin = KERNELS[kernel]
    found, expected = sweep(confidence, given_case), twin(confidence, **given_case)
    has_entries = (~np.isnan(confidence)).any(axis=1)  # whole sweeps empty the others, no sweep may need them
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(part[has_entries], wanted[has_entries], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("cut", ["a block a row", "equal work"])
def test_threads_and_blocks_change_no_bit(kernel, n_threads, cut):
    confidence, case = random_matrix(150, 70), large_case(150, 70)
    for name in ("own", "other"):
        case[name] *= case[name] > 0.6
    blocks = {"a block a row": np.arange(151), "equal work": row_blocks(rows_of(confidence).indptr, 7)}[cut]
    sweep, _ = KERNELS[kernel]
    expected = sweep(confidence, case)
    with threads.use(n_threads):
        found = sweep(confidence, case, blocks)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_a_theme_comes_back_as_soon_as_an_entry_has_it():
    case = large_case(1, 2, rank=2)
    case |= {"own": np.array([[0.5, 0.0]], np.float32), "other": np.eye(2, dtype=np.float32), "l1": 0.0}
    confidence = np.array([[1.0, 2.0]])
    assert whole(confidence, case)[0][0, 1] > 0
    assert support(confidence, case)[0][0, 1] == 0
