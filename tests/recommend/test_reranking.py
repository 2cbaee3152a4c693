"""Re-ranking and the last sale: each weight moves its metric, and rules still hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ParameterError
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.rules import Rules
from tests.recommend.test_explain import IMPLICIT, fitted_bundle
from tests.reference.reranking import pick_in_turn

N_ITEMS = 24
CATEGORIES = {item: ("abc"[item % 3],) for item in range(N_ITEMS)}
WEIGHTS = [
    {"diversity": 0.5},
    {"calibration": 0.5, "categories": CATEGORIES},
    {"popularity_discount": 0.3},
    {"diversity": 0.2, "calibration": 0.2, "popularity_discount": 0.2, "categories": CATEGORIES},
    {"diversity": 0.5, "most_per_category": 1, "categories": CATEGORIES, "pool": 6},
]


@pytest.fixture(scope="module", params=["weighted-nmf", "slim", "popularity"])
def bundle(request):
    return fitted_bundle(request.param, IMPLICIT)


@pytest.mark.parametrize("entries", WEIGHTS, ids=range(len(WEIGHTS)))
def test_a_list_is_picked_in_turn_from_the_best(bundle, entries):
    rules = Rules(exclude=[1], **entries)
    vectors = bundle.item_vectors.astype(float)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    popularity = np.log1p(bundle.item_counts) / np.log1p(bundle.item_counts.max())
    for user in (0, 7):
        owned = bundle.seen.row(user)[0].tolist()
        scores = bundle.model.score_block(np.array([user]))[0].astype(float)
        ranked = sorted(set(range(N_ITEMS)) - {1, *owned}, key=lambda item: (-scores[item], item))
        pool = ranked if rules.most_per_category else ranked[: max(rules.pool, 4)]
        weights = rules.diversity, rules.calibration, rules.popularity_discount
        labels_of = [set(CATEGORIES[item]) for item in range(N_ITEMS)]
        expected, closest = pick_in_turn(
            pool,
            scores[pool],
            owned,
            labels_of,
            rules.most_per_category,
            vectors,
            popularity,
            weights,
            0.01,
            4,
        )
        listed = bundle.recommend(user, 4, rules=rules)
        assert closest < 1e-7 or listed.items.tolist() == [pool[place] for place in expected]
        np.testing.assert_array_equal(listed.scores, scores[listed.items.astype(int)].astype(np.float32))


def test_a_pool_of_the_list_alone_changes_its_order_at_most(bundle):
    free = bundle.recommend(5, 6)
    mixed = bundle.recommend(5, 6, rules=Rules(diversity=0.9, pool=1))
    assert set(mixed.items.tolist()) == set(free.items.tolist())


def test_users_of_whom_nothing_is_known_have_no_mix_to_keep(bundle):
    rules = Rules(calibration=0.9, categories=CATEGORIES)
    assert (
        bundle.recommend("nobody", 5, rules=rules).items.tolist()
        == bundle.recommend("nobody", 5).items.tolist()
    )
    some = bundle.recommend_for([0, 3, 6], 3, rules=Rules(calibration=1.0, categories=CATEGORIES))
    assert {CATEGORIES[item][0] for item in some.items.tolist()} == {"a"}  # the mix of 0, 3 and 6


def log_of_tastes():
    """Return purchases of three kinds of items, of which some sell far more."""
    generator = np.random.default_rng(3)
    rows = [
        (user, item)
        for user in range(90)
        for item in range(60)
        if generator.random() < (0.35 if item % 3 == user % 3 else 0.08) * (1.6 if item < 12 else 0.6)
    ]
    return pd.DataFrame(rows, columns=["user", "item"])


@pytest.mark.parametrize(
    ("entry", "metric", "rises"),
    [
        ("diversity", "diversity@5", True),
        ("calibration", "calibration@5", False),
        ("popularity_discount", "novelty@5", True),
        ("popularity_discount", "popularity-lift@5", False),
    ],
)
def test_each_weight_moves_its_metric_in_evaluate(entry, metric, rises, tmp_path):
    shelves = pd.DataFrame({"item": range(60), "shelf": ["abc"[item % 3] for item in range(60)]})
    side = {"items": shelves, "item_category": "shelf"} if entry == "calibration" else {}
    categories = {"categories": dict(zip(shelves["item"], shelves["shelf"], strict=True))} if side else {}
    values = []
    for weight in (0.0, 0.3, 0.8):
        rules = Rules(**{entry: weight}, **categories)
        done = recsys.evaluate(
            "weighted-nmf", log_of_tastes(), metrics=f"{metric},ndcg@5", rules=rules, **side
        )
        values.append(done.result.measurements.metrics[metric])
    steps = np.diff(values) if rises else -np.diff(values)
    assert (steps >= 0).all()
    assert steps.any()


def test_the_metric_that_a_weight_moves_is_shown_by_default():
    rules = Rules(diversity=0.2, popularity_discount=0.1)
    done = recsys.evaluate("popularity", log_of_tastes(), rules=rules)
    assert {"diversity@10", "novelty@10", "popularity-lift@10"} < set(done.result.measurements.metrics)


# -- the last sale ------------------------------------------------------------------------------


def dated_log(days):
    """Return a log in which item k was last sold on the day that stands at k."""
    users, items = np.repeat(np.arange(6), len(days)), np.tile(np.arange(len(days)), 6)
    is_kept = (users + items) % 3 > 0
    stamps = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.tile(days, 6) - users, unit="D")
    frame = pd.DataFrame({"user": users, "item": items, "timestamp": stamps})
    return frame[is_kept | (users == 0) & (items % 3 > 0) | (users == 1) & (items % 3 == 0)]


@pytest.mark.parametrize("since", ["30d", "2024-03-02", "5w"])
def test_items_not_sold_since_are_left_out(since, tmp_path):
    frame = dated_log([10, 90, 60, 55, 91, 20])
    bundle = recsys.train("popularity", frame)
    last = frame.groupby("item")["timestamp"].max()
    start = {"30d": last.max() - pd.Timedelta("30D"), "5w": last.max() - pd.Timedelta("35D")}.get(since)
    expected = last[last > start if start is not None else last >= pd.Timestamp(since)].index.tolist()
    rules = Rules(sold_since=since, include_seen=True)
    for kept in (bundle, _saved_and_loaded(bundle, tmp_path)):
        assert sorted(kept.recommend("nobody", 9, rules=rules).items.tolist()) == expected
        (note,) = kept.notes_on(rules)
        assert f"{6 - len(expected)} of 6 items are left out, none sold since 2024-" in note


def _saved_and_loaded(bundle, folder):
    save_bundle(bundle, folder / "model")
    return load_bundle(folder / "model")


def test_a_log_whose_time_is_a_number_takes_a_number():
    bundle = recsys.train("popularity", dated_log([10, 90, 60]).assign(timestamp=lambda t: t["item"] * 10))
    if bundle.last_events.kind == "timestamp":
        pytest.skip("numbers were read as seconds")
    assert bundle.recommend("nobody", 3, rules=Rules(sold_since="15")).items.tolist() == [2]
    with pytest.raises(ParameterError, match="time is a number, at most 20"):
        bundle.notes_on(Rules(sold_since="60d"))


def test_sold_since_is_measured_by_the_training_part():
    frame = dated_log([10, 90, 60, 55, 91, 20, 30, 40])
    free = recsys.evaluate("popularity", frame, metrics="coverage@8")
    ruled = recsys.evaluate("popularity", frame, metrics="coverage@8", rules=Rules(sold_since="40d"))
    assert ruled.result.measurements.metrics["coverage@8"] < free.result.measurements.metrics["coverage@8"]


def test_what_cannot_be_is_refused(bundle):
    with pytest.raises(InputError, match="train it again on a log with a column of times"):
        bundle.recommend(0, rules=Rules(sold_since="60d"))
    assert bundle.last_events is None
    timed = Interactions.from_log(recsys.load_log(dated_log([1, 2, 3])))
    assert recsys.Bundle.of(recsys.Popularity().fit(timed), timed).last_events is None  # of an unknown kind


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"sold_since": "soon"}, "sold_since is 'soon'; expected e.g. 60d or 8w"),
        ({"sold_since": "0.1"}, "sold_since is '0.1'"),
        ({"sold_since": 60}, "sold_since is 60"),
        ({"diversity": 1.5}, "diversity is 1.5; expected a weight from 0 to 1"),
        ({"diversity": True}, "diversity is True"),
        ({"calibration": 0.5}, "rules on categories need the categories of items"),
        ({"diversity": 0.6, "popularity_discount": 0.6}, "1.2 together; expected at most 1"),
        ({"pool": 0}, "pool is 0; expected a whole number, 1 or more"),
    ],
)
def test_weights_and_dates_that_are_none_are_refused(entries, message):
    with pytest.raises(ParameterError, match=message):
        Rules(**entries)
