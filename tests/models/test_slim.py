from dataclasses import replace

import numpy as np
import pytest

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError, ParameterError
from recsys.factorization import neighbor_problem
from recsys.models.neighbor_penalty import slim_l2
from recsys.models.slim import SLIM
from tests.matrices import random_matrix, rows_of

TRAIN = Interactions.from_matrix(random_matrix(60, 25, density=0.3), feedback="implicit")


def plain(**params):
    """Return a model without weights by activity or popularity: the problem of the paper."""
    return SLIM(user_exponent=0, item_exponent=0, target_exponent=0, tol=1e-6, max_iter=500, **params)


def binary():
    return np.minimum(TRAIN.by_user.to_scipy().toarray(), 1.0)


def test_scores_are_histories_times_weights():
    model = SLIM(5).fit(TRAIN)
    expected = binary() @ model.weights_.to_scipy().toarray()
    np.testing.assert_allclose(model.score_block(np.arange(60)), expected, rtol=1e-5, atol=1e-6)


def test_without_exponents_it_solves_the_problem_of_the_paper():
    x, b = binary(), plain(l2=2.0).fit(TRAIN).weights_.to_scipy().toarray().astype(np.float64)
    slopes = x.T @ (x - x @ b) - 2.0 * b
    outside = ~np.eye(25, dtype=bool)
    assert np.abs(slopes[(b > 0) & outside]).max() < 1e-2
    assert slopes[(b == 0) & outside].max() < 1e-2


def test_exponents_weigh_rows_and_columns_and_are_taken_back():
    params = {"user_exponent": 0.3, "item_exponent": 0.4, "target_exponent": 0.1}
    model = SLIM(l2=1.0, tol=1e-6, max_iter=500, **params).fit(TRAIN)
    x = binary()
    activity, popularity = x.sum(axis=1), np.maximum(x.sum(axis=0), 1)
    weighted = x * ((activity / activity.mean()) ** -0.3)[:, None] * popularity**-0.4
    b = model.weights_.to_scipy().toarray() * (popularity**0.4)[:, None] * popularity ** (0.1 - 0.4)
    slopes = weighted.T @ (weighted - weighted @ b) - b
    outside = ~np.eye(25, dtype=bool)
    assert np.abs(slopes[(b > 0) & outside]).max() < 1e-3
    assert slopes[(b == 0) & outside].max() < 1e-3


def test_an_item_has_at_most_so_many_neighbors():
    for n_neighbors in (1, 3, 1000):
        by_target = SLIM(n_neighbors).fit(TRAIN).weights_.transposed()
        assert by_target.counts.max() <= min(n_neighbors, 24)


def test_parts_of_past_items_add_up_to_the_score():
    model = SLIM(value_transform="log").fit(TRAIN)
    for user in (0, 7):
        scores = model.score_block(np.array([user]))[0]
        for item in (0, 11):
            parts = model.score_parts(user, [item])
            assert parts.past_items.tolist() == TRAIN.by_user.row(user)[0].tolist()
            assert parts.from_past.min() >= 0
            assert parts.totals[0] == pytest.approx(scores[item], rel=1e-6)


def test_a_new_user_with_the_history_of_another_gets_the_same_scores():
    model = SLIM().fit(TRAIN)
    np.testing.assert_array_equal(model.score_histories(TRAIN.by_user), model.score_block(np.arange(60)))


def test_an_item_whose_users_all_have_another_is_led_by_it():
    matrix = np.full((40, 6), np.nan)
    generator = np.random.default_rng(0)
    matrix[generator.random((40, 6)) < 0.2] = 1
    matrix[:20, 0] = matrix[:20, 1] = 1
    model = plain(l2=0.1).fit(Interactions.from_matrix(matrix, feedback="implicit"))
    weights = model.weights_.to_scipy().toarray()
    assert weights[0].argmax() == 1
    assert weights[1].argmax() == 0


@pytest.mark.parametrize("matrix", [np.ones((1, 5)), np.ones((5, 1)), np.ones((6, 6))])
def test_users_all_alike_get_finite_scores(matrix):
    scores = SLIM().fit(Interactions.from_matrix(matrix, feedback="implicit")).score_block(np.array([0]))
    assert np.isfinite(scores).all()


