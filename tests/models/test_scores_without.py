"""Scores without single entries of a history: those of fold-ins that begin anew."""

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization import fold_in
from recsys.models.base import Model
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.slim import SLIM
from recsys.models.weighted_nmf import WeightedNMF

N_ITEMS = 24
ITEMS = np.array([1, 5, 17, 5])


def purchases(seed=0):
    generator = np.random.default_rng(seed)
    tastes = generator.integers(0, 4, 50)[:, None] == np.arange(N_ITEMS) % 4
    taken = generator.random((50, N_ITEMS)) < np.where(tastes, 0.6, 0.1)
    users, items = np.nonzero(taken)
    return Interactions.from_pairs(users, items, generator.integers(1, 9, len(users)), feedback="implicit")


DATA = purchases()
MODELS = {
    "plain": WeightedNMF(n_components=6, max_iter=4),
    "by counts": WeightedNMF(
        n_components=6, user_exponent=0.3, user_unobserved_exponent=0.4, l2_exponent=0.7, user_l1=0.05
    ),
    "confidences": WeightedNMF(n_components=6, confidence="log", alpha=2.0, item_exponent=0.4),
    "no penalty": WeightedNMF(n_components=12, l2=0.0, user_l1=0.0, max_iter=3),
    "more components than entries": WeightedNMF(n_components=20, max_iter=3),
    "any sign": WeightedNMF(n_components=6, nonnegative=False),
    "neighbors": SLIM(),
    "both": HybridNMF(n_components=6, ratings="no"),
    "liked": HybridNMF(n_components=6, ratings="no", liked="above-mean"),
}


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return MODELS[request.param].fit(DATA)


def history(n_entries, seed=1):
    generator = np.random.default_rng(seed)
    columns = np.sort(generator.choice(N_ITEMS, n_entries, replace=False))
    return CompressedRows([0, n_entries], columns, generator.integers(1, 9, n_entries), N_ITEMS)


@pytest.mark.parametrize("n_entries", [0, 1, 2, 9, N_ITEMS])
def test_scores_are_those_of_fold_ins_that_begin_anew(model, n_entries, monkeypatch):
    row, removed = history(n_entries), np.arange(n_entries)
    scores = model.scores_without(row, removed, ITEMS)
    monkeypatch.setitem(fold_in.fold_in.__kwdefaults__, "tol", 1e-7)
    expected = Model.scores_without(model, row, removed, ITEMS)
    assert scores.shape == (1 + n_entries, len(ITEMS))
    # Without a penalty the bottom of the problem is nearly flat, and both stop a little beside it.
    tolerance = 3e-6 if model.get_params().get("l2") != 0 else 2e-5
    np.testing.assert_allclose(scores, expected, atol=tolerance * max(np.abs(expected).max(), 1e-3))


def test_an_entry_of_zero_brings_nothing():
    model, row = WeightedNMF(n_components=6, max_iter=4).fit(DATA), history(5)
    values = row.values.copy()
    values[[1, 4]] = 0
    scores = model.scores_without(row.with_values(values), np.array([4, 0, 1]), ITEMS)
    np.testing.assert_array_equal(scores[[1, 3]], scores[[0, 0]])
    assert (scores[2] != scores[0]).any()


def test_an_entry_has_the_same_scores_removed_alone_and_among_others():
    model, row = WeightedNMF(n_components=6, max_iter=4).fit(DATA), history(9)
    together = model.scores_without(row, np.arange(9), ITEMS)
    alone = model.scores_without(row, np.array([7]), ITEMS)
    np.testing.assert_allclose(alone, together[[0, 8]], rtol=1e-6)
