import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file
from scipy import sparse
from sklearn.decomposition import NMF

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ParameterError
from recsys.files import sha256
from recsys.models.masked_nmf import MaskedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix, rows_of


@pytest.fixture
def model():
    return MaskedNMF(n_components=3, l2=0.1, max_iter=50)


def test_transform_of_the_training_data_is_what_was_fitted(model):
    matrix = random_matrix(20, 12, density=0.6)
    fitted = model.set_params(max_iter=500, tol=0.0).fit_transform(matrix)
    np.testing.assert_array_equal(fitted, model.user_factors_)
    np.testing.assert_allclose(model.transform(matrix), fitted, atol=1e-2)


@pytest.mark.parametrize("biases", [True, False])
def test_inverse_transform_ranks_as_lists_do(model, biases):
    model.set_params(biases=biases).fit(random_matrix(20, 12))
    new = random_matrix(6, 12, seed=1)
    scores = model.inverse_transform(model.transform(new))
    expected = model.score_histories(rows_of(new))
    np.testing.assert_array_equal(np.argsort(scores, axis=1), np.argsort(expected, axis=1))
    factors = np.asarray(model.transform(new), dtype=np.float64)
    naive = model.mean_ + model.item_bias_ + factors @ model.components_
    np.testing.assert_allclose(scores, naive, rtol=1e-5)
    whole = model.inverse_transform(model.user_factors_, user_bias=model.user_bias_)
    np.testing.assert_array_equal(whole, model.score_block(np.arange(20)))


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("clip", [True, False])
def test_a_completed_matrix_keeps_what_is_observed_and_predicts_the_rest(model, biases, clip):
    model.set_params(biases=biases, clip=clip).fit(random_matrix(20, 12))
    new = random_matrix(6, 12, seed=1)
    new[4] = np.nan
    filled = model.complete(new)
    observed = ~np.isnan(new)
    np.testing.assert_array_equal(filled[observed], new[observed].astype(np.float32))
    predicted = model.score_histories(rows_of(new))
    if not biases:
        predicted[4] = model.typical_value_
    if clip:
        predicted = np.clip(predicted, *model.value_range_)
    np.testing.assert_array_equal(filled[~observed], predicted[~observed])
    np.testing.assert_array_equal(model.complete(rows_of(new).to_scipy()), filled)


@pytest.mark.parametrize(
    ("factors", "options", "message"),
    [
        (np.ones((2, 4)), {}, r"W has shape \(2, 4\); expected \(any, 3\)"),
        (np.ones(3), {}, r"W has shape \(3,\)"),
        ([["a"] * 3], {}, "W is no array of numbers"),
        (np.full((1, 3), np.nan), {}, "W holds a number that is not finite"),
        (np.ones((2, 3)), {"user_bias": [1.0]}, r"user_bias has shape \(1,\); expected \(2\)"),
    ],
)
def test_factors_that_do_not_fit_are_refused(model, factors, options, message):
    model.fit(random_matrix(20, 12))
    with pytest.raises(InputError, match=message):
        model.inverse_transform(factors, **options)


@pytest.mark.parametrize("n_items", [11, 13])
def test_transform_refuses_a_matrix_of_other_items(model, n_items):
    model.fit(random_matrix(20, 12))
    with pytest.raises(InputError, match=f"X has {n_items} features, but MaskedNMF is expecting 12 features"):
        model.transform(np.ones((1, n_items)))


def test_transform_gives_zeros_to_users_with_nothing(model):
    matrix = random_matrix(4, 12)
    matrix[1] = np.nan
    model.fit(random_matrix(20, 12))
    assert not model.transform(matrix)[1].any()
    assert not model.transform(np.full((2, 12), np.nan)).any()
    assert model.transform(matrix)[0].any()


def test_transform_refuses_interactions(model):
    data = Interactions.from_matrix(random_matrix(20, 12))
    with pytest.raises(InputError, match="columns of its own"):
        model.fit(data).transform(data)


def test_fit_transform_and_names_of_columns_are_those_of_scikit_learn(model):
    matrix = random_matrix(20, 12)
    np.testing.assert_array_equal(model.fit_transform(matrix), model.user_factors_)
    assert list(model.get_feature_names_out()) == ["maskednmf0", "maskednmf1", "maskednmf2"]
    assert model.n_features_in_ == 12
    assert model.n_iter_ == model.history_.n_iter > 1
    for name in ("n_features_in_", "n_iter_"):
        assert not hasattr(MaskedNMF(), name)


