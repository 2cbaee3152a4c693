"""Ids where people have ids: predictions, lists for a history, and what an unknown id meets."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.models.baselines.bias import Bias
from recsys.models.baselines.item_knn import ItemKNN
from recsys.models.baselines.popularity import Popularity
from recsys.recommend.bundle import Bundle
from recsys.recommend.recommender import Recommender

USERS = [17850, 17850, 13047, 13047, 12583]
ITEMS = ["85099B", "22423", "22423", "84879", "85099B"]


@pytest.fixture(scope="module")
def ratings():
    data = Interactions.from_pairs(USERS, ITEMS, [5, 3, 4, 1, 2])
    return Bundle.of(Bias().fit(data), data)


@pytest.fixture(scope="module")
def purchases():
    data = Interactions.from_pairs(USERS, ITEMS, feedback="implicit")
    return Bundle.of(ItemKNN().fit(data), data)


@pytest.mark.parametrize("user", [17850, "17850", 17850.0, np.int64(17850), np.float64(17850)])
def test_every_spelling_finds_the_same_integer_id(ratings, user):
    row, column = ratings.user_ids.rows([17850])[0], ratings.item_ids.rows(["84879"])[0]
    expected = ratings.model.predict_by_row([row], [column])
    assert ratings.predict(user, "84879") == expected
    assert ratings.predict([user], ["84879"]) == expected
    assert ratings.recommend(user, 1).users == (17850,)
    assert Ids([17850]).rows([user, 17850.5, float("nan"), float("inf"), True]).tolist() == [
        0,
        -1,
        -1,
        -1,
        -1,
    ]


def test_text_ids_that_spell_integers_are_found_by_floats():
    assert Ids(["7", "x"]).rows([7.0, 7, "7", 7.5, "x"]).tolist() == [0, 0, 0, -1, 1]
    assert Ids(["7", "x"]).rows(np.array([7.0, 8.0])).tolist() == [0, -1]
    assert Ids(["7", "x"]).rows(pd.Series([7.0, 8.0]).to_numpy()).tolist() == [0, -1]


def test_one_user_is_paired_with_all_items(ratings):
    every = ratings.predict(13047, ["84879", "22423"])
    assert every.tolist() == [ratings.predict(13047, item)[0] for item in ("84879", "22423")]


def test_no_call_of_a_model_takes_ids_in_silence(ratings):
    with pytest.raises(AttributeError, match=r"by ids, call predict of its bundle.*predict_by_row"):
        ratings.model.predict([17850], ["84879"])
    assert not hasattr(ratings.model, "predict")
    with pytest.raises(InputError, match="If these are ids, ask the bundle"):
        ratings.model.score_block([17850])
    with pytest.raises(InputError, match="Calls that take ids are those of a bundle"):
        ratings.model.predict_by_row([0], ["84879"])


@pytest.mark.parametrize(
    ("users", "items", "message"),
    [
        (196, "22423", "user 196 is not known to the model; those known are such as 12583"),
        (17850, ["22423", "x", "y", "z", "w"], r"item 'x', 'y', 'z' and 1 more is not known"),
        ([17850, 13047], ["22423"] * 3, "2 users and 3 items make no pairs"),
        (None, "22423", r"user_ids is None; expected ids, e\.g\."),
        ([[1]], "22423", r"user_ids holds \[1\]; expected ids"),
        ([True], "22423", "user_ids holds True"),
        ([17850.5], "22423", r"user_ids holds 17850\.5"),
    ],
)
def test_what_is_no_known_id_is_said(ratings, users, items, message):
    with pytest.raises(InputError, match=message):
        ratings.predict(users, items)


def test_a_model_that_only_ranks_predicts_nothing(purchases):
    with pytest.raises(ModelError, match="ranks items but predicts no values"):
        purchases.predict(17850, "22423")


def test_a_history_gets_what_a_user_of_that_history_gets(purchases):
    mine = purchases.recommend_for(["85099B", "22423"], 3)
    theirs = purchases.recommend([17850], 3)
    assert mine.items.tolist() == theirs.items.tolist() == ["84879"]
    assert mine.scores.tolist() == theirs.scores.tolist()
    assert mine.why_short == theirs.why_short
    assert mine.users == ("history",)
    again = purchases.recommend_for(["22423", "85099B", "85099B"], 3)
    assert again.to_frame().equals(mine.to_frame())
    amounts = purchases.recommend_for({"85099B": 1, "22423": 1.0}, 3)
    assert amounts.to_frame().equals(mine.to_frame())
    everything = purchases.recommend_for(["85099B"], 3, include_seen=True)
    assert sorted(everything.items.tolist()) == ["22423", "84879", "85099B"]


def test_an_empty_history_gets_a_list(purchases):
    assert len(purchases.recommend_for([], 3).items) == 3


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        (["85099B", "nothing"], InputError, "item 'nothing' is not known to the model; .* such as '22423'"),
        ({"22423": -1}, InputError, "a value of the history is negative; expected amounts"),
        ({"22423": "five"}, InputError, "no number"),
        (3.5, InputError, "expected ids"),
    ],
)
def test_what_is_wrong_with_a_history_is_said(purchases, history, error, message):
    with pytest.raises(error, match=message):
        purchases.recommend_for(history)


def test_a_model_of_ratings_needs_ratings():
    from recsys.models.masked_nmf import MaskedNMF

    data = Interactions.from_pairs(USERS, ITEMS, [5, 3, 4, 1, 2])
    bundle = Bundle.of(MaskedNMF(1, max_iter=2).fit(data), data)
    with pytest.raises(ParameterError, match=r"learns from ratings; give .*\{'22423': 4\}"):
        bundle.recommend_for(["22423"])
    assert bundle.recommend_for({"22423": 4}, 1).items.shape == (1,)


def test_a_model_without_its_data_is_no_bundle():
    with pytest.raises(InputError, match=r"made of a bundle, not of Popularity.*recsys\.train"):
        Recommender(Popularity())


@pytest.mark.parametrize("text", ["bundle", "data"])
def test_what_is_printed_fits_on_two_lines(purchases, text):
    shown = repr(purchases) if text == "bundle" else repr(Interactions.from_pairs(USERS, ITEMS))
    assert shown.count("\n") < 2
    assert len(shown) < 160
    assert "3 users" in shown
