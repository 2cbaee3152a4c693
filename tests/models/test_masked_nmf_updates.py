"""What `MaskedNMF.partial_fit` changes, and what it leaves as it is."""

import numpy as np
import pytest
from scipy import sparse

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.models.masked_nmf import MaskedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import ABSENT, random_matrix
from tests.models.test_contract import assert_same

KINDS = {
    "squared": {"l2": 0.1},
    "plain": {"biases": False, "l2": 0.1},
    "kl": {"loss": "kl", "biases": False, "l2": 0.1},
}


@pytest.fixture(params=KINDS)
def params(request):
    return {"n_components": 3, "tol": 0.0, "max_iter": 30} | KINDS[request.param]


def grown():
    """Return ratings of 33 users and 22 items of which 30 and 20 are known before, and the new ones.

    Three themes of items of their own: every start comes to much the same minimum.
    """
    chance = np.random.default_rng(0)
    themes = np.eye(3)[np.arange(22) % 3].T * chance.gamma(2.0, size=(1, 22))
    matrix = chance.gamma(1.0, size=(33, 3)) @ themes + 0.1 * chance.random((33, 22))
    matrix[chance.random(matrix.shape) < 0.4] = ABSENT
    known = matrix[:30, :20].copy()
    known[[2, 7], [3, 11]] = ABSENT
    new = matrix.copy()
    new[:30, :20] = ABSENT
    new[[2, 7], [3, 11]] = [5, 1]
    whole = matrix.copy()
    whole[[2, 7], [3, 11]] = [5, 1]
    return known, new, whole


def test_untouched_rows_the_mean_and_the_themes_keep_their_bits(params):
    known = random_matrix(30, 20)
    new = np.full((31, 20), ABSENT)
    new[4, 5], new[30, 5], new[30, 6] = 9, 2, 3
    model = MaskedNMF(**params).fit(known)
    before = MaskedNMF(**params).fit(known)
    model.partial_fit(new)
    users, items = np.setdiff1d(np.arange(30), [4]), np.setdiff1d(np.arange(20), [5, 6])
    for side, rows in (("user", users), ("item", items)):
        for part in ("factors", "bias"):
            name = f"{side}_{part}_"
            np.testing.assert_array_equal(getattr(model, name)[rows], getattr(before, name)[rows])
    for touched, name in ((4, "user_factors_"), (5, "item_factors_"), (6, "item_factors_")):
        assert (getattr(model, name)[touched] != getattr(before, name)[touched]).any()
    assert model.mean_ == before.mean_
    assert model.typical_value_ == before.typical_value_
    np.testing.assert_array_equal(model.shares_, before.shares_)
    assert model.history_.objective == before.history_.objective
    assert (model.n_users_, model.n_items_) == (31, 20)
    assert model.user_factors_[30].any() or model.user_bias_[30] != 0
    assert before.value_range_ == (1, 5)
    assert model.value_range_ == (1, 9)


def test_the_new_entries_are_learned(params):
    known, new, _ = grown()
    model = MaskedNMF(**params).fit(known)
    observed = np.nonzero(~np.isnan(new))
    values = new[observed]
    model.partial_fit(new, passes=5)
    error = np.sqrt(np.mean((model.predict_by_row(*observed) - values) ** 2))
    assert error < 0.9 * np.sqrt(np.mean((values - np.nanmean(known)) ** 2))
    np.testing.assert_array_equal(model.predict_by_row([30], [3]) > 0, True)


def test_after_enough_passes_over_everything_it_is_as_good_as_a_full_fit(params):
    known, new, whole = grown()
    full = MaskedNMF(**params | {"max_iter": 300}).fit(whole)
    model = MaskedNMF(**params).fit(known).partial_fit(new, reach="all", passes=300)
    assert model.history_.objective[-1] == pytest.approx(full.history_.objective[-1], rel=0.02)
    assert model.mean_ == full.mean_
    assert model.value_range_ == full.value_range_
    assert model.history_.n_iter == 300
    assert np.all(np.diff(model.shares_) <= 0)
    # And never worse than what one pass leaves.
    once = MaskedNMF(**params).fit(known).partial_fit(new, reach="all", passes=1)
    assert model.history_.objective[-1] < once.history_.objective[-1]


@pytest.mark.parametrize("reach", ["touched", "all"])
def test_interactions_are_joined_by_ids(reach):
    known = Interactions.from_pairs(["a", "a", "b", "c"], ["x", "y", "y", "x"], [5, 1, 4, 2])
    new = Interactions.from_pairs(["d", "a", "b"], ["x", "z", "y"], [3, 4, 1])
    model = MaskedNMF(2, l2=0.01).fit(known).partial_fit(new, reach=reach)
    data = model.training_
    assert list(data.user_ids) == ["a", "b", "c", "d"]
    assert list(data.item_ids) == ["x", "y", "z"]
    assert data.nnz == 6
    assert data.by_user.row(1)[1].tolist() == [1]
    assert (model.n_users_, model.n_items_) == (4, 3)
    assert model.score_block(np.arange(4)).shape == (4, 3)
    assert Bundle.of(model, data).seen.nnz == 6


def test_dense_sparse_and_interactions_are_the_same(params):
    known, new, _ = grown()
    observed = ~np.isnan(new)
    stored = sparse.coo_array((new[observed], np.nonzero(observed)), shape=new.shape)
    dense = MaskedNMF(**params).fit(known).partial_fit(new)
    assert_same(MaskedNMF(**params).fit(known).partial_fit(stored), dense)
    # By ids, users and items without a new entry need not be named.
    rows, columns = np.nonzero(observed)
    by_id = Interactions.from_pairs(rows, columns, new[observed])
    assert_same(MaskedNMF(**params).fit(known).partial_fit(by_id), dense)