@pytest.mark.parametrize(("loss", "beta_loss"), [("squared", "frobenius"), ("kl", "kullback-leibler")])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.3])
def test_without_gaps_the_problem_is_that_of_scikit_learn(loss, beta_loss, l1_ratio):
    """The table in the docstring: the same penalties, the same objective, much the same minimum."""
    generator = np.random.default_rng(0)
    matrix = generator.gamma(1.0, size=(30, 3)) @ generator.gamma(1.0, size=(3, 20)) + 0.1
    alpha = 0.02
    theirs = NMF(
        3, init="nndsvda", solver="cd" if loss == "squared" else "mu", beta_loss=beta_loss,
        alpha_W=alpha, alpha_H=alpha, l1_ratio=l1_ratio, max_iter=5000, tol=1e-9,
    )  # fmt: skip
    W = theirs.fit_transform(matrix)
    H = theirs.components_
    ours = MaskedNMF(
        3, loss=loss, init="custom", biases=False, l2=alpha * (1 - l1_ratio), l2_exponent=1.0,
        user_l1=alpha * l1_ratio * 20, item_l1=alpha * l1_ratio * 30, max_iter=5000, tol=1e-9,
    )  # fmt: skip

    def objective(W, H):
        product = W @ H
        if loss == "squared":
            fit = 0.5 * np.sum((matrix - product) ** 2)
        else:
            fit = np.sum(matrix * np.log(matrix / product) - matrix + product)
        squares = 0.5 * alpha * (1 - l1_ratio) * (20 * np.sum(W**2) + 30 * np.sum(H**2))
        return fit + squares + alpha * l1_ratio * (20 * W.sum() + 30 * H.sum())

    # What we call the objective is theirs, and from their minimum there is nowhere much to go.
    ours.fit(matrix, W=W, H=H)
    assert 0.99 * objective(W, H) < ours.history_.objective[-1] < 1.0001 * objective(W, H)
    found = objective(ours.user_factors_.astype(float), ours.components_.astype(float))
    assert found == pytest.approx(ours.history_.objective[-1], rel=1e-4)


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
    np.testing.assert_allclose(model.set_params(clip=False).predict_by_row(users, items), expected, rtol=1e-6)


def test_without_biases_the_unknown_gets_the_mean_of_the_values(model):
    matrix = random_matrix(20, 12)
    model.set_params(biases=False).fit(matrix)
    predicted = model.predict_by_row(np.array([-1, 4, -1]), np.array([7, -1, -1]))
    np.testing.assert_allclose(predicted, np.nanmean(matrix), rtol=1e-6)


@pytest.mark.parametrize(("level", "beyond"), [(5, 7), (1, -1)])
def test_predictions_stay_inside_the_values_seen_unless_told_not_to(level, beyond):
    # The first user and the first item each stand apart by 2; together they leave the range.
    model = MaskedNMF(n_components=1, l2=1e3, bias_l2=0.0, clip=False, tol=0.0)
    model.fit([[np.nan, level], [level, 3]])
    cell = np.array([0]), np.array([0])
    assert model.predict_by_row(*cell) == pytest.approx(beyond, abs=1e-3)
    assert model.set_params(clip=True).predict_by_row(*cell) == level


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        ([20], [0], "user rows run from .*; expected -1 to 19"),
        ([-2], [0], "user rows run from .*; expected -1 to 19"),
        ([0], [12], "item rows run from 12 to 12; expected -1 to 11"),
        ([0, 1], [0], "2 users and 1 items; expected pairs"),
        (["0"], [0], "user rows are .*; expected whole numbers .*calls that take ids|Bundle"),
        ([0], [1.0], "item rows are .*; expected whole numbers"),
        ([[0]], [0], "user rows are"),
    ],
)
def test_pairs_outside_the_training_data_are_refused(model, users, items, message):
    model.fit(random_matrix(20, 12))
    with pytest.raises(InputError, match=message):
        model.predict_by_row(np.array(users), np.array(items))


@pytest.mark.parametrize("loss", ["squared", "kl"])
def test_gaps_of_planted_ratings_are_resolved_params(loss):
    generator = np.random.default_rng(0)
    truth = generator.gamma(1.0, size=(60, 2)) @ generator.gamma(1.0, size=(2, 40))
    hidden = generator.random(truth.shape) < 0.4
    model = MaskedNMF(2, loss=loss, biases=False, l2=1e-4, max_iter=2000, tol=1e-8)
    filled = model.inverse_transform(model.fit_transform(np.where(hidden, np.nan, truth)))
    assert np.sqrt(np.mean((filled - truth)[hidden] ** 2)) < 0.05 * truth.std()


