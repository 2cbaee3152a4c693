"""Examples of users: their history, their list with its reasons, and what was held out."""

from __future__ import annotations

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.examples import sample_users, user_examples
from recsys.recommend.recommender import Recommender
from recsys.recommend.theme_set import theme_set
from recsys.recommend.themes import themes
from tests.logs import random_log

LOG = random_log(300, n_users=20, n_items=15)
IS_HELD_OUT = np.random.default_rng(1).random(len(LOG)) < 0.3
TRAIN = Interactions.from_log(LOG, np.flatnonzero(~IS_HELD_OUT))
HELD_OUT = HeldOut.from_log(LOG, np.flatnonzero(IS_HELD_OUT), TRAIN)


def bundle_of(name="weighted-nmf", item_names=None):
    model = make(name, {"n_components": 3, "max_iter": 5, "random_state": 0}).fit(TRAIN)
    return Bundle.of(model, TRAIN, item_names=item_names or {})


def test_examples_mark_hits_and_give_reasons_from_the_history():
    bundle = bundle_of()
    examples = user_examples(bundle, Recommender(bundle).recommend(n=5, reasons=2), held_out=HELD_OUT)
    assert len(examples) == TRAIN.n_users
    for row, example in enumerate(examples):
        assert example.user == TRAIN.user_ids[row]
        later = {str(TRAIN.item_ids[int(item)]) for item in HELD_OUT.by_user.row(row)[0]}
        assert example.hits == {entry.rank for entry in example.listed if entry.name in later}
        assert example.n_later == HELD_OUT.n_held_out[row]
        history = {str(TRAIN.item_ids[int(item)]) for item in TRAIN.by_user.row(row)[0]}
        assert example.n_history == len(history)
        assert all(set(entry.reason.names) <= history for entry in example.listed)
        assert all(len(entry.reason.names) <= 2 for entry in example.listed)
        values = [value for _, value in example.history]
        assert values == sorted(TRAIN.by_user.row(row)[1].tolist(), reverse=True)[:8]
    assert any(example.hits for example in examples)


def test_without_a_held_out_part_nothing_is_a_hit():
    bundle = bundle_of()
    examples = user_examples(bundle, Recommender(bundle).recommend(n=5))
    assert all(example.n_later is None and not example.hits for example in examples)


def test_a_list_without_reasons_gives_examples_without():
    bundle = bundle_of()
    examples = user_examples(bundle, Recommender(bundle).recommend(n=5))
    assert all(entry.reason is None for example in examples for entry in example.listed)


def test_items_of_one_name_bear_their_ids():
    bundle = bundle_of(item_names=dict.fromkeys(TRAIN.item_ids.values.tolist(), "soup"))
    for example in user_examples(bundle, Recommender(bundle).recommend(n=5)):
        names = [entry.name for entry in example.listed] + [name for name, _ in example.history]
        assert len(set(names)) == len(names)
        assert all(name.startswith("soup (") for name in names)
    for theme in theme_set(bundle, "ours", most=3).themes:
        names = [name for _, name, _ in theme.items]
        assert len(set(names)) == len(names)


def test_users_are_drawn_from_the_candidates_and_the_same_again():
    candidates = np.arange(TRAIN.n_users) % 2 == 0
    drawn = sample_users(TRAIN, 3, seed=4, candidates=candidates)
    assert candidates[drawn].all()
    np.testing.assert_array_equal(drawn, sample_users(TRAIN, 3, seed=4, candidates=candidates))
    nobody = np.zeros(TRAIN.n_users, dtype=bool)
    np.testing.assert_array_equal(
        sample_users(TRAIN, 3, seed=4, candidates=nobody), sample_users(TRAIN, 3, seed=4)
    )


def test_a_set_of_themes_has_the_largest_and_those_asked_for():
    bundle = bundle_of()
    all_numbers = [theme.number for theme in themes(bundle)]
    last = all_numbers[-1]
    chosen = theme_set(bundle, "ours", most=1, also=[last])
    assert [theme.number for theme in chosen.themes] == [1, last]
    assert (chosen.label, chosen.n_themes) == ("ours", 3)