def test_without_new_entries_nothing_changes(params):
    known = random_matrix(30, 20)
    model = MaskedNMF(**params).fit(known)
    before = MaskedNMF(**params).fit(known)
    assert_same(model.partial_fit(np.full(known.shape, ABSENT)), before)


def test_the_first_call_is_a_fit(params):
    known = random_matrix(30, 20)
    assert_same(MaskedNMF(**params).partial_fit(known), MaskedNMF(**params).fit(known))


def test_updates_follow_each_other(params):
    known, new, whole = grown()
    first, second = new.copy(), new.copy()
    first[:, :5], second[:, 5:] = ABSENT, ABSENT
    model = MaskedNMF(**params).fit(known).partial_fit(first).partial_fit(second)
    np.testing.assert_array_equal(
        model.training_.by_user.to_scipy().toarray(), np.nan_to_num(whole).astype(np.float32)
    )


def test_a_loaded_model_needs_its_data(params, tmp_path):
    known, new, _ = grown()
    data = Interactions.from_matrix(known)
    model = MaskedNMF(**params).fit(data)
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    for ask in (lambda: loaded.partial_fit(new), lambda: loaded.training_):
        with pytest.raises(ModelError, match=r"give it: partial_fit\(X, known=data\)"):
            ask()
    with pytest.raises(InputError, match="the known data is 33 x 22; expected the 30 x 20"):
        loaded.partial_fit(new, known=new)
    assert_same(loaded.partial_fit(new, known=data), model.partial_fit(new))


@pytest.mark.parametrize("loss", ["squared", "kl"])
def test_weights_of_entries_stay_with_them(loss):
    known, new, whole = grown()
    chance = np.random.default_rng(0)
    weights, new_weights = (chance.choice([0.0, 0.5, 2.0], matrix.shape) for matrix in (known, new))
    params = {"n_components": 3, "loss": loss, "biases": loss == "squared", "l2": 0.1, "tol": 0.0}
    model = MaskedNMF(**params).fit(known, entry_weight=weights)
    model.partial_fit(new, entry_weight=new_weights, reach="all", passes=300)
    both = new_weights.copy()
    both[:30, :20] = np.where(np.isnan(new[:30, :20]), weights, new_weights[:30, :20])
    full = MaskedNMF(**params, max_iter=300).fit(whole, entry_weight=both)
    assert model.history_.objective[-1] == pytest.approx(full.history_.objective[-1], rel=0.03)
    assert model.mean_ == full.mean_
    # New entries without weights count as 1.
    ones = MaskedNMF(**params).fit(known, entry_weight=weights).partial_fit(new)
    same = MaskedNMF(**params).fit(known, entry_weight=weights)
    assert_same(ones, same.partial_fit(new, entry_weight=np.ones(new.shape)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"passes": 0}, "passes is 0; expected a whole number, 1 or more"),
        ({"passes": 1.5}, "passes is 1.5; expected"),
        ({"reach": "some"}, "reach is 'some'; expected touched or all"),
    ],
)
def test_other_settings_are_refused(given, message):
    with pytest.raises(ParameterError, match=message):
        MaskedNMF(2).partial_fit(random_matrix(5, 4), **given)


def test_factors_whose_products_would_overflow_are_an_error():
    # The new item's one user is all but zero, and beside such values no penalty counts.
    model = MaskedNMF(1, biases=False, l2=0.08).fit(np.array([[1e20, 1e20], [3e37, 3e37], [3e37, 3e37]]))
    before = model.item_factors_.copy()
    new = np.full((3, 3), ABSENT)
    new[0, 2] = 3e37
    with pytest.raises(ModelError, match="scores would be beyond single precision"):
        model.partial_fit(new)
    np.testing.assert_array_equal(model.item_factors_, before)


def test_a_batch_of_other_rows_is_not_mistaken_for_the_model_s():
    model = MaskedNMF(2).fit(random_matrix(30, 20))
    with pytest.raises(InputError, match="has 3 rows; expected 30 or more"):
        model.partial_fit(random_matrix(3, 20))
    with pytest.raises(InputError, match="X has 19 features, but MaskedNMF is expecting 20 features"):
        model.partial_fit(random_matrix(30, 19))


def test_themes_that_died_begin_again_when_everything_is_swept():
    model = MaskedNMF(n_components=4, l2=0.01)
    model.partial_fit(np.array([[5.0, np.nan], [np.nan, np.nan]]))  # one value says nothing of themes
    assert not model.user_factors_.any()
    ratings = random_matrix(30, 30, density=1.0)
    model.partial_fit(ratings, reach="all", passes=100)
    full = MaskedNMF(n_components=4, l2=0.01, max_iter=100, tol=0).fit(ratings)
    assert model.history_.objective[-1] == pytest.approx(full.history_.objective[-1], rel=0.05)


@pytest.mark.parametrize("change", [{"n_components": 5}, {"biases": False}, {"n_inner": 0}, {"l2": -5.0}])
@pytest.mark.parametrize("reach", ["touched", "all"])
def test_an_update_under_parameters_that_are_not_the_models_is_refused(change, reach):
    model = MaskedNMF(n_components=3).fit(random_matrix(12, 9)).set_params(**change)
    with pytest.raises(ParameterError):
        model.partial_fit(random_matrix(12, 9, seed=1), reach=reach)


def test_a_warm_start_on_other_people_is_refused():
    first = Interactions.from_pairs(["a", "a", "b"], ["x", "y", "x"], [5, 3, 4])
    other = Interactions.from_pairs(["c", "c", "d"], ["x", "y", "x"], [5, 3, 4])
    model = MaskedNMF(n_components=2, warm_start=True).fit(first)
    with pytest.raises(InputError, match="other users or items"):
        model.fit(other)
