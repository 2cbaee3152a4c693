import numpy as np
import pandas as pd
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.models.masked_nmf import MaskedNMF
from tests.matrices import random_matrix


@pytest.fixture
def model():
    return MaskedNMF(n_components=3, l2=0.1, max_iter=50)


def test_transform_of_the_training_data_is_what_was_fitted(model):
    matrix = random_matrix(20, 12, density=0.6)
    fitted = model.set_params(max_iter=500, tol=0.0).fit_transform(matrix)
    np.testing.assert_array_equal(fitted, model.user_factors_)
    np.testing.assert_allclose(model.transform(matrix), fitted, atol=1e-2)


def test_inverse_transform_is_the_part_of_the_prediction_that_themes_make(model):
    model.fit(random_matrix(20, 12))
    products = model.inverse_transform(model.user_factors_)
    biases = model.mean_ + model.user_bias_[:, None] + model.item_bias_
    np.testing.assert_allclose(products + biases, model.score_block(np.arange(20)), rtol=1e-5)


@pytest.mark.parametrize("n_items", [11, 13])
def test_transform_refuses_a_matrix_of_other_items(model, n_items):
    model.fit(random_matrix(20, 12))
    with pytest.raises(InputError, match=f"{n_items} .*expected 12"):
        model.transform(np.ones((1, n_items)))


def test_predictions_fall_back_on_what_is_known(model):
    model.fit(random_matrix(20, 12))
    users, items = np.array([4, -1, 4, -1]), np.array([7, 7, -1, -1])
    both = model.score_block(np.array([4]))[0, 7]
    expected = [
        both,
        model.mean_ + model.item_bias_[7],
        model.mean_ + model.user_bias_[4],
        model.mean_,
    ]
    np.testing.assert_allclose(model.set_params(clip=False).predict(users, items), expected, rtol=1e-6)


def test_without_biases_the_unknown_gets_the_mean_of_the_values(model):
    matrix = random_matrix(20, 12)
    model.set_params(biases=False).fit(matrix)
    predicted = model.predict(np.array([-1, 4, -1]), np.array([7, -1, -1]))
    np.testing.assert_allclose(predicted, np.nanmean(matrix), rtol=1e-6)


@pytest.mark.parametrize(("level", "beyond"), [(5, 7), (1, -1)])
def test_predictions_stay_inside_the_values_seen_unless_told_not_to(level, beyond):
    # The first user and the first item each stand apart by 2; together they leave the range.
    model = MaskedNMF(n_components=1, l2=1e3, bias_l2=0.0, clip=False, tol=0.0)
    model.fit([[np.nan, level], [level, 3]])
    cell = np.array([0]), np.array([0])
    assert model.predict(*cell) == pytest.approx(beyond, abs=1e-3)
    assert model.set_params(clip=True).predict(*cell) == level


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([20], [0], "a user row is outside -1 to 19"),
        ([-2], [0], "a user row is outside -1 to 19"),
        ([0], [12], "an? item row is outside -1 to 11"),
        ([0, 1], [0], "2 users and 1 items; expected pairs"),
    ],
)
def test_pairs_outside_the_training_data_are_refused(model, users, items, message):
    model.fit(random_matrix(20, 12))
    with pytest.raises(InputError, match=message):
        model.predict(np.array(users), np.array(items))


def test_a_stored_zero_is_a_rating_of_zero():
    matrix = random_matrix(20, 12)
    cell = tuple(np.argwhere(np.isnan(matrix))[0])
    model = MaskedNMF(n_components=2, l2=0.1)
    absent = model.fit(matrix).predict(*np.array(cell)[:, None])
    matrix[cell] = 0
    assert model.fit(matrix).predict(*np.array(cell)[:, None]) < absent - 0.2


def test_ratings_of_an_official_fold_are_predicted(shared_data):
    # A mean with user and item biases alone, the floor of this fold, reaches 0.953.
    train, test = (
        pd.read_parquet(shared_data / "ml-100k" / f"u1_{part}.parquet") for part in ("train", "test")
    )
    data = Interactions.from_pairs(
        train["user"].to_numpy(), train["item"].to_numpy(), train["rating"].to_numpy()
    )
    model = MaskedNMF(n_components=8, l2=0.1, max_iter=30).fit(data)
    users = data.user_ids.rows(test["user"].to_numpy())
    items = data.item_ids.rows(test["item"].to_numpy())
    error = model.predict(users, items) - test["rating"].to_numpy()
    assert np.sqrt(np.mean(error**2)) < 0.94
