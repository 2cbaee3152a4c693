"""What the estimators of the whole matrix share with `MaskedNMF`."""

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.models.poisson_nmf import PoissonNMF
from recsys.models.weighted_nmf import WeightedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import ABSENT, random_matrix
from tests.models.test_contract import assert_same

KINDS = {
    "weighted": lambda **params: WeightedNMF(**({"n_components": 3, "l2": 0.2} | params)),
    "exponents": lambda **params: WeightedNMF(
        **(
            {
                "n_components": 3,
                "l2": 0.2,
                "confidence": "log",
                "user_exponent": 0.4,
                "item_exponent": 0.3,
                "item_unobserved_exponent": 0.5,
                "l2_exponent": 0.5,
            }
            | params
        )
    ),
    "any sign": lambda **params: WeightedNMF(
        **({"n_components": 3, "l2": 0.2, "nonnegative": False} | params)
    ),
    "poisson": lambda **params: PoissonNMF(**({"n_components": 3, "value_transform": "raw"} | params)),
}


@pytest.fixture(params=KINDS)
def new(request):
    return KINDS[request.param]


def data():
    return random_matrix(40, 25, density=0.3)


def scores(model):
    return model.score_block(np.arange(model.n_users_))


def test_fold_in_of_the_users_fitted_is_what_the_fit_ends_at(new):
    # A last half sweep of the users moves them little once all has settled.
    model = new(max_iter=800, tol=1e-9).fit(data())
    rows = Interactions.from_matrix(data()).by_user
    np.testing.assert_allclose(model.score_histories(rows), scores(model), atol=0.02 * scores(model).max())
    one = model.score_histories(rows.select(np.array([4])))
    np.testing.assert_array_equal(one[0], model.score_histories(rows)[4])


