from dataclasses import replace

import numpy as np
import pytest

from recsys.data.interactions import Interactions
from recsys.data.log import Log
from recsys.errors import InputError
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.new_users import NewUsers
from recsys.models.slim import SLIM
from recsys.models.stored_arrays import PartArrays
from recsys.models.weighted_nmf import WeightedNMF
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.recommend.recommender import Recommender
from recsys.recommend.themes import themes
from tests.matrices import random_matrix

TRAIN = Interactions.from_matrix(random_matrix(80, 30, density=0.3), feedback="implicit")
EVERYONE = np.arange(80)


@pytest.fixture(scope="module")
def fitted():
    return HybridNMF(4, l2=0.1, unobserved_weight=0.1).fit(TRAIN)


def test_a_score_is_what_themes_and_neighbors_add(fitted):
    added = fitted.themes_.score_block(EVERYONE) + fitted.neighbors_.score_block(EVERYONE)
    np.testing.assert_allclose(fitted.score_block(EVERYONE), added, rtol=1e-5)


def test_every_part_of_a_score_is_non_negative_and_they_add_up(fitted):
    scores = fitted.score_block(EVERYONE)
    for user, item in ((0, 1), (5, 29), (79, 0)):
        of_themes = fitted.component_model.contributions(np.array([user]), np.array([item]))
        of_items = fitted.score_parts(user, [item]).from_past
        assert of_themes.min() >= 0
        assert of_items.min() >= 0
        assert of_themes.sum() + of_items.sum() == pytest.approx(scores[user, item], rel=1e-5)


def test_the_parts_are_those_fitted_alone_at_the_given_ratio(fitted):
    themes_alone = WeightedNMF(4, l2=0.1, unobserved_weight=0.1, max_iter=3).fit(TRAIN)
    neighbors_alone = SLIM().fit(TRAIN)
    np.testing.assert_array_equal(fitted.themes_.score_block(EVERYONE), themes_alone.score_block(EVERYONE))
    ours, alone = fitted.neighbors_.score_block(EVERYONE), neighbors_alone.score_block(EVERYONE)
    size = np.sqrt(np.square(themes_alone.score_block(EVERYONE), dtype=np.float64).mean())
    ratio = 2.0 * size / np.sqrt(np.square(alone, dtype=np.float64).mean())
    np.testing.assert_allclose(ours, alone * ratio, rtol=1e-4)


def test_without_weight_the_neighbors_say_nothing():
    model = HybridNMF(4, l2=0.1, unobserved_weight=0.1, neighbor_weight=0).fit(TRAIN)
    np.testing.assert_array_equal(model.score_block(EVERYONE), model.themes_.score_block(EVERYONE))


@pytest.mark.parametrize(("n_users", "expected"), [(80, 64), (1000, 125), (2496, 256)])
def test_the_number_of_components_follows_the_smaller_side(n_users, expected):
    generator = np.random.default_rng(0)
    matrix = np.where(generator.random((n_users, 2500)) < 0.005, 1.0, np.nan)
    model = HybridNMF(max_iter=1, n_neighbors=2).fit(Interactions.from_matrix(matrix, feedback="implicit"))
    assert model.themes_.n_components == expected
    assert model.config()["n_components"] == expected


