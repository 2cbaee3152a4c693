"""Explanations: exact sums, removal by a naive twin, counterfactuals by trying every set and by refitting."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.registry import MODELS, make
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.recommender import Recommender

SMALL = {"n_components": 4, "max_iter": 6, "l2": 0.05, "n_burn_in": 3, "n_draws": 10, "n_neighbors": 10}


def groups_of_taste(n_users=60, n_items=24, n_groups=3, seed=0):
    """Return ratings in which users of a group rate the items of their group, and some others."""
    generator = np.random.default_rng(seed)
    of_user, of_item = np.arange(n_users) % n_groups, np.arange(n_items) % n_groups
    likely = np.where(of_user[:, None] == of_item, 0.6, 0.08)
    taken = generator.random((n_users, n_items)) < likely
    values = np.where(of_user[:, None] == of_item, 5, 2) - generator.integers(0, 2, (n_users, n_items))
    return np.where(taken, values, np.nan)


TRAIN = Interactions.from_matrix(groups_of_taste())
IMPLICIT = Interactions.from_matrix(np.where(np.isnan(groups_of_taste()), np.nan, 1), feedback="implicit")


def fitted_bundle(name, train=TRAIN, **params):
    known = {entry["name"] for entry in parameters.describe(MODELS[name])}
    settings = {key: value for key, value in (SMALL | params).items() if key in known}
    names = {item: f"item {item}" for item in train.item_ids}
    return Bundle.of(make(name, settings).fit(train), train, item_names=names)


@pytest.fixture(scope="module", params=MODELS)
def bundle(request):
    return fitted_bundle(request.param)


@pytest.fixture(scope="module")
def hybrid():
    return fitted_bundle("hybrid-nmf", IMPLICIT)


def folded_in(bundle, history):
    """Return a list's scores of everything for a history, by item id."""
    lists = bundle.recommend_for(history, n=len(bundle.item_ids), include_seen=True)
    return dict(zip(lists.items.tolist(), lists.scores.tolist(), strict=True))


# -- sums ---------------------------------------------------------------------------------------


def test_a_score_is_the_sum_of_what_is_shown(bundle):
    for user in (0, 7):
        for explanation in bundle.explain(user, n=4, counterfactual=False):
            assert explanation.has_parts
            sizes = abs(explanation.base) + abs(explanation.user_bias) + abs(explanation.item_bias)
            sizes += sum(abs(part.score) for part in (*explanation.components, *explanation.past_items))
            assert explanation.total == pytest.approx(explanation.score, abs=1e-6 * sizes)


def test_what_is_explained_is_the_list_with_its_scores(bundle):
    lists = bundle.recommend(7, n=4)
    explained = bundle.explain(7, n=4, counterfactual=False)
    assert [explanation.item for explanation in explained] == lists.items.tolist()
    np.testing.assert_array_equal(np.float32([e.score for e in explained]), lists.scores)
    reasons = bundle.recommend(7, n=4, reasons=3).reasons
    assert [explanation.reason for explanation in explained] == list(reasons)


def test_factors_of_any_sign_are_said_to_be(bundle):
    (explanation,) = bundle.explain(3, [5], counterfactual=False)
    any_sign = {"als", "bpr", "ease", "explicit-als", "pure-svd"}
    assert explanation.is_signed == (bundle.model.name in any_sign)
    if not explanation.is_signed:
        parts = (*explanation.components, *explanation.past_items)
        assert all(part.score >= 0 for part in parts)


def test_records_are_plain_values(bundle):
    for explanation in bundle.explain(3, n=2):
        record = json.loads(json.dumps(explanation.to_json()))
        assert record["reason"]["text"] == explanation.reason.text
        assert record["n_history"] == bundle.seen.counts[3]


def test_a_recommender_explains_as_its_bundle_does(hybrid):
    assert Recommender(hybrid).explain(3, n=2) == hybrid.explain(3, n=2)


# -- removal ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["masked-nmf", "weighted-nmf", "hybrid-nmf", "slim", "als", "item-knn"])
def test_what_a_past_item_brings_is_what_the_score_loses_without_it(name):
    bundle = fitted_bundle(name, IMPLICIT if name != "masked-nmf" else TRAIN)
    columns, values = bundle.seen.row(5)
    history = dict(zip(columns.tolist(), values.tolist(), strict=True))
    targets = bundle.recommend_for(history, n=3).items.tolist()
    before = folded_in(bundle, history)
    for explanation in bundle.explain_for(history, targets, counterfactual=False):
        assert len(explanation.past_items) == len(history)
        largest = max(abs(past.drop) for past in explanation.past_items)
        for past in explanation.past_items:
            after = folded_in(bundle, {item: value for item, value in history.items() if item != past.item})
            # A user's bias, which is the same for all items, is no part of it.
            other = next(item for item in before if item not in history and item != explanation.item)
            expected = (before[explanation.item] - after[explanation.item]) if name != "masked-nmf" else None
            if expected is None:
                (there,) = bundle.explain_for(history, other, counterfactual=False)
                drop_there = next(one.drop for one in there.past_items if one.item == past.item)
                change = (before[explanation.item] - before[other]) - (after[explanation.item] - after[other])
                assert past.drop - drop_there == pytest.approx(change, abs=2e-5)
            else:
                assert past.drop == pytest.approx(expected, abs=1e-4 * max(largest, 1e-3))


