"""The rule for the penalty of ratings: what it says, and that values in other units make the same model."""

from dataclasses import replace

import numpy as np
import pytest

from recsys import evaluate, split
from recsys.data.interactions import Interactions
from recsys.data.load import load_log
from recsys.data.rows import CompressedRows
from recsys.models.baselines.bias import Bias
from recsys.models.baselines.explicit_als import ExplicitALS
from recsys.models.hybrid_nmf import HybridNMF
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.rating_penalty import ratings_l2
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix

EVERYONE = np.arange(60)


def ratings(scale=1.0, *, density=0.4, shape=(60, 25)):
    return random_matrix(*shape, density=density) * scale


def log(matrix):
    return Interactions.from_matrix(matrix, feedback="explicit")


def rows(matrix):
    return log(matrix).by_user


def test_the_rule_is_what_its_formula_says():
    # 400 users with 100 ratings each, 200 items with 200 each: q = 1 / 10 + 1 / sqrt(200)
    matrix = np.full((400, 200), np.nan)
    generator = np.random.default_rng(0)
    for user in range(400):
        matrix[user, (user + np.arange(100)) % 200] = generator.normal(10, 1, 100)
    entries = rows(matrix)
    q = 1 / 10 + 1 / np.sqrt(200)
    expected = 1.1 * q**2 * np.nanstd(matrix)
    assert ratings_l2(entries) == pytest.approx(expected, rel=1e-5)


def test_few_ratings_have_a_bound():
    matrix = np.array([[1.0, np.nan], [np.nan, 5.0]])
    assert ratings_l2(rows(matrix)) == pytest.approx(0.3 * 2.0)


def test_rows_and_columns_without_ratings_do_not_count():
    matrix = ratings()
    wider = np.full((100, 40), np.nan)
    wider[:60, :25] = matrix
    assert ratings_l2(rows(wider)) == ratings_l2(rows(matrix))


@pytest.mark.parametrize("values", [[0.0, 0.0], [3.0, 3.0], [1e-30, 1e-30], [1e30, 3e30], [-2.0, 2.0]])
def test_the_rule_is_finite_for_any_values(values):
    entries = CompressedRows(np.array([0, 1, 2]), np.array([0, 1], np.int32), np.array(values, np.float32), 2)
    l2 = ratings_l2(entries)
    assert 0 <= l2 <= 0.3 * np.abs(values).max() * 1.001


@pytest.mark.parametrize("make", [MaskedNMF, lambda: MaskedNMF(biases=False), ExplicitALS])
@pytest.mark.parametrize("scale", [10.0, 1 / 16, 20.0])
def test_ratings_in_other_units_make_the_same_model(make, scale):
    ours, other = make().fit(ratings()), make().fit(ratings(scale))
    assert other.config()["l2"] == pytest.approx(scale * ours.config()["l2"], rel=1e-5)
    users, items = np.repeat(EVERYONE, 25), np.tile(np.arange(25), 60)
    predicted, scaled = (model.predict_by_row(users, items) for model in (ours, other))
    np.testing.assert_allclose(scaled, scale * predicted, rtol=2e-3)


def test_a_divergence_has_no_unit():
    for scale in (1.0, 10.0):
        model = MaskedNMF(4, loss="kl", biases=False).fit(ratings(scale))
        assert model.config()["l2"] == 0.08


def test_a_given_penalty_is_kept():
    assert MaskedNMF(4, l2=0.5).fit(ratings()).config()["l2"] == 0.5
    assert ExplicitALS(4, l2=0.5).fit(ratings()).config()["l2"] == 0.5


@pytest.mark.parametrize("kind", [MaskedNMF, ExplicitALS])
def test_new_users_are_folded_in_with_the_penalty_of_the_fit(kind):
    ruled = kind(4).fit(ratings())
    given = kind(4, l2=ruled.config()["l2"]).fit(ratings())
    few = rows(ratings(density=0.1, shape=(5, 25)))
    np.testing.assert_array_equal(ruled.score_histories(few), given.score_histories(few))


def test_an_update_keeps_the_penalty_of_the_fit():
    model = MaskedNMF(4).fit(log(ratings()))
    l2 = model.config()["l2"]
    more = np.full((60, 25), np.nan)
    more[0] = 5.0
    assert model.partial_fit(more, reach="all").config()["l2"] == l2


def test_a_stored_hybrid_predicts_ratings_of_new_users_as_before(tmp_path):
    data = log(ratings())
    model = HybridNMF(4, n_neighbors=5).fit(data)
    save_bundle(Bundle.of(model, data), tmp_path / "model")
    loaded = load_bundle(tmp_path / "model").model
    few = rows(ratings(density=0.1, shape=(5, 25)))
    np.testing.assert_array_equal(loaded.predict_histories(few), model.predict_histories(few))


@pytest.mark.parametrize(("n_users", "n_items", "n_ratings"), [(3000, 1500, 9000), (300, 150, 9000)])
def test_ratings_without_a_pattern_are_predicted_no_worse_than_by_biases(n_users, n_items, n_ratings):
    """Biases and noise, few and many ratings each: there is nothing else to be learned."""
    generator = np.random.default_rng(1)
    pairs = generator.permutation(n_users * n_items)[: 2 * n_ratings]
    users, items = np.divmod(pairs, n_items)
    level = generator.normal(0, 0.5, n_users)[users] + generator.normal(0, 0.5, n_items)[items]
    values = 5 + level + generator.normal(0, 1, len(pairs))
    train = slice(0, n_ratings)
    ids = np.arange(n_items)
    data = Interactions.from_pairs(users[train], ids[items[train]], values[train], feedback="explicit")
    user_rows, item_rows = data.user_ids.rows(users), data.item_ids.rows(items)

    def rmse(model):
        predicted = model.fit(data).predict_by_row(user_rows[n_ratings:], item_rows[n_ratings:])
        return np.sqrt(np.mean(np.square(predicted - values[n_ratings:])))

    of_biases = rmse(Bias(bias_l2=3.0))
    for model in (MaskedNMF(), ExplicitALS()):
        assert rmse(model) < 1.015 * of_biases
    assert rmse(MaskedNMF(l2=0.02)) > 1.015 * of_biases  # the comparison could fail


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ml-100k", "movietweetings-100k"])
def test_real_ratings_are_predicted_better_than_by_biases_on_any_scale(shared_data, name):
    loaded = load_log(str(shared_data / name / "ratings.parquet"))
    rmse = {}
    for scale in (1.0, 10.0):
        log = replace(loaded, log=replace(loaded.log, values=loaded.log.values * scale))
        parts = split(log, "random:0.2")
        rmse[scale] = {
            model.name: evaluate(model, parts, metrics="rmse").metrics["rmse"]
            for model in (MaskedNMF(), Bias())
        }
        assert rmse[scale]["masked-nmf"] < rmse[scale]["bias"]
    for name_of_model, value in rmse[1.0].items():
        assert rmse[10.0][name_of_model] == pytest.approx(10 * value, rel=1e-3)
