import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.models.baselines.pure_svd import PureSVD
from tests.matrices import random_matrix


def entries(n_users, n_items, seed=0):
    return np.nan_to_num(random_matrix(n_users, n_items, density=0.3, seed=seed))


@pytest.mark.parametrize("shape", [(150, 90), (90, 150), (30, 50)])  # the last is decomposed whole
def test_scores_are_those_of_the_bare_library(shape):
    matrix = entries(*shape)
    u, s, vt = svds(sparse.csr_array(matrix), k=6)
    model = PureSVD(6, value_transform="raw").fit(sparse.csr_array(matrix))
    np.testing.assert_allclose(model.singular_values_, s[::-1], rtol=1e-9)
    np.testing.assert_allclose(model.score_block(np.arange(shape[0])), u * s @ vt, atol=1e-4)


def test_vectors_are_orthonormal_and_their_largest_loading_is_positive():
    factors = PureSVD(6).fit(entries(150, 90)).item_factors_
    np.testing.assert_allclose(factors.T @ factors, np.eye(6), atol=1e-5)
    assert np.all(factors.max(axis=0) >= -factors.min(axis=0))


def test_more_components_than_singular_values_are_zeros():
    model = PureSVD(8).fit(sparse.csr_array(np.kron(np.eye(2), np.ones((4, 3)))))
    assert model.item_factors_.shape == (6, 8)
    assert np.count_nonzero(np.abs(model.item_factors_).sum(axis=0)) == 2
    np.testing.assert_allclose(model.score_block(np.array([0]))[0], [1, 1, 1, 0, 0, 0], atol=1e-6)


def test_equal_singular_values_make_no_fit_unlike_another():
    # Forty blocks alike: the leading vectors are any basis of their span.
    matrix = sparse.csr_array(np.kron(np.eye(40), np.ones((3, 3))))
    one, two = (PureSVD(5).fit(matrix) for _ in range(2))
    np.testing.assert_array_equal(one.item_factors_, two.item_factors_)