def test_past_items_stand_by_what_they_bring(hybrid):
    for explanation in hybrid.explain(4, n=3, counterfactual=False):
        drops = [past.drop for past in explanation.past_items]
        assert drops == sorted(drops, reverse=True)


def test_a_bundle_without_values_removes_nothing_and_still_adds_up(hybrid):
    older = Bundle(
        hybrid.model, hybrid.user_ids, hybrid.item_ids, hybrid.seen, hybrid.item_counts, has_values=False
    )
    for explanation in older.explain(4, n=3):
        assert all(past.drop is None for past in explanation.past_items)
        assert explanation.counterfactual is None
        assert explanation.total == pytest.approx(explanation.score, rel=1e-6)


def test_explanations_of_a_loaded_bundle_are_the_same(tmp_path):
    for name in ("masked-nmf", "hybrid-nmf"):
        bundle = fitted_bundle(name)
        save_bundle(bundle, tmp_path / name)
        assert load_bundle(tmp_path / name).explain(4, n=3) == bundle.explain(4, n=3)


# -- counterfactuals ----------------------------------------------------------------------------


def rank_without(bundle, history, removed, item):
    """Return an item's rank when some of a history is gone, which stays out of the list."""
    kept = [other for other in history if other not in removed]
    scores = folded_in(bundle, kept) if kept else dict.fromkeys(bundle.item_ids, 0.0)
    rivals = [other for other in scores if other not in history]
    return sorted(rivals, key=lambda other: (-scores[other], other)).index(item) + 1


@pytest.mark.parametrize("name", ["weighted-nmf", "hybrid-nmf", "slim"])
def test_no_fewer_past_items_make_an_item_leave_the_list(name):
    bundle = fitted_bundle(name, IMPLICIT)
    history, n = [0, 3, 6, 1, 10], 3
    for explanation in bundle.explain_for(history, n=n):
        fewest = next(
            (
                size
                for size in range(1, len(history) + 1)
                for removed in combinations(history, size)
                if rank_without(bundle, history, removed, explanation.item) > n
            ),
            None,
        )
        found = explanation.counterfactual
        if found is None:
            assert fewest is None or fewest > 3
            continue
        assert rank_without(bundle, history, found.items, explanation.item) > n
        assert len(found.items) >= fewest
        assert not found.is_fewest or len(found.items) == fewest


def test_an_item_that_is_not_in_the_list_has_nothing_to_leave(hybrid):
    everything = hybrid.recommend(2, n=24).items.tolist()
    (last,) = hybrid.explain(2, everything[-1], n=2)
    assert last.counterfactual is None
    seen = hybrid.item_ids[int(hybrid.seen.row(2)[0][0])]
    (owned,) = hybrid.explain(2, seen, n=2)
    assert owned.counterfactual is None
    assert owned.total == pytest.approx(owned.score, rel=1e-6)


def test_items_leave_the_list_of_a_model_fitted_without_the_past_items():
    bundle = fitted_bundle("hybrid-nmf", IMPLICIT)
    n, left, asked = 3, 0, 0
    for user in range(0, 12):
        for explanation in bundle.explain(user, n=n):
            if explanation.counterfactual is None:
                continue
            matrix = IMPLICIT.by_user.to_scipy().toarray()
            matrix[user, list(explanation.counterfactual.items)] = 0
            train = Interactions.from_matrix(np.where(matrix > 0, 1, np.nan), feedback="implicit")
            again = fitted_bundle("hybrid-nmf", train)
            scores = again.model.score_block(np.array([user]))[0]
            scores[IMPLICIT.by_user.row(user)[0]] = -np.inf
            best = np.argsort(-scores, kind="stable")[:n]
            asked, left = asked + 1, left + (explanation.item not in best)
            break  # one a user: a fit each
    assert asked >= 8
    assert left >= 0.75 * asked  # the items' side moves, too, when all is fitted again


# -- reasons ------------------------------------------------------------------------------------


