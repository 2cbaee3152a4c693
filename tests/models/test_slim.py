import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.models.slim import SLIM
from tests.matrices import random_matrix

TRAIN = Interactions.from_matrix(random_matrix(60, 25, density=0.3), feedback="implicit")


def plain(**params):
    """Return a model without weights by activity or popularity: the problem of the paper."""
    return SLIM(user_exponent=0, item_exponent=0, target_exponent=0, tol=1e-6, max_iter=500, **params)


def binary():
    return np.minimum(TRAIN.by_user.to_scipy().toarray(), 1.0)


def test_scores_are_histories_times_weights():
    model = SLIM(5).fit(TRAIN)
    expected = binary() @ model.weights_.to_scipy().toarray()
    np.testing.assert_allclose(model.score_block(np.arange(60)), expected, rtol=1e-5, atol=1e-6)


def test_without_exponents_it_solves_the_problem_of_the_paper():
    x, b = binary(), plain(l2=2.0).fit(TRAIN).weights_.to_scipy().toarray().astype(np.float64)
    slopes = x.T @ (x - x @ b) - 2.0 * b
    outside = ~np.eye(25, dtype=bool)
    assert np.abs(slopes[(b > 0) & outside]).max() < 1e-2
    assert slopes[(b == 0) & outside].max() < 1e-2


def test_exponents_weigh_rows_and_columns_and_are_taken_back():
    params = {"user_exponent": 0.3, "item_exponent": 0.4, "target_exponent": 0.1}
    model = SLIM(l2=1.0, tol=1e-6, max_iter=500, **params).fit(TRAIN)
    x = binary()
    activity, popularity = x.sum(axis=1), np.maximum(x.sum(axis=0), 1)
    weighted = x * ((activity / activity.mean()) ** -0.3)[:, None] * popularity**-0.4
    b = model.weights_.to_scipy().toarray() * (popularity**0.4)[:, None] * popularity ** (0.1 - 0.4)
    slopes = weighted.T @ (weighted - weighted @ b) - b
    outside = ~np.eye(25, dtype=bool)
    assert np.abs(slopes[(b > 0) & outside]).max() < 1e-3
    assert slopes[(b == 0) & outside].max() < 1e-3


def test_an_item_has_at_most_so_many_neighbors():
    for n_neighbors in (1, 3, 1000):
        by_target = SLIM(n_neighbors).fit(TRAIN).weights_.transposed()
        assert by_target.counts.max() <= min(n_neighbors, 24)


def test_parts_of_past_items_add_up_to_the_score():
    model = SLIM(value_transform="log").fit(TRAIN)
    for user in (0, 7):
        scores = model.score_block(np.array([user]))[0]
        for item in (0, 11):
            parts = model.score_parts(user, [item])
            assert parts.past_items.tolist() == TRAIN.by_user.row(user)[0].tolist()
            assert parts.from_past.min() >= 0
            assert parts.totals[0] == pytest.approx(scores[item], rel=1e-6)


def test_a_new_user_with_the_history_of_another_gets_the_same_scores():
    model = SLIM().fit(TRAIN)
    np.testing.assert_array_equal(model.score_histories(TRAIN.by_user), model.score_block(np.arange(60)))


def test_an_item_whose_users_all_have_another_is_led_by_it():
    matrix = np.full((40, 6), np.nan)
    generator = np.random.default_rng(0)
    matrix[generator.random((40, 6)) < 0.2] = 1
    matrix[:20, 0] = matrix[:20, 1] = 1
    model = plain(l2=0.1).fit(Interactions.from_matrix(matrix, feedback="implicit"))
    weights = model.weights_.to_scipy().toarray()
    assert weights[0].argmax() == 1
    assert weights[1].argmax() == 0


@pytest.mark.parametrize("matrix", [np.ones((1, 5)), np.ones((5, 1)), np.ones((6, 6))])
def test_users_all_alike_get_finite_scores(matrix):
    scores = SLIM().fit(Interactions.from_matrix(matrix, feedback="implicit")).score_block(np.array([0]))
    assert np.isfinite(scores).all()


def test_counts_of_a_million_and_raw_amounts_fit():
    matrix = random_matrix(30, 10) * 1e6
    for value_transform in ("raw", "log"):
        model = SLIM(value_transform=value_transform).fit(
            Interactions.from_matrix(matrix, feedback="implicit")
        )
        assert np.isfinite(model.score_block(np.arange(30))).all()
        assert model.weights_.nnz
