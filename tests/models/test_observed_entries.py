"""Entries as samples, folds of them, and scores that refuse what was seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recsys
from recsys import EntryKFold, InputError, Interactions, MaskedNMF, ObservedEntries, PoissonNMF, WeightedNMF
from tests.matrices import random_matrix

X = random_matrix(20, 12)


def test_the_entries_of_a_matrix_are_its_samples():
    entries = ObservedEntries(X)
    users, items = np.nonzero(~np.isnan(X))
    assert len(entries) == len(users)
    np.testing.assert_array_equal(entries.users, users)
    np.testing.assert_array_equal(entries.items, items)
    np.testing.assert_array_equal(entries.values, X[users, items])
    part = entries[[7, 2, 5]]
    assert part.shape == (3,)
    np.testing.assert_array_equal(part.values, X[users, items][[7, 2, 5]])
    data = part.interactions("explicit")
    assert (data.n_users, data.n_items, data.nnz) == (20, 12, 3)
    assert part[[1]].values == X[users[2], items[2]]
    with pytest.raises(InputError, match="an entry is drawn twice"):
        entries[[1, 1]]


@given(st.integers(2, 5), st.integers(0, 3))
def test_every_entry_is_held_out_once_and_known_users_stay_known(n_splits, seed):
    entries = ObservedEntries(X)
    n_held_out = np.zeros(len(entries), dtype=int)
    known = {user for user in range(20) if np.sum(entries.users == user) > 1}
    for train, test in EntryKFold(n_splits, random_state=seed).split(entries):
        n_held_out[test] += 1
        assert sorted([*train, *test]) == list(range(len(entries)))
        assert known <= set(entries[train].users)
    assert (n_held_out == 1).all()


def test_folds_are_drawn_by_the_seed():
    first, second = (
        [test.tolist() for _, test in EntryKFold(3, random_state=seed).split(ObservedEntries(X))]
        for seed in (0, 1)
    )
    assert first != second
    assert first == [test.tolist() for _, test in EntryKFold(3).split(ObservedEntries(X))]


def test_what_has_users_for_samples_is_refused():
    with pytest.raises(InputError, match=r"whole users for samples.*recsys\.ObservedEntries"):
        next(EntryKFold(3).split(X))
    with pytest.raises(InputError, match="2 entries make no 3 folds"):
        next(EntryKFold(3).split(ObservedEntries(X)[:2]))
    for bad in (1, True, 2.5, "3"):
        with pytest.raises(recsys.ParameterError, match="n_splits is"):
            EntryKFold(bad)


def parts(kind=MaskedNMF, **params):
    entries = ObservedEntries(X)
    train, test = next(EntryKFold(4).split(entries))
    return kind(2, max_iter=10, **params).fit(entries[train]), entries[train], entries[test]


def test_the_score_of_a_model_of_values_is_minus_the_error_of_what_it_predicts():
    model, _, test = parts()
    errors = model.predict_by_row(test.users, test.items) - test.values
    assert model.score(test) == pytest.approx(-np.sqrt(np.mean(np.square(errors, dtype=np.float64))))


@pytest.mark.parametrize("kind", [WeightedNMF, PoissonNMF])
def test_the_score_of_a_model_that_ranks_is_the_ndcg_of_what_is_unseen(kind):
    model, train, test = parts(kind)
    # All 12 items fit into a list of 100, so that the scorer's longest list measures the same.
    assert model.score(test) == pytest.approx(recsys.entry_scorer("ndcg@100")(model, test))
    scores = model.score_block(np.arange(20))
    scores[train.users, train.items] = -np.inf
    popular = np.bincount(train.items, minlength=scores.shape[1])  # decides where nothing speaks for an item
    gains = []
    for user in np.intersect1d(test.users, train.users):
        liked = set(test.items[test.users == user])
        ranked = np.lexsort((np.where(scores[user] == 0, -popular, 0), -scores[user]))
        gain = sum(1 / np.log2(rank + 2) for rank, item in enumerate(ranked) if item in liked)
        gains.append(gain / sum(1 / np.log2(rank + 2) for rank in range(len(liked))))
    assert model.score(test) == pytest.approx(np.mean(gains))


@pytest.mark.parametrize("kind", [MaskedNMF, WeightedNMF])
def test_what_was_seen_is_refused(kind):
    model, train, test = parts(kind)
    entries = ObservedEntries(X)
    with pytest.raises(InputError, match=f"{len(train)} of {len(entries)} entries were fitted"):
        model.score(entries)
    with pytest.raises(InputError, match="entries were fitted"):
        recsys.entry_scorer("ndcg@5")(model, train)
    with pytest.raises(InputError, match="the rows of ndarray may be other users"):
        model.score(X)
    with pytest.raises(InputError, match="no entry to measure"):
        model.score(test[:0])


def test_interactions_are_joined_by_ids():
    pairs = [("ann", "tea", 5), ("ann", "jam", 3), ("bob", "tea", 4), ("bob", "milk", 2)]
    train = Interactions.from_pairs(*zip(*pairs, strict=True))
    model = MaskedNMF(1).fit(train)
    held_out = Interactions.from_pairs(["bob", "eve"], ["jam", "tea"], [3.0, 5.0])
    predicted = model.predict_by_row(train.user_ids.rows(["bob", "eve"]), train.item_ids.rows(["jam", "tea"]))
    assert model.score(held_out) == pytest.approx(-np.sqrt(np.mean((predicted - [3.0, 5.0]) ** 2)))


def test_weights_follow_their_entries_in_any_order():
    entries = ObservedEntries(X)
    generator = np.random.default_rng(0)
    order = generator.permutation(len(entries))
    weights = generator.random(len(entries)) + 0.1
    shuffled = MaskedNMF(2).fit(entries[order], entry_weight=weights[order])
    plain = MaskedNMF(2).fit(entries, entry_weight=weights)
    np.testing.assert_array_equal(shuffled.components_, plain.components_)
    dense = np.full(X.shape, np.nan)
    dense[entries.users, entries.items] = weights
    np.testing.assert_array_equal(MaskedNMF(2).fit(X, entry_weight=dense).components_, plain.components_)
    with pytest.raises(InputError, match="one for each entry"):
        MaskedNMF(2).fit(entries, entry_weight=weights[1:])


def test_a_scorer_negates_what_is_better_when_less():
    model, _, test = parts()
    assert recsys.entry_scorer("rmse")(model, test) == pytest.approx(model.score(test))
    with pytest.raises(recsys.ParameterError):
        recsys.entry_scorer("nothing@3")
    with pytest.raises(recsys.ModelError, match="Bias is no NMF model"):
        recsys.entry_scorer("rmse")(recsys.Bias(), test)
    with pytest.raises(InputError, match="whole users"):
        recsys.entry_scorer("rmse")(model, X)
