"""Ratings below 0: taken where they are counted from a mean, from the lowest or not at all, else refused."""

import numpy as np
import pytest

from recsys import Interactions
from recsys.data.held_out import HeldOut
from recsys.data.log import Log
from recsys.errors import InputError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import MODELS, make, models_of_any_sign

QUICK = {
    "bayesian-nmf": {"n_chains": 1, "n_burn_in": 10, "n_draws": 40, "n_components": 2},
    "masked-nmf": {"n_components": 2},
    "explicit-als": {"n_components": 2},
    "hybrid-nmf": {"n_components": 2},
    "weighted-nmf": {"n_components": 2},
    "poisson-nmf": {"n_components": 2},
    "als": {"n_components": 2},
    "bpr": {"n_components": 2},
    "pure-svd": {"n_components": 2},
    "zero-filled-nmf": {"n_components": 2},
}
OF_VALUES = ("masked-nmf", "explicit-als", "bias")


def jokes(lowest: float = -10, seed: int = 0) -> Interactions:
    """Return ratings on a scale of 20 steps that begins at ``lowest``, in halves, none of them 0."""
    generator = np.random.default_rng(seed)
    pairs = np.argwhere(generator.random((60, 25)) < 0.4)
    ratings = np.clip(np.round(generator.normal(0, 5, len(pairs))), -9, 10) - 0.5
    ratings[0] = -10  # so that the lowest of the scale is there
    return Interactions.from_pairs(pairs[:, 0], pairs[:, 1], ratings + 10 + lowest)


def fitted(name: str, data: Interactions, **params):
    return make(name, QUICK.get(name, {}) | params).fit(data)


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_takes_them_or_says_which_models_do(name):
    data = jokes()
    if make(name).takes_negative:
        model = fitted(name, data)
        scores = model.score_block(np.arange(data.n_users))
        assert np.isfinite(scores).all()
        assert np.ptp(scores) > 0
        if model.folds_in:
            assert np.isfinite(model.score_histories(data.by_user)).all()
        if model.predicts_values:
            predicted = model.predict_by_row(data.by_user.row_numbers, data.by_user.columns)
            assert predicted.min() < 0  # not cut off at 0
    else:
        with pytest.raises(InputError, match=r"Negative values .* learn .*masked-nmf.*popularity"):
            fitted(name, data)


def test_those_that_take_them_are_the_usual_ones():
    usual = {"masked-nmf", "bayesian-nmf", "hybrid-nmf", "explicit-als", "bias", "popularity", "item-knn"}
    assert usual <= set(models_of_any_sign())
    assert "zero-filled-nmf" not in models_of_any_sign()


@pytest.mark.parametrize("name", OF_VALUES)
@pytest.mark.parametrize("lowest", [-10, -1000])
def test_another_zero_of_the_scale_moves_predictions_by_as_much(name, lowest):
    """Mean and biases are the base, so that only differences of ratings count."""
    users, items = np.repeat(np.arange(60), 25), np.tile(np.arange(25), 60)
    moved, plain = (fitted(name, jokes(start)).predict_by_row(users, items) for start in (lowest, 1))
    np.testing.assert_allclose(moved - lowest, plain - 1, atol=0.02)


@pytest.mark.parametrize("name", ["item-knn", "slim"])
@pytest.mark.parametrize("transform", ["raw", "log"])
def test_neighbors_count_ratings_from_the_lowest_one(name, transform):
    below, above = (fitted(name, jokes(lowest), value_transform=transform) for lowest in (-10, 0))
    users = np.arange(60)
    np.testing.assert_allclose(below.score_block(users), above.score_block(users), rtol=1e-4, atol=1e-5)
    new, same = (jokes(lowest, seed=1).by_user for lowest in (-10, 0))
    np.testing.assert_allclose(below.score_histories(new), above.score_histories(same), rtol=1e-4, atol=1e-5)
    again = make(name, below.config())
    again.load(below.to_arrays())
    np.testing.assert_array_equal(again.score_histories(new), below.score_histories(new))
    assert below.base_ == again.base_ == -10
    assert "base" not in above.to_arrays()  # a bundle of other logs is what it was


@pytest.mark.parametrize("name", ["hybrid-nmf", "slim", "weighted-nmf", "als", "popularity"])
def test_models_of_lists_count_whatever_is_not_zero(name):
    below, above = (fitted(name, jokes(lowest)) for lowest in (-10, 1))
    users = np.arange(60)
    np.testing.assert_array_equal(below.score_block(users), above.score_block(users))


def test_plain_nmf_and_grown_confidences_refuse_them():
    for name, params in (
        ("masked-nmf", {"biases": False}),
        ("weighted-nmf", {"confidence": "linear"}),
        ("als", {"confidence": "log"}),
        ("poisson-nmf", {"value_transform": "raw"}),
        ("pure-svd", {"value_transform": "log"}),
    ):
        with pytest.raises(InputError, match=r"-10: Negative values in data are nothing"):
            fitted(name, jokes(), **params)


def test_updates_and_histories_are_checked_as_fits_are():
    plain = fitted("masked-nmf", jokes(1), biases=False)
    with pytest.raises(InputError, match="Negative values"):
        plain.partial_fit(jokes(-10))
    with pytest.raises(InputError, match="Negative values"):
        plain.transform(np.full((1, 25), -1.0))
    based = fitted("masked-nmf", jokes(-10))
    assert based.transform(np.full((1, 25), -1.0)).shape == (1, 2)
    assert based.partial_fit(jokes(-12, seed=1)).value_range_[0] == -12


def test_amounts_below_zero_are_refused_wherever_they_come_in():
    for given in (
        lambda: Interactions.from_pairs([1], [1], [-1.0], feedback="implicit"),
        lambda: Interactions.from_matrix(np.array([[1.0, -1.0]]), feedback="implicit"),
        lambda: make("weighted-nmf").fit(np.array([[1.0, -1.0], [1.0, 1.0]])),
    ):
        with pytest.raises(InputError, match=r"value -1 .* is negative. .* say feedback='explicit'"):
            given()


def test_a_hit_that_was_disliked_gains_nothing():
    train = Interactions.from_pairs([1, 1, 2, 2, 3], [1, 2, 1, 2, 1], [5.0, -5.0, 4.0, 3.0, 2.0])
    held = HeldOut.from_log(Log.from_pairs([3], [2], [-4.0]), None, train)
    model = make("popularity").fit(train)
    measured = evaluate(model, train.by_user, held, parse_metrics("ndcg@1,graded-ndcg@1"))
    assert measured.metrics["ndcg@1"] == 1
    assert measured.metrics["graded-ndcg@1"] is None  # not defined: there was nothing to gain
