"""How fits of `MaskedNMF` begin and end."""

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.weighted_nmf import WeightedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.listeners import RaisingAt
from tests.matrices import random_matrix
from tests.models.test_contract import assert_same


def planted(noise=0.3, *, seed=0):
    """Three themes and noise: there is something to learn, and then something to learn by heart."""
    chance = np.random.default_rng(seed)
    truth = chance.gamma(0.5, size=(80, 3)) @ chance.gamma(0.5, size=(3, 50))
    noisy = np.maximum(truth + noise * chance.standard_normal(truth.shape), 0)
    return np.where(chance.random(truth.shape) < 0.3, noisy, np.nan)


def new(**params):
    return MaskedNMF(
        **({"n_components": 4, "biases": False, "l2": 0.01, "tol": 0.0, "max_iter": 60} | params)
    )


def test_by_validation_the_model_is_fitted_to_all_entries_as_often_as_was_best():
    model = new(validation_share=0.2, patience=3).fit(planted())
    history = model.history_
    assert history.stopped == "validation"
    assert history.n_iter == history.best_iter == len(history.validation) - 3
    again = new(max_iter=history.best_iter).fit(planted())
    np.testing.assert_array_equal(model.item_factors_, again.item_factors_)
    assert model.config()["validation_share"] == 0.2
    assert model.stability_ is None


@pytest.mark.parametrize("loss", ["squared", "kl"])
def test_the_best_of_several_starts_is_kept_and_stability_is_told(loss, tmp_path):
    data = Interactions.from_matrix(planted())
    model = new(n_init=4, patience=3, loss=loss).fit(data)
    # Random starts are told apart by their number; the first is that of a single fit.
    single = new(validation_share=0.1, patience=3, loss=loss).fit(data)
    assert min(model.history_.validation) <= min(single.history_.validation)
    assert model.config()["validation_share"] == 0.1
    assert model.validation_share == 0.0
    assert model.stability_.shape == (4,)
    assert np.all((model.stability_ >= 0) & (model.stability_ <= 1))
    assert_same(new(n_init=4, patience=3, loss=loss).fit(data), model)
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    np.testing.assert_array_equal(loaded.stability_, model.stability_)
    assert loaded.history_ == model.history_
    with pytest.raises(ModelError, match=r"array 'stability' has shape \(3,\); expected \(4,\)"):
        new().restore(model.to_arrays() | {"stability": model.stability_[:3]})


def test_themes_that_are_there_are_stable_and_what_is_made_of_noise_is_not():
    chance = np.random.default_rng(0)
    blocks = np.kron(np.eye(3), np.ones((1, 20))) * chance.gamma(2.0, size=(1, 60))
    users = chance.gamma(0.3, size=(90, 3))
    noisy = np.maximum(users @ blocks + 0.1 * chance.standard_normal((90, 60)), 0)
    matrix = np.where(chance.random(noisy.shape) < 0.5, noisy, np.nan)
    noise = np.where(np.isnan(matrix), np.nan, chance.random(matrix.shape))
    there, not_there = (
        new(n_components=3, n_init=4, max_iter=200).fit(values).stability_ for values in (matrix, noise)
    )
    assert there.min() > 0.95 > not_there.max()


def test_a_small_enough_gradient_stops_the_fit():
    model = new(gradient_tol=0.01, max_iter=1000).fit(planted())
    assert model.history_.stopped == "gradient"
    further = new(gradient_tol=0.001, max_iter=1000).fit(planted())
    assert model.n_iter_ < further.n_iter_ < 1000


def test_a_time_limit_stops_the_fit():
    model = new(time_limit=1e-9).fit(planted())
    assert model.history_.stopped == "time"
    assert model.n_iter_ == 1
    validated = new(time_limit=1e-9, n_init=3).fit(planted())
    assert validated.history_.stopped == "time"
    assert validated.stability_ is None


def interrupted(model, data, n_sweeps):
    with pytest.raises(KeyboardInterrupt):
        model.fit(data, progress=RaisingAt(n_sweeps, KeyboardInterrupt))
    return model


def test_an_interrupt_leaves_a_fitted_model_and_goes_its_way(tmp_path):
    data = Interactions.from_matrix(planted())
    model = interrupted(new(), data, 5)
    assert model.history_.stopped == "interrupted"
    whole = new(max_iter=5).fit(data).to_arrays()
    for name, array in model.to_arrays().items():
        np.testing.assert_array_equal(array, whole[name])
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    assert load_bundle(tmp_path / "model").model.history_.stopped == "interrupted"
    # Nothing of it is left in the next fit.
    assert_same(model.set_params(max_iter=5).fit(data), new(max_iter=5).fit(data))


def test_an_interrupt_of_a_weighted_fit_leaves_a_fitted_model():
    data = Interactions.from_matrix(random_matrix(30, 20), feedback="implicit")
    model = interrupted(WeightedNMF(3, tol=0.0), data, 2)
    assert model.history_.n_iter == 2
    np.testing.assert_array_equal(
        model.item_factors_, WeightedNMF(3, tol=0.0, max_iter=2).fit(data).item_factors_
    )


def test_an_interrupt_during_validation_keeps_the_best_state():
    whole = new(validation_share=0.2, patience=3).fit(planted())
    n_best = whole.history_.best_iter
    model = interrupted(new(validation_share=0.2, patience=3), planted(), n_best + 2)
    assert model.history_.best_iter == model.history_.n_iter == n_best
    sooner = interrupted(new(validation_share=0.2, patience=3), planted(), n_best)
    np.testing.assert_array_equal(model.item_factors_, sooner.item_factors_)


def test_a_warm_start_goes_on_where_the_last_fit_ended():
    data = Interactions.from_matrix(planted())
    model = new(max_iter=10, warm_start=True)
    ends = [model.fit(data).history_.objective[-1] for _ in range(3)]
    whole = new(max_iter=30).fit(data).history_.objective
    # Not to the last digit: a fit ends by ordering its themes, and sweeps take them in their order.
    np.testing.assert_allclose(ends, [whole[9], whole[19], whole[29]], rtol=0.01)
    assert new(max_iter=10).fit(data).fit(data).history_.objective[-1] == pytest.approx(whole[9])


def test_a_warm_start_with_biases_goes_on_too():
    data = Interactions.from_matrix(random_matrix(30, 20))
    model = new(max_iter=10, warm_start=True, biases=True)
    ends = [model.fit(data).history_.objective[-1] for _ in range(2)]
    assert ends[1] == pytest.approx(new(max_iter=20, biases=True).fit(data).history_.objective[-1], rel=0.01)
    # Without biases from then on: what they were is no part of the start.
    model.set_params(biases=False).fit(data)
    assert not model.user_bias_.any()
    assert model.mean_ == 0


@pytest.mark.parametrize(
    ("change", "shape"), [({"n_components": 3}, (80, 50)), ({}, (79, 50)), ({}, (80, 51))]
)
def test_a_warm_start_from_another_shape_is_refused(change, shape):
    model = new(warm_start=True).fit(planted())
    with pytest.raises(InputError, match="warm_start: the model is of 80 users, 50 items and 4 components"):
        model.set_params(**change).fit(random_matrix(*shape))
