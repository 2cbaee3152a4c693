import numpy as np
import pandas as pd
import pytest

from recsys import IterationCallback
from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import ModelError, ParameterError
from recsys.models.bayesian_nmf import BayesianNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.logs import log_of
from tests.matrices import random_matrix

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
    predicted = model.predict_by_row(*np.nonzero(is_held_out))
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
    np.testing.assert_allclose(model.predict_by_row(users, items), expected, rtol=1e-5)


def test_what_is_unknown_counts_as_average(model):
    draws, everyone = model.draws_, np.arange(N_USERS)
    mean = draws.mean + draws.user_bias.mean() + draws.item_bias[:, 5].mean()
    mean += np.mean(draws.user_factors @ draws.item_factors[:, 5, :, None])
    assert model.predict_by_row([-1], [5])[0] == pytest.approx(mean, rel=1e-5)
    assert model.predict_by_row([-1], [5])[0] == pytest.approx(
        model.predict_by_row(everyone, np.full(N_USERS, 5)).mean(), rel=0.05
    )
    anything = model.predict_by_row(np.repeat(everyone, N_ITEMS), np.tile(np.arange(N_ITEMS), N_USERS))
    assert model.predict_by_row([-1], [-1])[0] == pytest.approx(anything.mean(), rel=0.05)


def test_another_seed_gives_another_chain_with_nearly_the_same_answer(model, planted):
    other = new(random_state=1).fit(planted[0])
    at = np.nonzero(planted[2])
    assert not np.array_equal(other.user_factors_, model.user_factors_)
    assert np.sqrt(np.mean((other.predict_by_row(*at) - model.predict_by_row(*at)) ** 2)) < 0.5 * NOISE


@pytest.mark.parametrize("scale", [1e-20, 1e20])
def test_the_unit_of_the_values_does_not_matter(model, planted, scale):
    other = new().fit(planted[0] * scale)
    at = np.nonzero(planted[2])
    assert (
        np.sqrt(np.mean((other.predict_by_row(*at) / scale - model.predict_by_row(*at)) ** 2)) < 0.5 * NOISE
    )


def test_what_was_rated_at_all_tells_of_users_whose_ratings_say_nothing():
    """Two kinds of users rate different items, all with 3, and each likes what the other does not."""
    n_each, n_items, n_silent = 40, 10, 10
    kind, place = np.divmod(np.arange(2 * n_each), n_each)
    matrix = np.full((2 * n_each, 4 * n_items), np.nan)
    for user in range(2 * n_each):
        matrix[user, kind[user] * n_items : (kind[user] + 1) * n_items] = 3.0
        if place[user] >= n_silent:
            matrix[user, 2 * n_items :] = np.repeat([1.0, 5.0] if kind[user] else [5.0, 1.0], n_items)
    model = new().fit(matrix)
    is_right = []
    for user in np.nonzero(place < n_silent)[0]:
        rated = model.predict_by_row(np.full(2 * n_items, user), np.arange(2 * n_items, 4 * n_items))
        of_groups = rated.reshape(2, n_items).mean(axis=1)
        is_right.append(of_groups.argmax() == kind[user])
    assert np.mean(is_right) >= 0.95  # 0.8 without the signal


def test_each_user_has_a_noise_of_their_own():
    draw = np.random.default_rng(0)
    noise = np.where(np.arange(120) < 60, 0.2, 1.0)
    truth = draw.gamma(1.0, 1.0, (120, 2)) @ draw.gamma(1.0, 1.0, (2, 60)) + 4.0
    values = truth + noise[:, None] * draw.standard_normal(truth.shape)
    is_seen = draw.random(truth.shape) < 0.5
    model = new().fit(np.where(is_seen, values, np.nan))
    for quiet_or_loud in (noise == 0.2, noise == 1.0):
        found = np.sqrt(model.draws_.noise[quiet_or_loud])
        assert np.median(found) == pytest.approx(noise[quiet_or_loud][0], rel=0.25)
        held_out = np.nonzero(~is_seen & quiet_or_loud[:, None])
        low, high = model.predict_interval(*held_out)
        assert 0.85 <= np.mean((low <= values[held_out]) & (values[held_out] <= high)) <= 0.96


@pytest.mark.parametrize("name", ["draws_user_factors", "draws_item_factors", "user_noise"])
def test_negative_factors_and_variances_are_not_restored(model, name):
    arrays = model.to_arrays()
    damaged = arrays[name].copy()
    damaged.flat[-1] = -1e-3
    with pytest.raises(ModelError, match="is negative; expected numbers of 0 or more"):
        new().restore(arrays | {name: damaged})


