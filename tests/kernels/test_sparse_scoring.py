import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys import threads
from recsys.factorization.sparse_factors import SparseFactors
from recsys.kernels.scoring import score_block
from recsys.kernels.sparse_scoring import score_block_sparse
from tests.reference import sparse_scoring as reference


def scored(users, items, user_offset, item_offset):
    w, h = SparseFactors.of(users), SparseFactors.of(items)
    scores = np.full((len(users), len(items)), np.nan, dtype=np.float32)
    score_block_sparse(w.indptr, w.components, w.values, *h.by_component, user_offset, item_offset, scores)
    return scores


def floats(shape, *values):
    return arrays(np.float32, shape, elements=st.sampled_from(values))


@st.composite
def cases(draw):
    n_users, n_items, rank = draw(st.integers(0, 5)), draw(st.integers(1, 8)), draw(st.integers(1, 5))
    return (
        draw(floats((n_users, rank), 0, 0, 0.5, -2)),
        draw(floats((n_items, rank), 0, 0, 0.25, 3)),
        draw(floats(n_users, 0, 1, -1)),
        draw(floats(n_items, 0, 0.5)),
    )


@given(cases())
def test_scores_equal_those_of_the_naive_twin(case):
    expected = np.array(reference.score_block_sparse(*case), dtype=np.float32)
    np.testing.assert_allclose(scored(*case), expected.reshape(len(case[0]), len(case[1])), rtol=1e-6)


def test_scores_are_bits_of_the_dense_kernel_with_any_number_of_threads():
    generator = np.random.default_rng(0)
    users, items = (
        (generator.random((n, 30)) * (generator.random((n, 30)) < 0.3)).astype(np.float32) for n in (50, 700)
    )
    offsets = generator.random(50, dtype=np.float32), generator.random(700, dtype=np.float32)
    expected = np.empty((50, 700), dtype=np.float32)
    score_block(users, np.ascontiguousarray(items.T), *offsets, expected)
    for n_threads in (1, 2):
        with threads.use(n_threads):
            np.testing.assert_array_equal(scored(users, items, *offsets), expected)
