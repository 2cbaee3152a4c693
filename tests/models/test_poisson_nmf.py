import numpy as np
import pytest
from scipy.linalg import block_diag

from recsys.errors import InputError
from recsys.models.poisson_nmf import PoissonNMF
from tests.matrices import ABSENT, random_matrix


def groups():
    matrix = block_diag(np.ones((12, 3)), np.ones((4, 8)), np.ones((6, 5)))
    return np.where(matrix == 0, ABSENT, matrix)


def test_mixtures_sum_to_one_and_make_distributions_over_items():
    matrix = random_matrix(30, 20)
    matrix[7] = ABSENT
    model = PoissonNMF(4, max_iter=1000, tol=1e-8)
    fitted = model.fit_transform(matrix)
    new = model.transform(matrix)
    for mixtures in (fitted, new):
        np.testing.assert_allclose(mixtures.sum(axis=1), 1, rtol=1e-5)
        assert mixtures.min() >= 0
        np.testing.assert_allclose(model.inverse_transform(mixtures).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(model.inverse_transform(new), model.inverse_transform(fitted), atol=0.01)
    np.testing.assert_allclose(model.distributions_.sum(axis=1), 1, rtol=1e-5)
    # Who did nothing is a mixture as everybody together is.
    everyone = model.score_block(np.arange(30)).sum(axis=0)
    np.testing.assert_allclose(model.inverse_transform(new[7:8])[0], everyone / everyone.sum(), rtol=1e-3)


def test_expected_amounts_add_up_to_the_amounts_of_each_user():
    matrix = random_matrix(30, 20)
    model = PoissonNMF(4, value_transform="raw", max_iter=1000, tol=1e-9).fit(matrix)
    scores = model.score_block(np.arange(30))
    np.testing.assert_allclose(scores.sum(axis=1), np.nansum(matrix, axis=1), rtol=1e-3)
    np.testing.assert_allclose(scores.sum(axis=0), np.nansum(matrix, axis=0), rtol=1e-3)


def test_each_group_gets_a_theme_of_its_own():
    model = PoissonNMF(3, n_init=3, validation_share=0.1).fit(groups())
    mixtures = model.transform(groups())
    assert mixtures.max(axis=1).min() > 0.99
    assert len(set(mixtures.argmax(axis=1)[[0, 12, 16]])) == 3


@pytest.mark.parametrize("transform", ["binary", "log", "raw"])
def test_amounts_count_by_their_transform(transform):
    matrix = random_matrix(20, 12)
    one, more = (
        PoissonNMF(3, value_transform=transform).fit(x) for x in (matrix, np.where(matrix == 5, 1e6, matrix))
    )
    same = np.array_equal(one.user_factors_, more.user_factors_)
    assert same == (transform == "binary")
    assert np.isfinite(more.score_block(np.arange(20))).all()


def test_a_weight_of_zero_leaves_an_entry_out_and_two_counts_it_twice():
    matrix = random_matrix(20, 12)
    weights = np.random.default_rng(0).choice([0.0, 1.0, 2.0], matrix.shape)
    expected = np.where(weights > 0, weights * matrix, ABSENT)
    one = PoissonNMF(3, value_transform="raw").fit(matrix, entry_weight=weights)
    two = PoissonNMF(3, value_transform="raw").fit(expected)
    np.testing.assert_array_equal(one.item_factors_, two.item_factors_)


def test_a_penalty_makes_themes_sparse():
    plain, sparse = (PoissonNMF(5, item_l1=l1).fit(random_matrix(40, 30)) for l1 in (0.0, 5.0))
    assert np.mean(sparse.item_factors_ == 0) > np.mean(plain.item_factors_ == 0)


def test_amounts_that_are_all_zero_are_refused():
    with pytest.raises(InputError, match="all values are 0"):
        PoissonNMF().fit(np.zeros((2, 2)))