def test_penalties_of_one_side_make_that_side_sparse():
    matrix = random_matrix(40, 30)
    plain, of_users, of_items = (
        MaskedNMF(4, l2=0.01, tol=0.0, **penalty).fit(matrix)
        for penalty in ({}, {"user_l1": 3.0}, {"item_l1": 3.0})
    )
    zeros = {
        name: [np.mean(side == 0) for side in (model.user_factors_, model.item_factors_)]
        for name, model in (("plain", plain), ("users", of_users), ("items", of_items))
    }
    assert zeros["users"][0] > zeros["plain"][0] + 0.1
    assert zeros["items"][1] > zeros["plain"][1] + 0.1


@pytest.mark.parametrize("loss", ["squared", "kl"])
def test_entry_weights(loss):
    matrix = random_matrix(30, 20)
    observed = ~np.isnan(matrix)
    weights = np.random.default_rng(0).choice([0.0, 0.5, 3.0], matrix.shape)
    params = {"n_components": 3, "loss": loss, "biases": loss == "squared", "l2": 0.1}
    dense = MaskedNMF(**params).fit(matrix, entry_weight=weights)
    pattern = sparse.csr_array((weights[observed], np.nonzero(observed)), shape=matrix.shape)
    in_sparse = MaskedNMF(**params).fit(matrix, entry_weight=pattern)
    np.testing.assert_array_equal(in_sparse.item_factors_, dense.item_factors_)
    # An entry of weight 0 is as good as missing; what is not observed needs no weight.
    without = np.where(weights > 0, matrix, np.nan)
    left_out = MaskedNMF(**params).fit(without, entry_weight=np.where(np.isnan(without), np.nan, weights))
    np.testing.assert_array_equal(left_out.item_factors_, dense.item_factors_)
    assert left_out.mean_ == dense.mean_
    if loss == "squared":
        assert dense.mean_ == pytest.approx(np.average(matrix[observed], weights=weights[observed]))
    plain = MaskedNMF(**params).fit(matrix)
    ones = MaskedNMF(**params).fit(matrix, entry_weight=np.ones(matrix.shape))
    np.testing.assert_allclose(ones.item_factors_, plain.item_factors_, rtol=1e-3, atol=1e-3)
    assert abs(dense.item_factors_ - plain.item_factors_).max() > 0.01


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((3, 2)), r"shape \(3, 2\); expected \(2, 2\)"),
        (sparse.csr_array(np.ones((3, 2))), r"shape \(3, 2\); expected \(2, 2\)"),
        (np.array([[1.0, -1.0], [1.0, 1.0]]), "negative or not finite"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), "negative or not finite"),
        (np.array([[1.0, 1e39], [1.0, 1.0]]), "beyond single precision"),
        (sparse.csr_array(np.array([[1.0, 0.0], [1.0, 1.0]])), "stores 3 entries at other places"),
        (np.zeros((2, 2)), "all entry weights are 0"),
        ([["a", 1], [1, 1]], "no table of numbers"),
    ],
)
def test_entry_weights_that_do_not_fit_are_refused(weights, message):
    with pytest.raises(InputError, match=message):
        MaskedNMF(1).fit(np.array([[1.0, 2.0], [3.0, 4.0]]), entry_weight=weights)


@pytest.mark.parametrize("params", [{"loss": "kl"}, {"n_init": 2, "init": "nndsvd"}, {"init": "custom"}])
def test_parameters_that_contradict_each_other_are_refused(params):
    with pytest.raises(ParameterError, match=r"masked-nmf: .*(set biases=False|set n_init=1|give both with)"):
        MaskedNMF(2, **params).fit(random_matrix(6, 5))


@pytest.mark.parametrize("given", [{"W": np.ones((6, 2))}, {"W": np.ones((6, 2)), "H": np.ones((2, 5))}])
def test_factors_given_without_a_custom_start_are_refused(given):
    with pytest.raises(ParameterError, match=r"init is 'random' and [12] of W and H are given"):
        MaskedNMF(2).fit(random_matrix(6, 5), **given)


def test_a_custom_start_is_where_the_fit_begins():
    matrix = random_matrix(20, 12)
    before = MaskedNMF(3, max_iter=20, tol=0.0, biases=False).fit(matrix)
    model = MaskedNMF(3, init="custom", max_iter=1, biases=False)
    model.fit(matrix, W=before.user_factors_, H=before.components_)
    further = MaskedNMF(3, max_iter=21, tol=0.0, biases=False).fit(matrix)
    assert model.history_.objective[0] == pytest.approx(further.history_.objective[-1], rel=1e-4)


def test_an_nndsvd_start_begins_lower_than_a_random_one():
    generator = np.random.default_rng(0)
    truth = generator.gamma(0.3, size=(60, 4)) @ generator.gamma(0.3, size=(4, 40))
    matrix = np.where(generator.random(truth.shape) < 0.5, truth, np.nan)
    first = [
        MaskedNMF(4, init=init, max_iter=2, biases=False).fit(matrix).history_.objective[0]
        for init in ("nndsvd", "random")
    ]
    assert first[0] < first[1]


