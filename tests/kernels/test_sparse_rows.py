import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.kernels.sparse_rows import count_nonzeros, gather_nonzeros, spread_nonzeros
from tests.reference import sparse_rows as reference

shapes = st.tuples(st.integers(0, 8), st.integers(1, 6))
factors = shapes.flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0, 0, 0, -0.0, 0.5, -2, 1e-45]))
)


def gathered(dense):
    """Return pointers, themes and values as the kernels write them."""
    indptr = np.zeros(len(dense) + 1, dtype=np.int64)
    count_nonzeros(dense, indptr[1:])
    np.cumsum(indptr, out=indptr)
    themes, values = np.full(indptr[-1], 999, np.uint16), np.full(indptr[-1], np.nan, np.float32)
    gather_nonzeros(dense, indptr, themes, values)
    return indptr, themes, values


def spread(indptr, themes, values, rank):
    out = np.full((len(indptr) - 1, rank), np.nan, dtype=np.float32)
    spread_nonzeros(indptr, themes, values, out)
    return out


@given(factors)
def test_rows_are_taken_apart_and_put_together_as_their_naive_twins_do(dense):
    indptr, themes, values = gathered(dense)
    assert np.diff(indptr).tolist() == reference.count_nonzeros(dense)
    wanted = reference.gather_nonzeros(dense)
    assert themes.tolist() == wanted[0]
    np.testing.assert_array_equal(values, np.array(wanted[1], dtype=np.float32))
    rank = dense.shape[1]
    expected = np.array(reference.spread_nonzeros(indptr, themes, values, rank), dtype=np.float32)
    np.testing.assert_array_equal(spread(indptr, themes, values, rank), expected.reshape(dense.shape))
    np.testing.assert_array_equal(spread(indptr, themes, values, rank), dense)


def test_a_run_of_rows_is_spread_by_a_slice_of_the_pointers():
    dense = np.where(np.random.default_rng(0).random((9, 5)) < 0.4, 1.5, 0).astype(np.float32)
    indptr, themes, values = gathered(dense)
    np.testing.assert_array_equal(spread(indptr[3:8], themes, values, 5), dense[3:7])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_change_nothing(n_threads):
    dense = np.where(np.random.default_rng(0).random((300, 20)) < 0.2, 1.5, 0).astype(np.float32)
    expected = gathered(dense)
    with threads.use(n_threads):
        found = gathered(dense)
    for part, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(part, wanted)