def test_counts_of_a_million_and_raw_amounts_fit():
    matrix = random_matrix(30, 10) * 1e6
    for value_transform in ("raw", "log"):
        model = SLIM(value_transform=value_transform).fit(
            Interactions.from_matrix(matrix, feedback="implicit")
        )
        assert np.isfinite(model.score_block(np.arange(30))).all()
        assert model.weights_.nnz


def parts_of_log(seed=0):
    """Return a log in two parts, of which the second has new users and items, and the whole of it."""
    generator = np.random.default_rng(seed)
    pairs = np.argwhere(generator.random((50, 20)) < 0.3)
    late = (pairs[:, 1] > 12) & ((generator.random(len(pairs)) < 0.2) | (pairs[:, 1] == 19))
    made = [Interactions.from_pairs(*pairs[part].T, feedback="implicit") for part in (~late, late)]
    return *made, made[0].merged(made[1])


def explained(model):
    """Return the weights by which each item is explained, (n_items, n_items), by target."""
    return model.weights_.to_scipy().toarray().T


def test_an_update_fits_the_items_with_new_entries_and_leaves_the_others():
    first, second, whole = parts_of_log()
    touched = np.unique(whole.item_ids.rows(second.item_ids.values))
    model = SLIM(l2=20.0).fit(first)
    before = explained(model)
    assert model.partial_fit(second) is model
    afresh = SLIM(l2=20.0).fit(whole)
    assert (model.n_users_, model.n_items_) == (whole.n_users, whole.n_items)
    np.testing.assert_allclose(explained(model)[touched], explained(afresh)[touched], rtol=1e-5)
    others = np.setdiff1d(np.arange(first.n_items), touched)
    assert len(others)
    np.testing.assert_array_equal(explained(model)[others, : first.n_items], before[others])
    assert not explained(model)[others, first.n_items :].any()
    np.testing.assert_array_equal(model.histories_.columns, afresh.histories_.columns)
    users = np.arange(whole.n_users)
    expected = whole.by_user.to_scipy().toarray() @ explained(model).T
    np.testing.assert_allclose(model.score_block(users), expected, rtol=1e-5, atol=1e-6)


def test_an_update_of_every_item_is_a_fit_bit_for_bit():
    first, second, whole = parts_of_log()
    afresh = SLIM(l2=20.0).fit(whole)
    everything = SLIM(l2=20.0).fit(first).partial_fit(second, reach="all")
    again = SLIM(l2=20.0).fit(first).partial_fit(whole)
    for model in (everything, again):
        for name, array in afresh.to_arrays().items():
            np.testing.assert_array_equal(model.to_arrays()[name], array)


def test_a_loaded_model_is_updated_with_the_data_it_was_fitted_to():
    first, second, _ = parts_of_log()
    fitted, loaded = SLIM().fit(first), SLIM()
    loaded.load(fitted.to_arrays(), ids=(first.user_ids, first.item_ids))
    with pytest.raises(ModelError, match=r"give it: partial_fit\(X, known=data\)"):
        loaded.partial_fit(second)
    strangers = replace(first, user_ids=Ids(first.user_ids.values + 1000))
    with pytest.raises(InputError, match="other users or items"):
        loaded.partial_fit(second, known=strangers)
    loaded.fitted_params_ = fitted.fitted_params_
    loaded.partial_fit(second, known=first)
    np.testing.assert_array_equal(explained(loaded), explained(fitted.partial_fit(second)))


def test_what_an_update_cannot_use_is_said():
    first, second, _ = parts_of_log()
    with pytest.raises(ParameterError, match="reach is 'some'; expected touched or all"):
        SLIM().fit(first).partial_fit(second, reach="some")
    with pytest.raises(ParameterError, match="value_transform is 'raw', but the model was fitted with"):
        SLIM().fit(first).set_params(value_transform="raw").partial_fit(second)
    with pytest.raises(InputError, match="has 3 features"):
        SLIM().fit(first).partial_fit(np.ones((1, 3)))
    np.testing.assert_array_equal(explained(SLIM().partial_fit(first)), explained(SLIM().fit(first)))


