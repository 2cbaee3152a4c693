import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.errors import ParameterError
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from recsys.recommend.recommender import Recommender
from tests.matrices import observed_matrices, random_matrix

ALMOST_ALL = 1


def recommender_of(train, name="masked-nmf", item_names=None):
    params = {} if name == "popularity" else {"n_components": 2, "l2": 0.05, "max_iter": 5}
    return Recommender(Bundle.of(make(name, params).fit(train), train, item_names=item_names))


@pytest.fixture(scope="module")
def train():
    """Twelve users with the ids 0 to 11, eight items; user 1 lacks one item only."""
    matrix = random_matrix(12, 8, density=0.5)
    matrix[ALMOST_ALL] = 4
    matrix[ALMOST_ALL, 3] = np.nan
    return Interactions.from_matrix(matrix)


@pytest.fixture(scope="module")
def recommender(train):
    return recommender_of(train)


def items_of(recommendations):
    return [[entry["item"] for entry in record["items"]] for record in recommendations.lists()]


@given(observed_matrices(), st.integers(1, 10), st.sampled_from(["masked-nmf", "weighted-nmf", "popularity"]))
def test_lists_hold_unseen_items_once_best_first_and_as_many_as_there_are(matrix, n, name):
    train = Interactions.from_matrix(matrix)
    found = recommender_of(train, name).recommend(n=n)
    scores = recommender_of(train, name).bundle.model.score_block(np.arange(train.n_users))
    # Scores of 0 say nothing: such places go to the most popular items, behind all others.
    popular = np.sum(~np.isnan(matrix), axis=0) if name == "weighted-nmf" else np.zeros(matrix.shape[1])
    for user, listed in enumerate(items_of(found)):
        unseen = np.flatnonzero(np.isnan(matrix[user]))
        is_blank = name == "weighted-nmf" and not scores[user].any()
        assert found.sources[user] == ("popularity" if is_blank else "model")
        best = sorted(
            unseen.tolist(),
            key=lambda item: (-scores[user, item], -popular[item] if scores[user, item] == 0 else 0, item),
        )
        assert listed == best[:n]
        assert bool(found.why_short[user]) == (len(unseen) < n)


def test_a_shorter_list_has_its_reason(recommender):
    found = recommender.recommend([ALMOST_ALL], 5)
    assert items_of(found) == [[3]]
    assert found.why_short[0].startswith("only 1 item")
    assert recommender.recommend([ALMOST_ALL], 1).why_short == ("",)


def test_a_list_shorter_than_asked_with_nothing_left_out_names_another_reason(recommender):
    # Neither list leaves out seen items, so they are not what makes it short.
    for found in (recommender.recommend([0], 9, include_seen=True), recommender.recommend([99], 9)):
        assert len(found.items) == 8
        assert found.why_short[0]
        assert "not yet seen" not in found.why_short[0]


def test_seen_items_are_listed_if_asked_for(recommender, train):
    found = recommender.recommend([ALMOST_ALL], 8, include_seen=True)
    scores = recommender.bundle.model.score_block(np.array([ALMOST_ALL]))[0]
    assert items_of(found) == [np.argsort(-scores, kind="stable").tolist()]


def test_unknown_users_get_the_most_popular_items_and_the_order_stays(recommender, train):
    found = recommender.recommend([99, 4, "nobody", 2], 3)
    assert found.users == (99, 4, "nobody", 2)
    assert found.sources == ("popularity", "model", "popularity", "model")
    counts = train.by_item.counts
    most_popular = np.argsort(-counts, kind="stable")[:3].tolist()
    lists = items_of(found)
    assert lists[0] == lists[2] == most_popular
    assert lists[1] == items_of(recommender.recommend([4], 3))[0]
    np.testing.assert_array_equal(found.scores[:3], counts[most_popular])
    assert not found.themes[:3].any()


def test_only_unknown_users(recommender):
    assert recommender.recommend([99], 2).sources == ("popularity",)


def test_nobody_asked_for_gets_nothing(recommender):
    found = recommender.recommend([], 2)
    assert len(found) == 0
    assert list(found.lists()) == []
    assert found.to_frame().empty