def test_a_past_item_that_makes_up_the_score_is_the_reason():
    events = [("ann", "tea"), ("bob", "tea"), ("bob", "pot"), ("eve", "tea"), ("eve", "pot"), ("dan", "jam")]
    train = Interactions.from_pairs(*zip(*events, strict=True), feedback="implicit")
    bundle = Bundle.of(make("slim", {"l2": 0.1}).fit(train), train, item_names={"tea": "Tea, black"})
    (explanation,) = bundle.explain("ann", "pot")
    assert explanation.reason.kind == "past"
    assert explanation.reason.text == "Because you took Tea, black."
    assert explanation.reason.items == ("tea",)
    assert explanation.reason.share == pytest.approx(1.0)


def test_of_ratings_what_everybody_rates_high_is_the_reason():
    matrix = np.full((30, 6), 3.0)
    matrix[:, 0] = 5
    matrix[0, 0] = np.nan
    matrix[np.arange(30), 1 + np.arange(30) % 5] = np.nan
    bundle = fitted_bundle("masked-nmf", Interactions.from_matrix(matrix))
    explanation = bundle.explain(0, n=1)[0]
    assert explanation.item == 0
    assert explanation.reason.kind == "item"
    assert explanation.reason.text.startswith("Rated high by everybody: 1.")


def test_somebody_unknown_gets_the_popularity_and_its_reason(bundle):
    explained = bundle.explain("nobody", n=2)
    counts = sorted(bundle.item_counts.tolist(), reverse=True)[:2]
    assert [explanation.score for explanation in explained] == counts
    for explanation, count in zip(explained, counts, strict=True):
        assert explanation.source == explanation.reason.kind == "popularity"
        assert explanation.reason.text == f"Popular: {count} of 60 users have it."
        assert explanation.total == count


def test_reasons_are_columns_of_a_table_and_of_records(hybrid):
    lists = hybrid.recommend([3, "nobody"], n=3, reasons=2)
    frame = lists.to_frame()
    assert frame["reason"].tolist() == [reason.text for reason in lists.reasons]
    assert {"because_1", "because_name_1", "because_share_1", "because_2"} <= set(frame)
    assert "because_3" not in frame
    assert frame["because_1"].isna().tolist()[3:] == [True] * 3
    entries = [entry for record in lists.lists() for entry in record["items"]]
    assert [entry["reason"]["text"] for entry in entries] == frame["reason"].tolist()
    assert hybrid.recommend([3], n=3).reasons is None
    assert lists.select([3]).reasons == lists.reasons[:3]


def test_reasons_name_items_of_the_history_at_most_as_many_as_asked_for(bundle):
    lists = bundle.recommend([0, 1, 2], n=5, reasons=1)
    for number, user in enumerate(lists.users):
        history = {bundle.item_ids[int(item)] for item in bundle.seen.row(user)[0]}
        for reason in lists.reasons[lists.indptr[number] : lists.indptr[number + 1]]:
            assert set(reason.items) <= history
            assert len(reason.items) <= 1
            assert reason.text.endswith(".")
            assert len(reason.text) < 160


# -- what is refused ----------------------------------------------------------------------------


def test_an_unknown_item_and_bad_numbers_are_refused(hybrid):
    with pytest.raises(InputError, match="item 99 is not known"):
        hybrid.explain(3, 99)
    with pytest.raises(ParameterError, match="reasons is 0; expected a whole number, 1 to 1,000,000"):
        hybrid.explain(3, reasons=0)
    with pytest.raises(ParameterError, match="reasons is -1; expected a whole number, 0 to 1,000,000"):
        hybrid.recommend(3, reasons=-1)
    with pytest.raises(ParameterError, match="n is 0"):
        hybrid.explain(3, n=0)


def test_a_history_needs_a_model_that_folds_in():
    with pytest.raises(ModelError, match="knows only the users it was trained on"):
        fitted_bundle("bpr", IMPLICIT).explain_for([3])


@dataclass(eq=False)
class Silent(Model):
    """A model that does not say what its scores are sums of."""

    name = "silent"

    def _fit(self, data, progress):
        self._counts = data.item_counts.astype(np.float32)

    def score_block(self, users):
        return np.tile(self._counts, (len(users), 1))

    def to_arrays(self):
        return {}

    def restore(self, arrays):
        pass


def test_a_model_of_ones_own_that_shows_no_parts_is_not_taken_apart():
    bundle = Bundle.of(Silent().fit(TRAIN), TRAIN)
    (explanation,) = bundle.explain(3, 1)
    assert not explanation.has_parts
    assert explanation.reason.kind == "none"
    assert explanation.counterfactual is None
    assert not explanation.components
    assert not explanation.past_items
