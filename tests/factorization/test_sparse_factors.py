import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.factorization.factors import Factors, SparsePair, explained_shares
from recsys.factorization.sides import Scorer, rows_of, theme_of
from recsys.factorization.sparse_factors import SparseFactors
from tests import matrices

shapes = st.tuples(st.integers(1, 8), st.integers(1, 5))
factors = shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0, 0, 0.5, 3])))


def drawn(n_rows, rank=6, share=0.3, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.random((n_rows, rank)) * (generator.random((n_rows, rank)) < share)).astype(np.float32)


@given(factors, st.data())
def test_sparse_factors_are_those_they_were_made_of(dense, data):
    side, (n_rows, rank) = SparseFactors.of(dense), dense.shape
    rows = np.array(data.draw(st.lists(st.integers(0, n_rows - 1), max_size=5)), dtype=np.int64)
    order = np.array(data.draw(st.permutations(range(rank))))
    by = np.linspace(1, 2, n_rows, dtype=np.float32)
    np.testing.assert_array_equal(side.dense(), dense)
    np.testing.assert_array_equal(side.select(rows).dense(), dense[rows])
    np.testing.assert_array_equal(rows_of(side, rows), rows_of(dense, rows))
    np.testing.assert_array_equal(side.in_order(order).dense(), dense[:, order])
    np.testing.assert_array_equal(side.scaled(by).dense(), dense * by[:, None])
    np.testing.assert_array_equal(side.largest(), dense.max(axis=0))
    np.testing.assert_array_equal(SparseFactors.joined([side, side]).dense(), np.vstack([dense, dense]))
    for theme in range(rank):
        np.testing.assert_array_equal(theme_of(side, theme), theme_of(dense, theme))
    assert side.fault() is None
    assert side.nonzero_share == pytest.approx(np.mean(dense != 0))
    chosen = np.unique(rows)
    expected = dense.copy()
    expected[chosen] = 7
    np.testing.assert_array_equal(side.with_rows(chosen, expected[chosen]).dense(), expected)


FAULTS = {
    "no pointers": ([], [], [], "begin with 0"),
    "a first pointer": ([1, 2], [0], [1], "begin with 0"),
    "falling pointers": ([0, 2, 1], [0], [1], "do not ascend"),
    # The differences wrap around and look like steps up.
    "wrapping pointers": ([0, 2**62, -(2**63), -(2**62), 1], [0], [1], "do not ascend"),
    "too few values": ([0, 2], [0, 1], [1], "2 themes and 1 values; expected 2"),
    "a theme too many": ([0, 1], [3], [1], "theme 3 of 3"),
    "a theme twice": ([0, 2], [1, 1], [1, 1], "themes of a row do not ascend"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_that_do_not_fit_together_are_told(fault):
    indptr, themes, values, message = FAULTS[fault]
    side = SparseFactors(
        np.array(indptr, np.int64), np.array(themes, np.uint16), np.array(values, np.float32), 3
    )
    assert message in side.fault()


def test_a_pair_answers_as_dense_factors_do():
    at = Factors.unbiased(drawn(9), drawn(7, seed=1))
    pair = SparsePair(*(SparseFactors.of(side) for side in at.sides))
    new, zeros = drawn(2, seed=2), np.zeros(2, dtype=np.float32)
    rows, order = np.array([3, 0]), np.array([5, 1, 0, 2, 4, 3])
    assert (pair.n_users, pair.n_items, pair.rank) == (at.n_users, at.n_items, at.rank) == (9, 7, 6)
    np.testing.assert_array_equal(pair.users_at(rows)[0], at.users_at(rows)[0])
    np.testing.assert_allclose(pair.mean_user(), at.mean_user(), rtol=1e-6)
    for one, other in (
        (pair.with_users(new, zeros), at.with_users(new, zeros)),
        (pair.in_order(order), at.in_order(order)),
        (pair.swapped, at.swapped),
    ):
        np.testing.assert_array_equal(one.dense.user_factors, other.user_factors)
        np.testing.assert_array_equal(one.dense.item_factors, other.item_factors)
    before = pair.dense.user_factors
    for one in (changed := pair.copied(), dense := at.copied()):
        one.put_users(rows, new, zeros)
    np.testing.assert_array_equal(changed.dense.user_factors, dense.user_factors)
    np.testing.assert_array_equal(pair.dense.user_factors, before)
    pattern = matrices.rows_of(matrices.random_matrix(9, 7))
    np.testing.assert_allclose(
        explained_shares(pattern, *pair.sides), explained_shares(pattern, *at.sides), rtol=1e-6
    )


@pytest.mark.parametrize(("share", "is_sparse"), [(0.05, True), (0.3, False)])
def test_scores_go_by_the_faster_kernel_and_are_the_same_bits(share, is_sparse):
    users, items = drawn(20, 40, 0.3), drawn(300, 40, share, seed=1)
    offsets = np.linspace(0, 1, 20, dtype=np.float32), np.linspace(0, 1, 300, dtype=np.float32)
    dense, sparse = Scorer(items, offsets[1]), Scorer(SparseFactors.of(items), offsets[1])
    assert not dense.is_sparse
    assert sparse.is_sparse == is_sparse
    for scorer in (dense, sparse):
        for side in (users, SparseFactors.of(users)):
            np.testing.assert_array_equal(scorer(side, offsets[0]), dense(users, offsets[0]))