def test_an_id_given_twice_is_served_once(recommender):
    assert recommender.recommend([4, 2, 4], 3).users == (4, 2)


def test_an_id_given_as_number_and_as_text_is_served_once(recommender):
    assert recommender.recommend([4, "4"], 3).users == (4,)


def test_text_that_spells_an_integer_id_finds_it(recommender):
    found = recommender.recommend(["3"], 2)
    assert found.users == (3,)
    assert items_of(found) == items_of(recommender.recommend([3], 2))


def test_text_ids_are_found_and_shown():
    train = Interactions.from_pairs(["ann", "bob", "7", "7"], ["x", "y", "x", "y"])
    found = recommender_of(train).recommend(["bob", 7, "Ann"], 5)
    assert found.users == ("bob", "7", "Ann")
    assert found.sources == ("model", "model", "popularity")
    assert items_of(found) == [["x"], [], ["x", "y"]]


def test_all_users_in_their_order_by_default(recommender):
    assert recommender.recommend(n=1).users == tuple(range(12))


@pytest.mark.parametrize("block_bytes", [1, 100, 2**20])
def test_the_size_of_a_block_does_not_matter(recommender, block_bytes):
    expected = recommender.recommend([3, 99, *range(12)], 4)
    found = recommender.recommend([3, 99, *range(12)], 4, block_bytes=block_bytes)
    assert list(found.lists()) == list(expected.lists())


def test_the_frame_has_a_row_an_item(recommender, train):
    named = recommender_of(train, item_names={0: "Zero", 3: "Three"})
    frame = named.recommend([ALMOST_ALL, 99, 2], 2).to_frame()
    assert frame.columns.tolist() == [
        "user",
        "rank",
        "item",
        "name",
        "score",
        "source",
        "theme",
        "theme_share",
    ]
    assert frame["user"].tolist() == [ALMOST_ALL, 99, 99, 2, 2]
    assert frame["rank"].tolist() == [1, 1, 2, 1, 2]
    names = {0: "Zero", 3: "Three"}
    assert frame["name"].tolist() == [names.get(item, str(item)) for item in frame["item"]]
    assert frame["source"].tolist() == ["model", "popularity", "popularity", "model", "model"]


def test_records_are_plain_values(recommender):
    (record,) = recommender.recommend([ALMOST_ALL], 2).lists()
    assert record["user"] == ALMOST_ALL
    (entry,) = record["items"]
    assert {key: type(value) for key, value in entry.items()} == {
        "rank": int,
        "item": int,
        "name": str,
        "score": float,
        "theme": int,
        "theme_share": float,
    }


def test_the_strongest_theme_is_that_of_the_largest_contribution(recommender):
    found = recommender.recommend(n=8)
    users = np.repeat(np.arange(12), np.diff(found.indptr))
    parts = recommender.bundle.model.contributions(users, found.items)
    totals = parts.sum(axis=1)
    explained = totals > 0
    np.testing.assert_array_equal(found.themes, np.where(explained, parts.argmax(axis=1) + 1, 0))
    np.testing.assert_allclose(found.theme_shares * totals, parts.max(axis=1), rtol=1e-6)
    assert not found.theme_shares[~explained].any()


@pytest.mark.parametrize("name", ["als", "popularity"])
def test_a_model_without_themes_names_none(train, name):
    found = recommender_of(train, name).recommend(n=2)
    assert not found.themes.any()
    assert all(entry["theme"] is None for record in found.lists() for entry in record["items"])


@pytest.mark.parametrize("n", [0, -1, 2.0, True, "3", None])
def test_a_list_length_below_one_or_no_whole_number_is_refused(recommender, n):
    with pytest.raises(ParameterError, match=f"n is {n!r}; expected a whole number, 1 to 1,000,000"):
        recommender.recommend([1], n)


def test_a_single_id_is_one_user(recommender):
    assert recommender.recommend("abc", 2).users == ("abc",)
    assert recommender.recommend(3, 2).users == recommender.recommend("3", 2).users == (3,)