def test_new_users_get_both_parts(fitted):
    scores = fitted.score_histories(TRAIN.by_user)
    expected = fitted.themes_.score_histories(TRAIN.by_user) + fitted.neighbors_.score_block(EVERYONE)
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_a_stored_model_has_its_themes_lists_and_history(fitted, tmp_path):
    save_bundle(Bundle.of(fitted, TRAIN), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model")
    ours, theirs = (Recommender(bundle).recommend(n=3) for bundle in (Bundle.of(fitted, TRAIN), loaded))
    np.testing.assert_array_equal(ours.scores, theirs.scores)
    np.testing.assert_array_equal(ours.themes, theirs.themes)
    assert [theme.share for theme in themes(loaded)] == [
        theme.share for theme in themes(Bundle.of(fitted, TRAIN))
    ]
    assert loaded.model.history.stopped == fitted.history.stopped
    assert loaded.model.config() == fitted.config()


def test_the_share_of_a_theme_is_of_the_whole_score(fitted):
    bundle = Bundle.of(fitted, TRAIN)
    lists = Recommender(bundle).recommend([3], n=5)
    items = bundle.item_ids.rows(lists.items)
    parts = fitted.themes_.contributions(np.full(5, 3), items)
    np.testing.assert_allclose(lists.theme_shares, parts.max(axis=1) / lists.scores, rtol=1e-5)


def test_an_interrupt_keeps_the_best_state_of_the_themes():
    class Interrupting:
        def start(self, task, total):
            self.is_of_themes = task == "weighted-nmf"

        def advance(self, steps=1, note=""):
            if self.is_of_themes:
                raise KeyboardInterrupt

        def finish(self):
            pass

    model = HybridNMF(4, l2=0.1, unobserved_weight=0.1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(TRAIN, progress=Interrupting())
    assert model.history.stopped == "interrupted"
    assert np.isfinite(model.score_block(EVERYONE)).all()


def test_a_second_fit_that_is_interrupted_before_its_themes_leaves_the_first_one():
    class Interrupting:
        def start(self, task, total):
            if task == "weighted-nmf":
                raise KeyboardInterrupt

        def advance(self, steps=1, note=""):
            pass

        def finish(self):
            pass

    model = HybridNMF(4, l2=0.1, unobserved_weight=0.1).fit(TRAIN)
    scores = model.score_block(EVERYONE)
    other = Interactions.from_matrix(random_matrix(80, 30, density=0.2, seed=1), feedback="implicit")
    with pytest.raises(KeyboardInterrupt):
        model.fit(other, progress=Interrupting())
    np.testing.assert_array_equal(model.score_block(EVERYONE), scores)
    assert model.training_ is TRAIN


def test_parts_keep_the_names_of_the_whole():
    arrays = PartArrays({"themes_a": np.zeros(1), "neighbors_b": np.zeros(1)}, "themes_")
    assert list(arrays) == ["a"]
    assert arrays.prefix == "themes_"


RATINGS = Interactions.from_matrix(random_matrix(60, 25, density=0.4))


@pytest.fixture(scope="module")
def of_ratings():
    return HybridNMF(4, l2=0.1, unobserved_weight=0.1).fit(RATINGS)


def test_of_ratings_it_ranks_by_one_part_and_predicts_by_another(of_ratings):
    alone = MaskedNMF().fit(RATINGS)
    users, items = np.array([0, 5, -1]), np.array([1, -1, 3])
    np.testing.assert_array_equal(of_ratings.predict_by_row(users, items), alone.predict_by_row(users, items))
    as_taken = HybridNMF(4, l2=0.1, unobserved_weight=0.1, ratings="no").fit(RATINGS)
    assert not as_taken.predicts_values
    rows = np.arange(60)
    np.testing.assert_array_equal(of_ratings.score_block(rows), as_taken.score_block(rows))


def test_its_lists_show_the_predicted_rating(of_ratings, tmp_path):
    save_bundle(Bundle.of(of_ratings, RATINGS), tmp_path / "model")
    bundle = load_bundle(tmp_path / "model")
    lists = Recommender(bundle).recommend([3, "nobody"], n=4)
    rows = bundle.user_ids.rows([3, "nobody"]).repeat(4)
    expected = of_ratings.predict_by_row(rows, bundle.item_ids.rows(lists.items))
    np.testing.assert_array_equal(lists.predicted, expected)
    assert lists.to_frame().columns[-1] == "predicted"
    assert [row["predicted"] for row in next(lists.lists())["items"]] == expected[:4].tolist()
    assert lists.select([3]).predicted.tolist() == expected[:4].tolist()


def test_lists_of_histories_show_ratings_of_the_scale_and_none_without_ratings(of_ratings):
    bundle = Bundle.of(of_ratings, RATINGS)
    low, high = bundle.value_range
    rated = {3: high, 5: high}
    together = bundle.recommend_for_each({"rated": rated, "taken": [3, 5], "low": {7: low}}, n=4)
    alone = bundle.recommend_for(rated, n=4)
    np.testing.assert_array_equal(together.predicted[:4], alone.predicted)  # whoever is beside
    assert len(set(alone.predicted.tolist())) > 1  # not all the rating that the history has
    assert low <= alone.predicted.min()
    assert alone.predicted.max() <= high
    assert np.isnan(together.predicted[4:8]).all()
    assert ["predicted" in listed["items"][0] for listed in together.lists()] == [True, False, True]
    assert bundle.recommend_for([3, 5], n=4).predicted is None


def test_new_users_get_predicted_ratings_of_the_rating_part(of_ratings):
    new = NewUsers(of_ratings, RATINGS.by_user)
    predicted = new.predict_by_row(np.zeros(25, dtype=np.int64), np.arange(25))
    expected = np.clip(of_ratings.ratings_.score_histories(RATINGS.by_user.select(np.array([0])))[0], 1, 5)
    np.testing.assert_allclose(predicted, expected, rtol=1e-6)


def test_what_is_not_liked_is_no_part_of_the_lists_but_stays_seen():
    picky = HybridNMF(4, l2=0.1, unobserved_weight=0.1, liked_from=4).fit(RATINGS)
    kept = RATINGS.by_user.values >= 4
    high = Interactions(RATINGS.by_user.only(kept), RATINGS.user_ids, RATINGS.item_ids, "explicit")
    alone = HybridNMF(4, l2=0.1, unobserved_weight=0.1).fit(high)
    rows = np.arange(60)
    np.testing.assert_array_equal(picky.score_block(rows), alone.score_block(rows))
    lists = Recommender(Bundle.of(picky, RATINGS)).recommend([0], n=25)
    assert not set(lists.items.tolist()) & set(RATINGS.by_user.row(0)[0].tolist())


def test_nothing_liked_is_told():
    with pytest.raises(InputError, match=r"liked_from=9; values run from 1 to 5"):
        HybridNMF(liked_from=9).fit(RATINGS)


@pytest.mark.parametrize(("n_users", "expected"), [(4, 1.0), (16, 1.76), (100, 2.0)])
def test_neighbors_count_by_the_users_of_an_item_where_nothing_is_given(n_users, expected):
    data = Interactions.from_matrix(np.ones((n_users, 8)), feedback="implicit")
    model = HybridNMF(2).fit(data)
    assert model.config()["neighbor_weight"] == pytest.approx(expected)
    same = HybridNMF(2, neighbor_weight=expected).fit(data)
    np.testing.assert_allclose(model.score_block([0]), same.score_block([0]), rtol=1e-6)


def test_ages_count_among_neighbors_and_in_what_a_score_loses():
    generator = np.random.default_rng(0)
    pairs = np.argwhere(generator.random((40, 12)) < 0.4)
    log = Log.from_pairs(*pairs.T, generator.integers(1, 6, len(pairs)).astype(float))
    data = replace(Interactions.from_log(log), time=generator.permutation(len(pairs)))
    model = HybridNMF(2, neighbor_half_life=0.2, liked_from=2, ratings="no").fit(data)
    taken = data.by_user.values >= 2
    ages = (data.time[taken].max() - data.time[taken]) / np.ptp(data.time[taken])
    np.testing.assert_allclose(model.neighbors_.histories_.values, 0.5 ** (ages / 0.2), rtol=1e-5)
    user = 5
    parts, rows = model.score_parts(user, [3]), data.by_user.select(np.array([user]))
    scores = model.score_block([user])
    assert parts.totals[0] == pytest.approx(scores[0, 3], rel=1e-5)
    own = model.as_of_user(user)
    neighbors = own.score_histories(rows) - own.themes_.score_histories(model._counted(rows))
    np.testing.assert_allclose(neighbors, scores - model.themes_.score_block([user]), rtol=1e-4, atol=1e-5)
