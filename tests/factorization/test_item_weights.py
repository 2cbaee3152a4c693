import numpy as np
import pytest
from scipy.optimize import nnls

from recsys.data.rows import CompressedRows
from recsys.factorization import item_weights, neighbor_problem
from recsys.factorization.item_weights import ItemRegression
from recsys.progress import SILENT
from tests.matrices import random_matrix, rows_of


def weights_of(matrix, n_neighbors=100, l1=0.0, l2=1.0, max_iter=2000, tol=1e-7):
    regression = ItemRegression(n_neighbors, l1, l2, max_iter, tol)
    return regression.fit(rows_of(matrix), SILENT).to_scipy().toarray().T.astype(np.float64)


@pytest.mark.parametrize("l1", [0.0, 2.0])
def test_weights_meet_the_conditions_of_the_optimum(l1):
    matrix = random_matrix(50, 20, density=0.3)
    x, b = np.nan_to_num(matrix), weights_of(matrix, l1=l1)
    slopes = x.T @ (x - x @ b) - b - l1  # minus the gradient
    outside = ~np.eye(20, dtype=bool)
    assert np.abs(slopes[(b > 0) & outside]).max() < 1e-2
    assert slopes[(b == 0) & outside].max() < 1e-2
    assert (b > 0).sum() > 20


def test_an_item_does_not_explain_itself_and_no_weight_is_negative():
    b = weights_of(random_matrix(30, 10))
    assert np.diagonal(b).max() == 0
    assert b.min() >= 0


def test_weights_are_those_of_nonnegative_least_squares():
    matrix = random_matrix(40, 8, density=0.5)
    x, b = np.nan_to_num(matrix), weights_of(matrix, l2=1e-3)
    others = np.arange(1, 8)
    stacked = np.vstack([x[:, others], np.sqrt(1e-3) * np.eye(7)])
    expected, _ = nnls(stacked, np.r_[x[:, 0], np.zeros(7)])
    np.testing.assert_allclose(b[others, 0], expected, atol=1e-3)


def test_a_planted_item_is_the_sum_of_the_two_it_was_made_of():
    generator = np.random.default_rng(0)
    x = (generator.random((200, 12)) < 0.3).astype(float)
    x[:, 11] = x[:, 3] + x[:, 7]
    b = weights_of(np.where(x > 0, x, np.nan), l2=1e-3)
    assert b[[3, 7], 11] == pytest.approx([1, 1], abs=0.01)
    assert np.delete(b[:, 11], [3, 7]).max() < 0.01


def test_permuted_users_give_the_same_weights_and_permuted_items_permuted_ones():
    matrix = random_matrix(40, 15)
    expected = weights_of(matrix)
    order = np.random.default_rng(1).permutation(40)
    np.testing.assert_allclose(weights_of(matrix[order]), expected, atol=1e-4)
    items = np.random.default_rng(2).permutation(15)
    np.testing.assert_allclose(weights_of(matrix[:, items]), expected[np.ix_(items, items)], atol=1e-4)


def test_blocks_of_targets_change_no_bit_and_the_head_only_the_order_of_sweeps(monkeypatch):
    matrix = random_matrix(60, 40, density=0.2)
    expected = weights_of(matrix, n_neighbors=10)
    monkeypatch.setattr(item_weights, "_BLOCK", 7)
    np.testing.assert_array_equal(weights_of(matrix, n_neighbors=10), expected)
    for n_head in (1, 13):
        monkeypatch.setattr(neighbor_problem, "N_HEAD", n_head)
        np.testing.assert_allclose(weights_of(matrix, n_neighbors=10), expected, atol=1e-5)


def test_items_that_nobody_has_and_items_without_company_get_no_weights():
    matrix = np.full((3, 4), np.nan)
    matrix[0, 0] = matrix[1, 1] = matrix[2, 1] = 1.0
    assert not weights_of(matrix).any()


def test_one_item_has_no_neighbor():
    rows = CompressedRows(np.array([0, 1]), np.array([0]), np.array([1.0]), 1)
    assert ItemRegression(5, 0.0, 1.0, 10, 0.0).fit(rows, SILENT).nnz == 0
