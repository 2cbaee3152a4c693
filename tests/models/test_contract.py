"""What every model of the catalogue keeps."""

from dataclasses import fields

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, NotFittedError, ParameterError
from recsys.models import parameters
from recsys.models.factor_model import FactorModel
from recsys.models.registry import MODELS, make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.ranking import ranked_blocks
from tests.matrices import ABSENT, random_matrix

# A small l2, for few data under a strong penalty leave factors of zero, which prove nothing.
SMALL = {"n_components": 3, "max_iter": 5, "l2": 0.05, "l2_exponent": 0.0, "n_burn_in": 3, "n_draws": 10}
ALMOST_ALL, EMPTY, UNSEEN_ITEM = 0, 5, 6


def ratings():
    """Return ratings with a user who lacks one item, a user without any, and an item without any."""
    matrix = random_matrix(20, 9)
    matrix[ALMOST_ALL] = 3
    matrix[ALMOST_ALL, UNSEEN_ITEM] = ABSENT
    matrix[EMPTY] = ABSENT
    matrix[:, 2] = np.where(np.arange(20) == ALMOST_ALL, 3, ABSENT)
    return matrix


TRAIN = Interactions.from_matrix(ratings())


def new(name, **params):
    known = {entry["name"] for entry in parameters.describe(MODELS[name])}
    return make(name, {key: value for key, value in (SMALL | params).items() if key in known})


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def fitted(name):
    return new(name).fit(TRAIN)


def all_scores(model):
    return model.score_block(np.arange(model.n_users_))


def assert_same(one, two):
    """Assert that two fitted models are equal bit for bit."""
    arrays, others = one.to_arrays(), two.to_arrays()
    assert arrays.keys() == others.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(array, others[key], err_msg=key)
    np.testing.assert_array_equal(all_scores(one), all_scores(two))
    assert one.config() == two.config()


def test_a_second_fit_equals_the_first(name, fitted):
    assert_same(new(name).fit(TRAIN), fitted)


def test_a_fit_starts_afresh(name, fitted):
    again = new(name).fit(random_matrix(7, 4, seed=1))
    all_scores(again)
    assert_same(again.fit(TRAIN), fitted)


def test_threads_change_no_bit(name):
    data = Interactions.from_matrix(random_matrix(150, 70))
    models = []
    for n_threads in (1, 2):
        with threads.use(n_threads):
            models.append(new(name, n_components=8).fit(data))
    assert_same(*models)


def test_saved_and_loaded_equals(fitted, tmp_path):
    train = Interactions.from_pairs(["b", "a", "b"], [30, 10, 20], [1, 2, 3])
    bundle = Bundle.of(fitted.fit(train), train, item_names={10: "Ten"}, training={"source": "a log"})
    save_bundle(bundle, tmp_path / "model")
    loaded = load_bundle(tmp_path / "model")
    assert type(loaded.model) is type(fitted)
    assert_same(loaded.model, fitted)
    assert loaded.user_ids == bundle.user_ids
    assert loaded.item_ids == bundle.item_ids
    assert loaded.item_names == {10: "Ten"}
    assert [loaded.name_of(item) for item in (10, 20)] == ["Ten", "20"]
    assert loaded.training == bundle.training
    np.testing.assert_array_equal(loaded.seen.indptr, train.by_user.indptr)
    np.testing.assert_array_equal(loaded.seen.columns, train.by_user.columns)


def test_scores_are_finite_float32_of_users_by_items(fitted):
    scores = fitted.score_block(np.array([4, EMPTY, 4]))
    assert scores.shape == (3, 9)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores[0], scores[2])
    assert fitted.score_block(np.array([], dtype=np.int64)).shape == (0, 9)


def test_scores_do_not_depend_on_the_block(fitted):
    one_by_one = np.concatenate([fitted.score_block(np.array([user])) for user in range(20)])
    np.testing.assert_array_equal(one_by_one, all_scores(fitted))
    backwards = fitted.score_block(np.arange(20)[::-1])
    np.testing.assert_array_equal(backwards[::-1], one_by_one)


def test_scores_are_the_callers_to_overwrite(fitted):
    before = all_scores(fitted)
    all_scores(fitted)[:] = -1
    np.testing.assert_array_equal(all_scores(fitted), before)


@pytest.mark.parametrize("users", [[-1], [20], [0, 99]])
def test_users_outside_the_training_data_are_refused(fitted, users):
    with pytest.raises(InputError, match=r"user rows run from .* expected 0 to 19"):
        fitted.score_block(np.array(users))


def lists(model, users, n):
    (block,) = ranked_blocks(model, np.array(users), n, TRAIN.by_user)
    return [block.items[row, :length].tolist() for row, length in enumerate(block.n_listed)]


