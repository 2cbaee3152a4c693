"""Models whose factors are stored by their non-zeros."""

import json

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ModelError
from recsys.factorization.factors import Factors
from recsys.factorization.sparse_factors import SparseFactors
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.registry import make
from recsys.models.weighted_nmf import WeightedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import ABSENT, random_matrix, rows_of
from tests.models.test_contract import assert_same
from tests.recommend.test_bundle import change_arrays

# Sparse, with components that l1 has emptied.
PARAMS = {"n_components": 40, "l2": 0.2, "user_l1": 0.6, "item_l1": 0.6, "max_iter": 4}


def data(seed=0):
    return Interactions.from_matrix(random_matrix(60, 45, density=0.12, seed=seed), feedback="implicit")


def new(**params):
    return WeightedNMF(**(PARAMS | params))


def late():
    """Return entries of a known and a new user, of known and new items."""
    entries = np.full((62, 47), ABSENT)
    entries[4, 5], entries[60, 5], entries[60, 6], entries[61, 46], entries[60, 45] = 1, 2, 3, 1, 1
    return entries


def is_sparse(model):
    factors = model.factors()
    return factors.users.factors.is_sparse and factors.items.factors.is_sparse


def n_empty(model):
    return int(model.factors().empty_components.sum())


@pytest.fixture
def no_dense(monkeypatch):
    """Refuse to make all factors of both sides dense."""
    dense, seen = SparseFactors.dense, set()

    def watched(self, first=0, last=None):
        if last is None and len(self) in (45, 47, 60, 62):  # a whole side, not some rows of one
            seen.add(len(self))
        assert len(seen) < 2, "both sides were made dense"
        return dense(self, first, last)

    monkeypatch.setattr(SparseFactors, "dense", watched)


def test_the_model_of_these_tests_is_sparse_and_has_empty_components():
    model = new().fit(data())
    assert is_sparse(model)
    assert n_empty(model) > 0


def test_what_is_stored_is_told_by_row():
    model = new().fit(data())
    n_nonzeros = np.count_nonzero(model.user_factors_) + np.count_nonzero(model.item_factors_)
    assert model.stored_per_row == pytest.approx(n_nonzeros / 105)
    assert MaskedNMF(3, max_iter=2).fit(data()).stored_per_row == 3
    draws = {"n_chains": 2, "n_kept": 5, "n_burn_in": 2, "n_draws": 5}
    assert make("bayesian-nmf", {"n_components": 3} | draws).fit(data()).stored_per_row == 30
    assert make("popularity").fit(data()).stored_per_row is None