@pytest.mark.parametrize(
    "name", ["draws_user_factors", "draws_item_factors", "draws_user_bias", "draws_item_bias", "user_noise"]
)
def test_arrays_that_do_not_fit_together_are_not_restored(model, name):
    arrays = model.to_arrays()
    with pytest.raises(ModelError, match="the arrays have shapes"):
        new().restore(arrays | {name: arrays[name][:-1]})


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
    model = BayesianNMF(n_chains=1, n_draws=300).fit(data)
    assert min(model.user_factors_.min(), model.item_factors_.min()) >= 0
    errors = model.predict_by_row(held_out.users, held_out.items) - held_out.values
    assert np.sqrt(np.mean(errors**2)) < 0.9  # masked-nmf, tuned, has 0.9184 on this fold
    low, high = model.predict_interval(held_out.users, held_out.items)
    assert 0.85 <= np.mean((low <= held_out.values) & (held_out.values <= high)) <= 0.95


def test_themes_are_of_equal_norm_on_both_sides(model):
    for w, h in zip(model.draws_.user_factors, model.draws_.item_factors, strict=True):
        np.testing.assert_allclose(np.linalg.norm(w, axis=0), np.linalg.norm(h, axis=0), rtol=1e-4)


@pytest.mark.parametrize("change", [{"n_chains": 1}, {"n_kept": 24}])
def test_draws_that_are_not_those_of_the_parameters_are_not_restored(model, change):
    other = BayesianNMF(**{**model.get_params(), **change})
    with pytest.raises(ModelError, match="draws"):
        other.restore(model.to_arrays())


@pytest.mark.parametrize(
    ("name", "value"), [("value_range", np.array([5.0, 1.0])), ("shares", np.full(4, -0.25))]
)
def test_a_range_or_shares_that_cannot_be_are_not_restored(model, name, value):
    with pytest.raises(ModelError):
        BayesianNMF(**model.get_params()).restore({**model.to_arrays(), name: value})


@pytest.mark.parametrize(
    ("after", "kept"), [(7, {"n_chains": 1, "n_kept": 2}), (25, {"n_chains": 2, "n_kept": 4})]
)
def test_an_interrupt_keeps_the_draws_so_far(tmp_path, after, kept):
    """Of the first chain what there is, and then whole chains: each has 2 + 8 sweeps and keeps 4 draws."""
    data = Interactions.from_matrix(random_matrix(12, 9, density=0.6))
    n_done = []

    def interrupt(iteration):
        n_done.append(iteration)
        if len(n_done) == after:
            raise KeyboardInterrupt

    params = {"n_components": 2, "n_burn_in": 2, "n_draws": 8, "n_chains": 4, "n_kept": 4}
    model = BayesianNMF(**params)
    with pytest.raises(KeyboardInterrupt):
        model.fit(data, progress=IterationCallback(interrupt))
    assert model.history.stopped == "interrupted"
    whole = BayesianNMF(**params).fit(data)
    n = kept["n_chains"] * kept["n_kept"]
    assert model.draws_.user_bias.tobytes() == whole.draws_.user_bias[:n].tobytes()
    assert {name: model.config()[name] for name in kept} == kept
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    np.testing.assert_array_equal(loaded.score_block(np.arange(12)), model.score_block(np.arange(12)))


def test_an_interrupt_before_the_first_draw_keeps_nothing():
    def interrupt(_):
        raise KeyboardInterrupt

    model = BayesianNMF(n_components=2, n_burn_in=2, n_draws=8)
    with pytest.raises(KeyboardInterrupt):
        model.fit(Interactions.from_matrix(random_matrix(6, 5)), progress=IterationCallback(interrupt))
    assert not model.is_fitted


@pytest.mark.parametrize("scale", [3e38, 1e38, 1e30, 1e-30, 1e-38])
@pytest.mark.parametrize("seed", [0, 1])
def test_values_at_the_ends_of_single_precision_give_finite_answers_or_are_refused(scale, seed):
    rng = np.random.default_rng(seed)
    values = (rng.random((12, 9)) * scale).astype(np.float32).astype(np.float64)
    values[rng.random(values.shape) < 0.4] = np.nan
    model = BayesianNMF(3, n_chains=2, n_burn_in=3, n_draws=6, n_kept=3, random_state=seed)
    try:
        model.fit(values)
    except ModelError as error:
        refused = str(error)
    else:
        refused = ""
        arrays = [*model.to_arrays().values(), model.score_block(np.arange(12))]
        assert all(np.isfinite(array).all() for array in arrays)
        assert np.isfinite(model.predict_by_row(np.arange(9), np.arange(9))).all()
    assert refused == "" if scale < 1e37 else "beyond single precision" in refused or refused == ""