def test_a_loaded_model_folds_in_alike(new, tmp_path):
    train = Interactions.from_matrix(data(), feedback="implicit")
    model = new().fit(train)
    save_bundle(Bundle.of(model, train), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    np.testing.assert_array_equal(loaded.transform(data()), model.transform(data()))


@pytest.mark.parametrize("init", ["random", "nndsvd"])
def test_by_validation_the_model_is_fitted_as_often_as_was_best(new, init):
    model = new(validation_share=0.2, patience=2, max_iter=30, tol=0.0, init=init).fit(data())
    history = model.history_
    assert all(0 <= error <= 1 for error in history.validation)
    assert history.n_iter == history.best_iter
    again = new(max_iter=history.n_iter, tol=0.0, init=init).fit(data())
    np.testing.assert_array_equal(model.item_factors_, again.item_factors_)


def test_several_starts_differ_and_tell_stability(new):
    model = new(n_init=3).fit(data())
    if model.has_themes:
        assert model.stability_.shape == (3,)
    else:
        assert model.stability_ is None
    assert_same(model, new(n_init=3).fit(data()))


def test_a_custom_start_goes_on_where_a_fit_ended(new):
    before = new(max_iter=20, tol=0.0).fit(data())
    model = new(init="custom", max_iter=1).fit(data(), W=before.user_factors_, H=before.components_)
    warm = new(max_iter=20, tol=0.0, warm_start=True).fit(data()).set_params(max_iter=1).fit(data())
    further = new(max_iter=21, tol=0.0).fit(data())
    for found in (model, warm):
        assert found.history_.objective[0] == pytest.approx(further.history_.objective[-1], rel=1e-3)


def test_a_small_enough_gradient_stops_the_fit(new):
    model = new(gradient_tol=0.05, tol=0.0, max_iter=2000).fit(data())
    assert model.history_.stopped == "gradient"


def test_untouched_rows_keep_their_bits_and_new_ones_are_learned(new):
    model, before = new().fit(data()), new().fit(data())
    entries = np.full((41, 25), ABSENT)
    entries[4, 5], entries[40, 5], entries[40, 6] = 1, 2, 3
    model.partial_fit(entries)
    others, items = np.setdiff1d(np.arange(40), [4]), np.setdiff1d(np.arange(25), [5, 6])
    np.testing.assert_array_equal(model.user_factors_[others], before.user_factors_[others])
    np.testing.assert_array_equal(model.item_factors_[items], before.item_factors_[items])
    assert model.user_factors_[40].any()
    assert (model.item_factors_[5] != before.item_factors_[5]).any()


def test_after_enough_passes_over_everything_it_is_as_good_as_a_full_fit(new):
    whole = data()
    known, late = whole.copy(), np.full(whole.shape, ABSENT)
    known[:5, :5], late[:5, :5] = ABSENT, whole[:5, :5]
    model = new(max_iter=50).fit(known).partial_fit(late, reach="all", passes=150)
    full = new(max_iter=150, tol=0.0).fit(whole)
    assert model.history_.objective[-1] == pytest.approx(full.history_.objective[-1], rel=0.05)


def test_known_data_of_other_people_is_refused_after_loading(new, tmp_path):
    pairs = (["a", "a", "b"], ["x", "y", "x"], [5, 3, 4])
    train, other = (Interactions.from_pairs(*pairs, feedback="implicit"), None)
    other = Interactions.from_pairs(["c", "c", "d"], *pairs[1:], feedback="implicit")
    save_bundle(Bundle.of(new().fit(train), train), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    with pytest.raises(InputError, match="of other users or items"):
        loaded.partial_fit(train, known=other)
    loaded.partial_fit(train, known=train)


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1e6, ABSENT, 1.0], [ABSENT, 1e6, 1.0]]),
        np.where(np.eye(5) > 0, 3.0, 0.0),
        np.full((4, 3), 2.0),
        np.array([[1.0, 2.0, 3.0]]),
        np.array([[1.0], [2.0]]),
        np.vstack([np.zeros((2, 4)), np.ones((2, 4))]),
    ],
    ids=["large counts", "zeros", "equal", "one user", "one item", "rows of zeros"],
)
def test_odd_data_gives_finite_scores(new, matrix):
    assert np.isfinite(scores(new().fit(matrix))).all()
    assert np.isfinite(scores(KINDS["weighted"](confidence="linear").fit(matrix))).all()


def test_an_l1_penalty_on_factors_of_any_sign_is_refused():
    with pytest.raises(ParameterError, match="an l1 penalty needs non-negative factors"):
        WeightedNMF(nonnegative=False, user_l1=0.1).fit(data())


@pytest.mark.parametrize(("sign", "l1"), [(True, 0.03), (False, 0.0)])
def test_the_l1_penalty_follows_the_sign_where_it_is_not_given_and_the_config_shows_it(sign, l1):
    config = WeightedNMF(3, nonnegative=sign).fit(data()).config()
    assert (config["user_l1"], config["item_l1"]) == (l1, l1)


def test_factors_of_any_sign_are_lower_in_the_objective_and_have_no_themes():
    bound, free = (
        WeightedNMF(8, l2=0.2, nonnegative=sign, max_iter=300).fit(data()) for sign in (True, False)
    )
    assert free.history_.objective[-1] < bound.history_.objective[-1]
    assert free.item_factors_.min() < 0
    assert bound.has_themes
    assert not free.has_themes


def test_a_bundle_of_an_older_version_ranks_but_does_not_fold_in():
    model = WeightedNMF(3).fit(data())
    arrays = {key: array for key, array in model.to_arrays().items() if key not in ("levels", "item_entries")}
    old = WeightedNMF(3)
    old.restore(arrays)
    old.fitted_params_ = model.fitted_params_
    np.testing.assert_array_equal(scores(old), scores(model))
    with pytest.raises(ModelError, match="train it again"):
        old.transform(data())
    assert WeightedNMF.current_config({"l1": 0.5}) == {"user_l1": 0.5, "item_l1": 0.5}