def test_a_bundle_keeps_the_non_zeros_and_the_bits(tmp_path):
    train = data()
    model = new().fit(train)
    save_bundle(Bundle.of(model, train), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    assert is_sparse(loaded)
    assert loaded.n_factors_stored == model.n_factors_stored
    assert_same(loaded, model)
    np.testing.assert_array_equal(loaded.components_, model.components_)


def wrapping(indptr):
    """Return pointers whose differences wrap around int64 and look like steps up."""
    indptr = indptr.copy()
    indptr[1:4] = 2**62, -(2**63), -(2**62)
    indptr[4:-1] = 0
    return indptr


def test_crafted_pointers_of_histories_are_refused(tmp_path):
    train = data()
    save_bundle(Bundle.of(make("item-knn").fit(train), train), tmp_path / "model")
    change_arrays(tmp_path / "model", model__histories_indptr=wrapping)
    with pytest.raises(BundleError, match="no sparse rows of 45 columns"):
        load_bundle(tmp_path / "model")


HOSTILE = {
    "wrapping pointers": ({"model__user_factors_indptr": wrapping}, "row pointers do not ascend"),
    "wrapping pointers of seen items": ({"seen__indptr": wrapping}, "pattern of seen items does not fit"),
    "a component too many": (
        {"model__item_factors_themes": lambda a: a + np.uint16(40)},
        "component .* of 40",
    ),
    "components in no order": ({"model__item_factors_themes": lambda a: a[::-1]}, "do not ascend"),
    "a value too few": ({"model__item_factors_values": lambda a: a[1:]}, "expected"),
    "a negative factor": ({"model__user_factors_values": lambda a: -a}, "are 0 or more"),
    "no number": ({"model__user_factors_values": lambda a: a * np.float32("nan")}, "not finite"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_bundle_with_crafted_arrays_is_refused(tmp_path, kind):
    train = data()
    save_bundle(Bundle.of(new().fit(train), train), tmp_path / "model")
    changes, message = HOSTILE[kind]
    change_arrays(tmp_path / "model", **changes)
    with pytest.raises(BundleError, match=message):
        load_bundle(tmp_path / "model")


def test_negative_factors_are_refused_where_there_are_themes_alone():
    arrays = MaskedNMF(3, max_iter=2).fit(data()).to_arrays()
    with pytest.raises(ModelError, match="are 0 or more"):
        MaskedNMF(3).restore({**arrays, "item_factors": -arrays["item_factors"]})
    free = WeightedNMF(8, nonnegative=False, l2=0.1, max_iter=20).fit(data())
    restored = WeightedNMF(8, nonnegative=False)
    restored.restore(free.to_arrays())
    assert restored.item_factors_.min() < 0


def test_a_warm_start_stays_sparse_and_wakes_no_empty_component(no_dense):
    model = new(warm_start=True).fit(data())
    before = model.history_.objective[-1]
    empty = n_empty(model)
    model.fit(data())
    assert is_sparse(model)
    assert n_empty(model) >= empty
    assert model.history_.objective[0] <= before * (1 + 1e-5)


@pytest.mark.parametrize("reach", ["touched", "all"])
def test_an_update_stays_sparse_and_wakes_no_empty_component(no_dense, reach):
    model = new().fit(data())
    empty = n_empty(model)
    model.partial_fit(late(), reach=reach)
    assert is_sparse(model)
    assert n_empty(model) >= empty
    assert model.factors().users.factors.shape == (62, 40)
    assert model.user_rows([60]).any()


def test_an_update_of_touched_rows_is_that_of_the_dense_model():
    sparse, dense = new().fit(data()), new().fit(data())
    factors = Factors.unbiased(dense.user_factors_, dense.item_factors_)
    dense._learned(factors, shares=dense.shares_, history=dense.history_)
    assert not is_sparse(dense)
    for model in (sparse, dense):
        model.partial_fit(late())
    np.testing.assert_allclose(sparse.user_factors_, dense.user_factors_, atol=1e-5)
    np.testing.assert_allclose(sparse.item_factors_, dense.item_factors_, atol=1e-5)


@pytest.mark.parametrize("reach", ["touched", "all"])
@pytest.mark.parametrize(
    "params", [{}, {"l2": None, "user_l1": None, "item_l1": None}, {"nonnegative": False}]
)
def test_a_loaded_model_is_updated_to_the_same_bits(tmp_path, reach, params):
    if params.get("nonnegative") is False:
        params = params | {"user_l1": None, "item_l1": None}
    train = data()
    model = new(**params).fit(train)
    save_bundle(Bundle.of(model, train), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    model.partial_fit(late(), reach=reach)
    loaded.partial_fit(late(), known=train, reach=reach)
    for name, array in model.to_arrays().items():
        np.testing.assert_array_equal(loaded.to_arrays()[name], array, err_msg=name)
    assert json.dumps(loaded.config()) == json.dumps(model.config())


def test_what_a_fit_was_of_is_not_changed_by_set_params():
    model = new().fit(data())
    rows = random_matrix(5, 45, seed=3)
    before = model.transform(rows)
    model.set_params(user_exponent=1.0, item_exponent=0.7, nonnegative=False)
    np.testing.assert_array_equal(model.transform(rows), before)
    assert model.has_themes
    masked = MaskedNMF(3, max_iter=3).fit(data())
    before, pairs = masked.transform(rows), (np.array([0, -1]), np.array([1, 1]))
    predicted = masked.predict_by_row(*pairs)
    masked.set_params(biases=False)
    np.testing.assert_array_equal(masked.transform(rows), before)
    np.testing.assert_array_equal(masked.predict_by_row(*pairs), predicted)


def test_what_new_users_are_fitted_to_is_made_once(no_dense, monkeypatch):
    model, rows = new().fit(data()), rows_of(random_matrix(5, 45, seed=3))
    calls, gram = [], SparseFactors.gram
    monkeypatch.setattr(SparseFactors, "gram", lambda *given: calls.append(1) or gram(*given))
    first = model.score_histories(rows)
    np.testing.assert_array_equal(model.score_histories(rows), first)
    assert len(calls) == 1
    model.set_params(item_unobserved_exponent=1.0)
    assert (model.score_histories(rows) != first).any()
    model.set_params(item_unobserved_exponent=0.0)
    np.testing.assert_array_equal(model.score_histories(rows), first)
    model.partial_fit(np.where(random_matrix(60, 45, density=0.05, seed=9) > 0, 1.0, ABSENT))
    assert (model.score_histories(rows) != first).any()


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_scores_are_those_of_the_factors_with_their_zeros(share):
    generator = np.random.default_rng(0)
    model = new().fit(data())
    sides = [
        (generator.random((n, 40)) * (generator.random((n, 40)) < share)).astype(np.float32) for n in (60, 45)
    ]
    model._learned(Factors.unbiased(*(SparseFactors.of(side) for side in sides)))
    scores = model.score_block(np.arange(60))
    np.testing.assert_allclose(scores, sides[0].astype(float) @ sides[1].T, rtol=1e-5, atol=1e-6)
    model._learned(Factors.unbiased(*sides))
    np.testing.assert_array_equal(model.score_block(np.arange(60)), scores)


def test_profiles_are_drawn_anew_for_the_entries_that_are_not_held_out():
    params = {"n_components": 12, "patience": 2, "max_iter": 12, "tol": 0.0}
    model = new(**params, validation_share=0.2).fit(data())
    again = new(**params | {"max_iter": model.history_.n_iter}).fit(data())
    assert model.history_.n_iter == model.history_.best_iter
    np.testing.assert_array_equal(model.item_factors_, again.item_factors_)
    several = new(**params, n_init=2).fit(data())
    assert several.stability_.shape == (12,)
