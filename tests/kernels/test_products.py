import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.kernels.products import multiply_residuals
from tests.matrices import matrices, random_matrix, rows_of
from tests.reference import products as reference


def product(matrix, other, own_bias, other_bias, scale=0.5, mean=1.5, n_blocks=64):
    rows = rows_of(matrix)
    out = np.full((rows.n_rows, other.shape[1]), np.nan, dtype=np.float32)
    multiply_residuals(
        row_blocks(rows.indptr, n_blocks),
        rows.indptr,
        rows.columns,
        rows.values,
        np.float32(scale),
        np.float32(mean),
        own_bias,
        other_bias,
        other,
        out,
    )
    return out


def sides(matrix, width):
    generator = np.random.default_rng(0)
    n_rows, n_columns = matrix.shape
    shapes = ((n_columns, width), n_rows, n_columns)
    return [generator.standard_normal(shape).astype(np.float32) for shape in shapes]


@given(matrices(), st.integers(1, 5))
def test_product_equals_its_naive_twin(matrix, width):
    other, own_bias, other_bias = sides(matrix, width)
    expected = reference.multiply_residuals(matrix, 0.5, 1.5, own_bias, other_bias, other)
    np.testing.assert_allclose(product(matrix, other, own_bias, other_bias), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_and_blocks_change_no_bit(n_threads):
    matrix = random_matrix(120, 60)
    arrays = sides(matrix, 20)
    expected = product(matrix, *arrays, n_blocks=1)
    with threads.use(n_threads):
        np.testing.assert_array_equal(product(matrix, *arrays), expected)