def test_a_user_who_has_seen_all_but_one_item_gets_that_item(fitted):
    assert lists(fitted, [ALMOST_ALL], 5) == [[UNSEEN_ITEM]]


def test_a_user_without_entries_may_get_every_item_and_no_more(fitted):
    (listed,) = lists(fitted, [EMPTY], 100)
    assert sorted(listed) == list(range(9))


def test_a_model_that_is_not_fitted_says_so(name):
    model = new(name)
    for ask in (lambda: model.score_block(np.array([0])), model.to_arrays):
        with pytest.raises(NotFittedError, match=f"{name} is not trained yet; call fit first"):
            ask()


def test_fit_accepts_interactions_sparse_and_dense(name):
    matrix = ratings()
    fitted = new(name).fit(Interactions.from_matrix(matrix, feedback=MODELS[name].feedback))
    observed = ~np.isnan(matrix)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.coo_array, sparse.csc_array):
        stored = kind((matrix[observed], np.nonzero(observed)), shape=matrix.shape)
        assert_same(new(name).fit(stored), fitted)
    assert_same(new(name).fit(matrix), fitted)
    assert_same(new(name).fit(matrix.tolist()), fitted)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (np.inf, "value inf .* is not a finite number"),
        (1e39, r"value 1e\+39 .* is beyond single precision"),
        (-1e39, r"value -1e\+39 .* is (beyond single precision|negative)"),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_values_no_model_can_use_are_refused(name, cell, message, kind):
    with pytest.raises(InputError, match=message):
        new(name).fit(kind([[1.0, cell], [2.0, 3.0]]))


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.full((2, 2), ABSENT), "0 observed entries is empty"),
        (sparse.csr_array((0, 3)), "is empty"),
        (np.array([1.0, 2.0]), r"shape \(2,\); expected users x items"),
    ],
    ids=["nothing observed", "no users", "one dimension"],
)
def test_matrices_without_users_and_items_are_refused(name, matrix, message):
    with pytest.raises(InputError, match=message):
        new(name).fit(matrix)


def test_one_user_and_one_item_are_enough(name):
    model = new(name).fit(np.array([[2.0]]))
    assert np.isfinite(model.score_block(np.array([0]))).all()


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_values_of_any_size_give_finite_scores(name, scale):
    assert np.isfinite(all_scores(new(name).fit(ratings() * scale))).all()


def test_scikit_learn_clones_it(name, fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not copy.is_fitted
    assert_same(copy.fit(TRAIN), fitted)


def test_a_parameter_that_does_not_exist_is_refused(name):
    for refused in (lambda: make(name, {"nonsense": 1}), lambda: new(name).set_params(nonsense=1)):
        with pytest.raises(ParameterError, match=f"{name} has no parameter 'nonsense'"):
            refused()


def bad_values(field):
    """Values of another kind, or beyond the limits."""
    limits = field.metadata
    if limits["choices"]:
        return ["nonsense"]
    if isinstance(field.default, bool):
        return ["true"]
    steps = {"minimum": -1, "above": 0, "maximum": 1}
    beyond = [limits[limit] + step for limit, step in steps.items() if limits[limit] is not None]
    return ["3", float("nan"), *beyond]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param(name, field, id=f"{name}-{field.name}")
        for name, model in MODELS.items()
        for field in fields(model)
        if "help" in field.metadata
    ],
)
def test_a_parameter_out_of_range_or_of_another_kind_is_refused_by_fit(name, field):
    for value in bad_values(field):
        with pytest.raises(ParameterError, match=f"{name}: {field.name} is {value!r}; expected "):
            new(name).set_params(**{field.name: value}).fit(TRAIN)


def test_set_params_changes_what_get_params_returns(name):
    model = new(name)
    for entry in parameters.describe(MODELS[name]):
        model.set_params(**{entry["name"]: entry["default"]})
    assert model.get_params() == make(name).get_params() == model.config()


def test_a_model_predicts_values_or_says_that_it_does_not(name, fitted):
    users, items = np.array([0, 3, -1, -1]), np.array([1, -1, 2, -1])
    if not fitted.predicts_values:
        with pytest.raises(ModelError, match=f"{name} ranks items but predicts no values"):
            fitted.predict_by_row(users, items)
        return
    predicted = fitted.predict_by_row(users, items)
    assert predicted.shape == (4,)
    assert np.isfinite(predicted).all()


ABSENT_BEFORE = ("neighbors_scale",)  # bundles of older versions lack them


