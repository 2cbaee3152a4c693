import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.head_gram import head_gram
from recsys.kernels.slim import fit_neighbors
from tests.matrices import observed_matrices, random_matrix, rows_of
from tests.reference import head_gram as reference_gram
from tests.reference import slim as reference


def both_sides(rows):
    columns = rows.transposed()
    return rows.indptr, rows.columns, rows.values, columns.indptr, columns.columns, columns.values


def dense(matrix):
    return np.nan_to_num(matrix).astype(np.float32)


def positive(matrix):
    """Return the matrix without its zeros, which the kernels never see."""
    return np.where(np.nan_to_num(matrix) > 0, matrix, np.nan)


def head_of(matrix, n_head):
    n_items = matrix.shape[1]
    head = np.arange(n_items, dtype=np.int32)[::-1][:n_head].copy()
    places = np.full(n_items, -1, dtype=np.int32)
    places[head] = np.arange(len(head))
    gram = np.full((len(head), len(head)), np.nan, dtype=np.float32)
    head_gram(head, places, *both_sides(rows_of(matrix)), gram)
    return head, places, gram


def fitted(matrix, n_head, n_candidates=3, l1=0.0, l2=1.0, max_iter=4, tol=0.0, n_shares=2, most_items=1000):
    n_items = matrix.shape[1]
    _, places, gram = head_of(matrix, n_head)
    norms = np.sqrt((dense(matrix).astype(np.float64) ** 2).sum(axis=0))
    neighbors = np.full((n_items, n_candidates), -1, dtype=np.int32)
    weights = np.full((n_items, n_candidates), np.nan, dtype=np.float32)
    n_neighbors, n_sweeps = (np.full(n_items, -1, dtype=np.int32) for _ in range(2))
    fit_neighbors(
        np.arange(n_items, dtype=np.int32),
        n_shares,
        *both_sides(rows_of(matrix)),
        np.where(norms > 0, norms, 1.0),
        places,
        gram,
        most_items,
        l1,
        l2,
        max_iter,
        tol,
        neighbors,
        weights,
        n_neighbors,
        n_sweeps,
    )
    return neighbors, weights, n_neighbors, n_sweeps


@given(observed_matrices(), st.integers(0, 9))
def test_the_head_holds_the_inner_products_of_its_columns(matrix, n_head):
    matrix = positive(matrix)
    head, _, gram = head_of(matrix, n_head)
    np.testing.assert_allclose(gram, reference_gram.head_gram(dense(matrix), head), rtol=1e-6)


@given(
    observed_matrices(),
    st.integers(0, 9),
    st.sampled_from([0.0, 0.7]),
    st.integers(1, 9),
    st.sampled_from([1000, 2, 0]),
)
@example(np.full((3, 4), 2.0), 2, 0.0, 2, 1000)  # all alike: equals fall to the lower number
def test_weights_are_those_of_the_naive_twin_whatever_the_head(matrix, n_head, l1, n_candidates, most_items):
    matrix = positive(matrix)
    neighbors, weights, n_neighbors, n_sweeps = fitted(
        matrix, n_head, n_candidates, l1, most_items=most_items
    )
    head = head_of(matrix, n_head)[0].tolist()
    for target in range(matrix.shape[1]):
        chosen, expected = reference.fit_neighbors(
            dense(matrix), head, target, n_candidates, l1, 1.0, 4, most_items
        )
        size = n_neighbors[target]
        assert neighbors[target, :size].tolist() == chosen
        np.testing.assert_allclose(weights[target, :size], expected, rtol=1e-4, atol=1e-5)
        assert n_sweeps[target] <= 4


def test_it_stops_when_no_weight_moves():
    _, _, _, n_sweeps = fitted(random_matrix(30, 12), 6, n_candidates=8, max_iter=500, tol=1e-4)
    assert n_sweeps.max() < 100


@pytest.mark.parametrize("n_shares", [1, 3, 50])
def test_bits_depend_neither_on_threads_nor_on_shares(n_shares):
    matrix = random_matrix(60, 40, density=0.2)
    expected = fitted(matrix, 10, n_candidates=12)
    for n_threads in (1, 2):
        with threads.use(n_threads):
            for ours, theirs in zip(fitted(matrix, 10, 12, n_shares=n_shares), expected, strict=True):
                np.testing.assert_array_equal(ours, theirs)
