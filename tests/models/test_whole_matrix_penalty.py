"""The rule for the penalty of models of the whole matrix, and the defaults of ALS and weighted NMF by it."""

import numpy as np
import pytest
from hypothesis import given

from recsys.data.interactions import Interactions
from recsys.models.baselines.als import ALS
from recsys.models.weighted_nmf import WeightedNMF
from recsys.models.whole_matrix_penalty import whole_matrix_l2
from tests.matrices import observed_matrices, random_matrix


def log(is_entry):
    return Interactions.from_matrix(np.where(is_entry, 1.0, np.nan), feedback="implicit")


def circulant(n_users, n_items, of_user):
    """Return a matrix in which every user has as many entries, and every item."""
    matrix = np.zeros((n_users, n_items), dtype=bool)
    for user in range(n_users):
        matrix[user, (user + np.arange(of_user)) % n_items] = True
    return matrix


def test_the_rule_is_what_its_formula_says():
    rows = log(circulant(400, 100, 36)).by_user  # 36 entries a user, 144 an item
    assert whole_matrix_l2(rows, least=1.0, factor=0.5) == pytest.approx(0.5 * (6 + 12))
    assert whole_matrix_l2(rows, least=11.0, factor=0.5) == 11.0
    assert whole_matrix_l2(rows, least=1e6, factor=0.5) == pytest.approx(0.5 * np.sqrt(36 * 144))


@given(observed_matrices())
def test_the_bound_is_never_more_than_half_the_largest_singular_value(matrix):
    rows = Interactions.from_matrix(matrix, feedback="implicit").by_user
    pattern = rows.with_values(np.ones(rows.nnz, dtype=np.float32)).to_scipy().toarray()
    largest = np.linalg.svd(pattern, compute_uv=False).max()
    assert 0 < whole_matrix_l2(rows, least=1e6, factor=1.0) <= 0.5 * largest * (1 + 1e-6)


@pytest.mark.parametrize(
    "matrix",
    [np.eye(6), np.ones((1, 4)), np.ones((5, 1)), np.ones((1, 1)), circulant(8, 8, 2), np.ones((30, 20))],
    ids=["own-item", "one-user", "one-item", "one-entry", "circle", "full"],
)
@pytest.mark.parametrize("make", [ALS, WeightedNMF])
def test_no_log_is_fitted_by_zeros(make, matrix):
    model = make(4).fit(log(np.asarray(matrix, dtype=bool)))
    scores = model.score_block(np.arange(len(matrix)))
    assert scores[np.asarray(matrix, dtype=bool)].max() > 0.05


def test_the_defaults_of_als_follow_the_log():
    config = ALS(2).fit(log(circulant(400, 100, 36))).config()
    assert config["weight"] == pytest.approx(400 / 36)
    assert config["l2"] == pytest.approx(400 / 36 * 9)
    assert ALS(2).fit(log(circulant(60, 30, 5))).config()["weight"] == 20
    assert ALS(2).fit(log(np.ones((40, 400), dtype=bool))).config()["weight"] == 1.5


def test_given_values_of_als_are_kept():
    config = ALS(2, l2=0.3, weight=7.0).fit(log(circulant(60, 30, 5))).config()
    assert (config["l2"], config["weight"]) == (0.3, 7.0)
    assert ALS(2, weight=2.0).fit(log(circulant(60, 30, 5))).config()["l2"] == pytest.approx(
        2.0 * 0.5 * np.sqrt(5 * 10)
    )


def test_new_users_of_als_are_folded_in_with_what_the_fit_used():
    data = log(~np.isnan(random_matrix(60, 25)))
    ruled = ALS(4).fit(data)
    given_same = ALS(4, l2=ruled.config()["l2"], weight=ruled.config()["weight"]).fit(data)
    new = log(~np.isnan(random_matrix(5, 25, seed=1))).by_user
    np.testing.assert_array_equal(ruled.score_histories(new), given_same.score_histories(new))


def test_the_penalty_of_weighted_nmf_grows_with_entries_of_items_too():
    few, many = (log(circulant(n_users, 100, 20)) for n_users in (100, 2000))
    assert WeightedNMF(2, max_iter=1).fit(few).config()["l2"] == 4.5
    assert WeightedNMF(2, max_iter=1).fit(many).config()["l2"] == pytest.approx(
        0.45 * (np.sqrt(20) + np.sqrt(400))
    )
