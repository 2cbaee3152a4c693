import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from recsys.factorization.factors import DenseFactors, Factors, SideFactors, explained_shares
from recsys.factorization.scoring import Scorer
from recsys.factorization.sparse_factors import SparseFactors
from tests import matrices

shapes = st.tuples(st.integers(1, 8), st.integers(1, 5))
factors = shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0, 0, 0.5, 3])))


def drawn(n_rows, rank=6, share=0.3, seed=0):
    generator = np.random.default_rng(seed)
    return (generator.random((n_rows, rank)) * (generator.random((n_rows, rank)) < share)).astype(np.float32)


@pytest.mark.parametrize("make", [DenseFactors, SparseFactors.of], ids=["dense", "sparse"])
@given(dense=factors, data=st.data())
def test_both_kinds_answer_as_the_array_they_were_made_of(make, dense, data):
    side, (n_rows, rank) = make(dense.copy()), dense.shape
    rows = np.array(data.draw(st.lists(st.integers(0, n_rows - 1), max_size=5)), dtype=np.int64)
    order = np.array(data.draw(st.permutations(range(rank))))
    by = np.linspace(1, 2, n_rows, dtype=np.float32)
    assert (len(side), side.shape) == (n_rows, dense.shape)
    assert side.nnz == np.count_nonzero(dense)
    assert side.n_stored == (side.nnz if side.is_sparse else dense.size)
    np.testing.assert_array_equal(side.dense(), dense)
    np.testing.assert_array_equal(side.sparse().dense(), dense)
    np.testing.assert_array_equal(side.select(rows).dense(), dense[rows])
    np.testing.assert_array_equal(side.dense_rows(rows), dense[rows])
    np.testing.assert_array_equal(side.in_order(order).dense(), dense[:, order])
    np.testing.assert_array_equal(side.times(by).dense(), dense * by[:, None])
    np.testing.assert_allclose(side.divided(by).dense(), dense / by[:, None], rtol=1e-6)
    np.testing.assert_array_equal(side.append(dense[:1]).dense(), np.vstack([dense, dense[:1]]))
    np.testing.assert_array_equal(side.largest(), dense.max(axis=0))
    np.testing.assert_array_equal(side.row_counts(), np.count_nonzero(dense, axis=1))
    np.testing.assert_allclose(side.row_squares(), (dense.astype(float) ** 2).sum(axis=1))
    np.testing.assert_allclose(side.mean_row(), dense.mean(axis=0, dtype=float))
    assert side.total() == pytest.approx(dense.sum(dtype=float))
    for number in range(rank):
        np.testing.assert_array_equal(side.component(number), dense[:, number])
    chosen = np.unique(rows)
    expected = dense.copy()
    expected[chosen] = 7
    np.testing.assert_array_equal(side.replace_rows(chosen, expected[chosen]).dense(), expected)
    np.testing.assert_array_equal(side.dense(), dense)  # it is left as it was


@given(factors)
def test_sparse_factors_have_no_fault_and_can_be_put_together(dense):
    side = SparseFactors.of(dense)
    assert side.fault() is None
    assert side.nonzero_share == pytest.approx(np.mean(dense != 0))
    np.testing.assert_array_equal(SparseFactors.concatenated([side, side]).dense(), np.vstack([dense, dense]))


FAULTS = {
    "no pointers": ([], [], [], "begin with 0"),
    "a first pointer": ([1, 2], [0], [1], "begin with 0"),
    "falling pointers": ([0, 2, 1], [0], [1], "do not ascend"),
    # The differences wrap around and look like steps up.
    "wrapping pointers": ([0, 2**62, -(2**63), -(2**62), 1], [0], [1], "do not ascend"),
    "too few values": ([0, 2], [0, 1], [1], "2 components and 1 values; expected 2"),
    "a component too many": ([0, 1], [3], [1], "component 3 of 3"),
    "a component twice": ([0, 2], [1, 1], [1, 1], "components of a row do not ascend"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_that_do_not_fit_together_are_told(fault):
    indptr, components, values, message = FAULTS[fault]
    side = SparseFactors(
        np.array(indptr, np.int64), np.array(components, np.uint16), np.array(values, np.float32), 3
    )
    assert message in side.fault()


def test_sparse_factors_of_both_sides_answer_as_dense_ones_do():
    dense = Factors.unbiased(drawn(9), drawn(7, seed=1))
    sparse = Factors.unbiased(dense.users.factors.sparse(), dense.items.factors.sparse())
    new, rows, order = SideFactors.of(drawn(2, seed=2)), np.array([3, 0]), np.array([5, 1, 0, 2, 4, 3])
    assert sparse.rank == dense.rank == 6
    assert sparse.nonzero_share == dense.nonzero_share
    for change in (
        lambda factors: factors.users.select(rows),
        lambda factors: factors.users.append(new),
        lambda factors: factors.users.replace_rows(rows, new),
        lambda factors: factors.in_order(order).users,
        lambda factors: factors.transposed.users,
        lambda factors: factors.users.copy(),
    ):
        np.testing.assert_array_equal(change(sparse).factors.dense(), change(dense).factors.dense())
    pattern = matrices.rows_of(matrices.random_matrix(9, 7))
    shares = [
        explained_shares(pattern, factors.users.factors, factors.items.factors) for factors in (sparse, dense)
    ]
    np.testing.assert_allclose(*shares, rtol=1e-6)
    pairs = np.array([0, 3, 8]), np.array([6, 0, 2])
    np.testing.assert_array_equal(sparse.predictions(*pairs), dense.predictions(*pairs))


@pytest.mark.parametrize(("share", "is_sparse"), [(0.2, True), (0.9, False)])
def test_factors_are_stored_as_they_take_less_room(share, is_sparse):
    sparse = Factors.unbiased(*(SparseFactors.of(drawn(30, share=share, seed=seed)) for seed in (0, 1)))
    stored = sparse.as_stored()
    assert stored.users.factors.is_sparse == stored.items.factors.is_sparse == is_sparse
    np.testing.assert_array_equal(stored.user_factors, sparse.user_factors)


def test_components_that_are_zero_on_both_sides_are_seen_and_begin_again():
    users, items = np.ones((4, 3), dtype=np.float32), np.ones((5, 3), dtype=np.float32)
    users[:, 1:], items[:, 2] = 0, 0
    factors = Factors.unbiased(users, items)
    assert factors.empty_components.tolist() == [False, False, True]
    fresh = Factors.unbiased(np.full_like(users, 7), np.full_like(items, 7))
    restarted = factors.restarted(factors.empty_components, fresh)
    assert restarted.user_factors[0].tolist() == [1, 0, 7]
    assert restarted.item_factors[0].tolist() == [1, 1, 7]


@pytest.mark.parametrize(("share", "is_sparse"), [(0.05, True), (0.3, False)])
def test_scores_go_by_the_faster_kernel_and_are_the_same_bits(share, is_sparse):
    users, items = drawn(20, 40, 0.3), drawn(300, 40, share, seed=1)
    offsets = np.linspace(0, 1, 20, dtype=np.float32), np.linspace(0, 1, 300, dtype=np.float32)
    dense, sparse = (Scorer(kind(items), offsets[1]) for kind in (DenseFactors, SparseFactors.of))
    assert not dense.is_sparse
    assert sparse.is_sparse == is_sparse
    for scorer in (dense, sparse):
        for side in (DenseFactors(users), SparseFactors.of(users)):
            expected = dense(DenseFactors(users), offsets[0])
            np.testing.assert_array_equal(scorer(side, offsets[0]), expected)