def test_a_bundle_of_an_older_version_is_read(tmp_path):
    data = Interactions.from_matrix(random_matrix(20, 12))
    model = MaskedNMF(3).fit(data)
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    record = json.loads(path.read_text())
    for new in ("user_l1", "item_l1", "loss", "init", "n_init", "gradient_tol", "validation_share"):
        del record["config"][new]
    record["config"]["l1"] = 0.25
    record["versions"]["recsys"] = "0.1.0"
    del record["ids"]
    arrays = tmp_path / "model" / "arrays.safetensors"
    save_file(load_file(arrays), arrays)  # without word of what they belong to
    record["parts"][arrays.name] = sha256(arrays)
    record["history"] = {
        "objective": [2.0], "seconds": [0.1], "nonzero_share": [1.0], "converged": True,
    }  # fmt: skip
    del record["digest"]
    record["digest"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(record))
    loaded = load_bundle(tmp_path / "model").model
    assert (loaded.user_l1, loaded.item_l1) == (0.25, 0.25)
    assert loaded.history_.stopped == "tol"
    np.testing.assert_array_equal(loaded.item_factors_, model.item_factors_)


def test_a_stored_zero_is_a_rating_of_zero():
    matrix = random_matrix(20, 12)
    cell = tuple(np.argwhere(np.isnan(matrix))[0])
    model = MaskedNMF(n_components=2, l2=0.1)
    absent = model.fit(matrix).predict_by_row(*np.array(cell)[:, None])
    matrix[cell] = 0
    assert model.fit(matrix).predict_by_row(*np.array(cell)[:, None]) < absent - 0.2


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
    error = model.predict_by_row(users, items) - test["rating"].to_numpy()
    assert np.sqrt(np.mean(error**2)) < 0.94


def test_themes_survive_an_l1_penalty_that_leaves_some_worth_having():
    """The default start is small; the whole penalty from the first sweep on would leave nothing."""
    generator = np.random.default_rng(0)
    group = np.arange(60) % 3
    ratings = np.where(group[:, None] == group[None, :], 5.0, 1.0) + generator.normal(0, 0.1, (60, 60))
    model = MaskedNMF(n_components=4, user_l1=0.3, item_l1=0.3).fit(np.clip(ratings, 0, None))
    assert 0 < model.history_.nonzero_share[-1] < 0.9
    assert model.history_.objective[-1] < MaskedNMF(4, l2=1e6).fit(ratings).history_.objective[-1] / 2


def test_a_penalty_beyond_single_precision_leaves_zeros_and_no_nan():
    for params in ({"user_l1": 0.1}, {"l2": 1e300}, {"item_l1": 1e39}):
        model = MaskedNMF(n_components=3, **params).fit(random_matrix(20, 15) * 1e-30)
        assert np.isfinite(model.history_.objective).all()
        assert np.isfinite(model.score_block(np.arange(20))).all()


def test_what_a_masked_array_masks_is_missing():
    ratings = np.nan_to_num(random_matrix(12, 9), nan=999.0)
    masked = np.ma.array(ratings, mask=ratings == 999)
    model = MaskedNMF(n_components=3).fit(masked)
    twin = MaskedNMF(n_components=3).fit(masked.filled(np.nan))
    np.testing.assert_array_equal(model.user_factors_, twin.user_factors_)
    assert model.value_range_[1] == 5


def test_entries_of_weight_zero_count_nowhere():
    ratings = random_matrix(20, 15)
    ratings[0, 0] = 1000
    weights = np.ones(ratings.shape)
    weights[0, 0] = 0
    model = MaskedNMF(n_components=3).fit(ratings, entry_weight=weights)
    assert model.value_range_ == (1, 5)
    assert model.typical_value_ < 5


def test_a_warm_up_that_would_not_end_is_refused():
    with pytest.raises(ParameterError, match="max_iter above"):
        MaskedNMF(n_components=2, max_iter=4, warm_up=4).fit(random_matrix(9, 7))


def test_after_a_warm_up_the_penalty_is_its_own():
    matrix = random_matrix(40, 30)
    plain = MaskedNMF(n_components=3, l2=0.1, max_iter=400, tol=0).fit(matrix)
    warm = MaskedNMF(n_components=3, l2=0.1, max_iter=400, tol=0, warm_up=5).fit(matrix)
    assert warm.history_.objective[0] > warm.history_.objective[-1]
    assert warm.history_.objective[-1] == pytest.approx(plain.history_.objective[-1], rel=0.05)
    at = warm.history_.objective[5:]
    assert np.all(np.diff(at) <= 1e-6 * at[0])
