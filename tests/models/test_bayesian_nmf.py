import numpy as np
import pandas as pd
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import ParameterError
from recsys.models.bayesian_nmf import BayesianNMF
from tests.logs import log_of

N_USERS, N_ITEMS, RANK, NOISE = 150, 80, 2, 0.3


def new(**params):
    return BayesianNMF(n_components=4, n_chains=2, n_burn_in=100, n_draws=100, n_kept=25, **params)


@pytest.fixture(scope="module")
def planted():
    """Return noisy sums of two themes, seen to two fifths, and the rest held out."""
    draw = np.random.default_rng(0)
    truth = draw.gamma(1.0, 1.0, (N_USERS, RANK)) @ draw.gamma(1.0, 1.0, (RANK, N_ITEMS)) + 1.0
    values = np.maximum(truth + NOISE * draw.standard_normal(truth.shape), 0)
    is_seen = draw.random(truth.shape) < 0.4
    return np.where(is_seen, values, np.nan), values, ~is_seen


@pytest.fixture(scope="module")
def model(planted):
    return new().fit(planted[0])


def test_planted_values_are_found_to_the_noise(model, planted):
    _, values, is_held_out = planted
    predicted = model.predict(*np.nonzero(is_held_out))
    assert np.sqrt(np.mean((predicted - values[is_held_out]) ** 2)) < 1.3 * NOISE
    assert np.sqrt(model.draws_.noise.mean()) == pytest.approx(NOISE, rel=0.1)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_hold_as_many_values_as_they_say(model, planted, level):
    _, values, is_held_out = planted
    low, high = model.predict_interval(*np.nonzero(is_held_out), level=level)
    share = np.mean((low <= values[is_held_out]) & (values[is_held_out] <= high))
    assert share == pytest.approx(level, abs=0.05)


def test_every_draw_is_non_negative_and_means_are_theirs(model):
    draws = model.draws_
    assert draws.user_factors.shape == (50, N_USERS, 4)
    assert draws.user_factors.min() >= 0
    assert draws.item_factors.min() >= 0
    np.testing.assert_allclose(model.item_factors_, draws.item_factors[:25].mean(axis=0), rtol=1e-5)
    users, items = np.array([3, 7]), np.array([5, 0])
    by_hand = [
        draws.mean + b[users] + a[items] + np.sum(w[users] * h[items], axis=1)
        for w, h, b, a in zip(
            draws.user_factors, draws.item_factors, draws.user_bias, draws.item_bias, strict=True
        )
    ]
    expected = np.clip(np.mean(by_hand, axis=0), *model.value_range_)
    np.testing.assert_allclose(model.predict(users, items), expected, rtol=1e-5)


def test_another_seed_gives_another_chain_with_nearly_the_same_answer(model, planted):
    other = new(random_state=1).fit(planted[0])
    at = np.nonzero(planted[2])
    assert not np.array_equal(other.user_factors_, model.user_factors_)
    assert np.sqrt(np.mean((other.predict(*at) - model.predict(*at)) ** 2)) < 0.5 * NOISE


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_the_unit_of_the_values_does_not_matter(model, planted, scale):
    other = new().fit(planted[0] * scale)
    at = np.nonzero(planted[2])
    assert np.sqrt(np.mean((other.predict(*at) / scale - model.predict(*at)) ** 2)) < 0.5 * NOISE


@pytest.mark.parametrize("level", [0, 1, 1.5])
def test_a_level_that_is_no_probability_is_refused(model, level):
    with pytest.raises(ParameterError, match="between 0 and 1"):
        model.predict_interval([0], [0], level=level)


@pytest.mark.slow
def test_ratings_of_movielens(shared_data):
    train, test = (
        pd.read_parquet(shared_data / "ml-100k" / f"u1_{part}.parquet") for part in ("train", "test")
    )
    data = Interactions.from_pairs(train.user.to_numpy(), train.item.to_numpy(), train.rating.to_numpy())
    log = log_of(list(test[["user", "item", "rating"]].assign(time=0).itertuples(index=False, name=None)))
    held_out = HeldOut.from_log(log, None, data)
    model = BayesianNMF().fit(data)
    errors = model.predict(held_out.users, held_out.items) - held_out.values
    assert np.sqrt(np.mean(errors**2)) < 0.915  # masked-nmf, tuned, has 0.9184 on this fold
    low, high = model.predict_interval(held_out.users, held_out.items)
    assert 0.85 <= np.mean((low <= held_out.values) & (held_out.values <= high)) <= 0.95
