import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba import config

from recsys import threads
from recsys.factorization.entries import row_blocks
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.sparse_products import RUN, mirror, sparse_gram, sum_products
from tests.matrices import observed_matrices, random_matrix, rows_of
from tests.reference import sparse_products as reference


def factors(n_rows, rank, *values):
    return arrays(np.float32, (n_rows, rank), elements=st.sampled_from([0, 0, *values]))


def gram(dense, importance, bands=None):
    side, rank = SparseFactors.of(dense), dense.shape[1]
    out = np.full((rank, rank), np.nan, dtype=np.float32)
    bands = np.array([0, rank]) if bands is None else np.asarray(bands)
    sparse_gram(bands, side.indptr, side.components, side.values, importance, out)
    return out


@st.composite
def weighted_factors(draw):
    n_rows, rank = draw(st.integers(0, 8)), draw(st.integers(1, 6))
    importance = draw(arrays(np.float32, n_rows, elements=st.sampled_from([0, 0.5, 2])))
    cuts = draw(st.sets(st.integers(1, rank)))
    return draw(factors(n_rows, rank, 0.5, 3)), importance, sorted({0, rank} | cuts)


@given(weighted_factors())
def test_the_gram_matrix_equals_its_naive_twin(case):
    dense, importance, bands = case
    found, expected = gram(dense, importance, bands), reference.sparse_gram(dense, importance)
    np.testing.assert_allclose(np.triu(found), expected, rtol=1e-6)


def test_halves_are_mirrored():
    square = np.random.default_rng(0).random((7, 7), dtype=np.float32)
    expected = reference.mirror(square)
    mirror(square)
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("bands", [[0, 40], range(41), [0, 3, 17, 40]], ids=["one", "each", "some"])
def test_threads_and_bands_change_no_bit_of_a_gram_matrix(n_threads, bands):
    generator = np.random.default_rng(0)
    dense = (generator.random((2 * RUN + 5, 40)) * (generator.random((2 * RUN + 5, 40)) < 0.1)).astype("f4")
    importance = generator.random(len(dense), dtype=np.float32)
    expected = gram(dense, importance)
    with threads.use(n_threads):
        found = gram(dense, importance, bands)
    np.testing.assert_array_equal(np.triu(found), np.triu(expected))


@pytest.mark.skipif(config.DISABLE_JIT, reason="so many rows take minutes in plain Python")
def test_a_sum_over_very_many_rows_keeps_its_digits():
    # In single precision, ones add up to 16,777,216 and stay there.
    n_rows = 17_000_000
    side = SparseFactors(
        np.arange(n_rows + 1), np.zeros(n_rows, np.uint16), np.ones(n_rows, np.float32), rank=1
    )
    assert side.gram(np.ones(n_rows, np.float32))[0, 0] == n_rows


def summed(matrix, users, items, blocks=None):
    rows, w, h = rows_of(matrix), SparseFactors.of(users), SparseFactors.of(items)
    blocks = np.array([0, rows.n_rows]) if blocks is None else blocks
    sums = np.zeros((len(blocks) - 1, users.shape[1]))
    sides = (w.indptr, w.components, w.values, h.indptr, h.components, h.values)
    sum_products(blocks, rows.indptr, rows.columns, *sides, sums)
    return sums


@given(st.data())
def test_summed_products_equal_their_naive_twin(data):
    matrix = data.draw(observed_matrices())
    rank = data.draw(st.integers(1, 4))
    users, items = (data.draw(factors(n, rank, 0.5, 2)) for n in matrix.shape)
    found = summed(matrix, users, items).sum(axis=0)
    np.testing.assert_allclose(found, reference.sum_products(~np.isnan(matrix), users, items), rtol=1e-6)


def test_threads_change_no_bit_of_summed_products():
    matrix, generator = random_matrix(150, 70), np.random.default_rng(0)
    users, items = (
        (generator.random((n, 8)) * (generator.random((n, 8)) < 0.4)).astype(np.float32) for n in (150, 70)
    )
    blocks = row_blocks(rows_of(matrix).indptr, 7)
    expected = summed(matrix, users, items, blocks)
    with threads.use(2):
        np.testing.assert_array_equal(summed(matrix, users, items, blocks), expected)