def test_a_user_of_very_many_items_names_no_candidates_but_counts(monkeypatch):
    """With such users known by their number, weights still solve the problem over the candidates."""
    monkeypatch.setattr(neighbor_problem, "_MOST_ITEMS", 10)
    b = plain(l2=2.0, n_neighbors=24).fit(TRAIN).weights_.to_scipy().toarray().astype(np.float64)
    x = binary()
    assert (x.sum(axis=1) > 10).any()
    slopes = x.T @ (x - x @ b) - 2.0 * b
    naming = x[x.sum(axis=1) <= 10]
    candidates = (naming.T @ naming > 0) & ~np.eye(25, dtype=bool)
    assert np.abs(slopes[(b > 0) & candidates]).max() < 1e-2
    assert slopes[(b == 0) & candidates].max() < 1e-2
    assert not b[~candidates].any()


def test_the_penalty_follows_the_users_of_an_item_where_it_is_not_given():
    assert slim_l2(rows_of(np.ones((1, 50)))) == 10
    assert slim_l2(rows_of(np.ones((15, 3)))) == pytest.approx(24)
    assert slim_l2(rows_of(np.ones((400, 3)))) == 30
    half = np.full((15, 6), np.nan)
    half[:, :3] = 1
    assert slim_l2(rows_of(half)) == pytest.approx(24)  # items without users do not count
    model = SLIM().fit(TRAIN)
    assert model.config()["l2"] == slim_l2(TRAIN.by_user)
    np.testing.assert_array_equal(SLIM(**model.config()).fit(TRAIN).weights_.values, model.weights_.values)


def timed(seed=0):
    """Return entries whose times run from 0 to 1000."""
    generator = np.random.default_rng(seed)
    pairs = np.argwhere(generator.random((40, 12)) < 0.4)
    data = Interactions.from_pairs(*pairs.T, feedback="implicit")
    times = np.sort(generator.integers(0, 1000, data.nnz))
    times[[0, -1]] = 0, 1000
    return replace(data, time=generator.permutation(times))


def test_with_a_half_life_an_entry_counts_by_its_age():
    data = timed()
    plain_model, aged = SLIM().fit(data), SLIM(half_life=0.25).fit(data)
    np.testing.assert_array_equal(aged.weights_.values, plain_model.weights_.values)
    matrix = data.by_user.to_scipy()
    matrix.data = 0.5 ** ((1000 - data.time) / 250)
    expected = matrix.toarray() @ aged.weights_.to_scipy().toarray()
    np.testing.assert_allclose(aged.score_block(np.arange(data.n_users)), expected, rtol=1e-5, atol=1e-7)
    parts = aged.score_parts(3, [5])
    assert parts.totals[0] == pytest.approx(expected[3, 5], rel=1e-5)
    # A history without times counts as new; as of the user, it is the user's own.
    rows = data.by_user.select(np.array([3]))
    assert aged.score_histories(rows)[0, 5] > expected[3, 5]
    np.testing.assert_array_equal(aged.as_of_user(3).score_histories(rows), aged.score_block(np.array([3])))
    np.testing.assert_array_equal(aged.score_histories(rows), plain_model.score_histories(rows))


def test_ages_go_on_with_an_update_and_need_times():
    data = timed()
    late = data.time > 600
    first, second = (
        replace(data, by_user=data.by_user.only(part), time=data.time[part]) for part in (~late, late)
    )
    params = {"l2": 20.0, "half_life": 0.25}
    updated, afresh = SLIM(**params).fit(first).partial_fit(second), SLIM(**params).fit(data)
    np.testing.assert_array_equal(updated.histories_.values, afresh.histories_.values)
    with pytest.raises(InputError, match="half_life needs times and the log has none"):
        SLIM(half_life=0.5).fit(TRAIN)
    same_time = replace(data, time=np.full(data.nnz, 7))
    np.testing.assert_array_equal(
        SLIM(half_life=0.1).fit(same_time).histories_.values, SLIM().fit(data).histories_.values
    )