def test_damaged_arrays_are_not_restored(name, fitted):
    for damaged in fitted.to_arrays():
        arrays = fitted.to_arrays()
        for bad, message in (
            (None, f"array '{damaged}' is missing"),
            (arrays[damaged].astype(np.complex64), f"array '{damaged}' is complex64"),
            (arrays[damaged][None], f"array '{damaged}' is .* dimensions"),
        ):
            changed = {key: value for key, value in arrays.items() if key != damaged}
            if bad is None and damaged in ABSENT_BEFORE:
                continue
            if bad is not None:
                changed[damaged] = bad
            with pytest.raises(ModelError, match=message):
                new(name).restore(changed)


def test_numbers_that_are_not_finite_are_not_restored(name, fitted):
    for damaged, array in fitted.to_arrays().items():
        if array.dtype.kind != "f":
            continue
        bad = array.copy()
        bad.flat[0] = np.nan
        with pytest.raises(ModelError, match=f"array '{damaged}' holds a number that is not finite"):
            new(name).restore(fitted.to_arrays() | {damaged: bad})


CLOSED_FORM = ("item-knn", "ease", "pure-svd", "bias", "popularity")


@pytest.mark.parametrize("name", CLOSED_FORM)
def test_a_history_scores_as_it_did_in_training(name, fitted):
    # What such a model says of a user is a formula of the history: there is nothing to converge.
    scores = fitted.score_histories(TRAIN.by_user)
    np.testing.assert_allclose(scores, all_scores(fitted), rtol=1e-4, atol=1e-4)


FACTOR_MODELS = [name for name, model in MODELS.items() if issubclass(model, FactorModel)]


@pytest.mark.parametrize("name", FACTOR_MODELS)
def test_contributions_and_biases_add_up_to_the_score(fitted):
    users, items = (at.ravel() for at in np.indices((20, 9)))
    parts = fitted.contributions(users, items)
    assert parts.shape == (180, 3)
    total = parts.sum(axis=1) + fitted.mean_ + fitted.user_bias_[users] + fitted.item_bias_[items]
    np.testing.assert_allclose(total, all_scores(fitted).ravel(), rtol=1e-5, atol=1e-5)
    if fitted.has_themes:
        assert parts.min() >= 0


@pytest.mark.parametrize("name", [name for name in FACTOR_MODELS if MODELS[name].has_themes])
def test_themes_are_ordered_by_the_share_they_explain(fitted):
    assert fitted.shares_.sum() == pytest.approx(1)
    assert np.all(np.diff(fitted.shares_) <= 0)
    assert fitted.components_.shape == (3, 9)
    assert fitted.components_.min() >= 0


def test_scores_are_the_sums_of_their_parts(fitted):
    scores, items = all_scores(fitted), np.arange(9)
    for user in (ALMOST_ALL, 3, EMPTY):
        parts = fitted.score_parts(user, items)
        assert np.all(np.abs(parts.totals - scores[user]) <= 1e-6 * parts.sizes)
        added = [array for array in (parts.components, parts.from_past) if array is not None and array.size]
        if not parts.is_signed:
            assert all(array.min() >= 0 for array in added)


def test_scores_of_new_users_are_the_sums_of_their_parts(fitted):
    if not fitted.folds_in:
        with pytest.raises(ModelError, match="knows only the users"):
            fitted.history_score_parts(TRAIN.by_user.select(np.array([3])), [0])
        return
    for user in (3, EMPTY):
        row = TRAIN.by_user.select(np.array([user]))
        parts = fitted.history_score_parts(row, np.arange(9))
        assert np.all(np.abs(parts.totals - fitted.score_histories(row)[0]) <= 1e-6 * parts.sizes)


def test_scores_without_single_entries_are_those_of_other_histories(fitted):
    if not fitted.folds_in:
        return
    row, items = TRAIN.by_user.select(np.array([3])), np.array([7, 0, 4])
    removed = np.array([row.nnz - 1, 0])
    scores = fitted.scores_without(row, removed, items)
    kept = np.ones((3, row.nnz), dtype=bool)
    kept[[1, 2], removed] = False
    every = fitted.score_histories(row.variants(kept))[:, items]
    np.testing.assert_allclose(every - every[:, :1], scores - scores[:, :1], atol=2e-5 * np.abs(every).max())


def test_scores_of_some_items_differ_as_those_of_all_do(fitted):
    if not fitted.folds_in:
        return
    rows, items = TRAIN.by_user.select(np.array([1, 3])), np.array([7, 0, 4])
    every, some = fitted.score_histories(rows)[:, items], fitted.scores_of_items(rows, items)
    np.testing.assert_allclose(every - every[:, :1], some - some[:, :1], atol=2e-6 * np.abs(every).max())
