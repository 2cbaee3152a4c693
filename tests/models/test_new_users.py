"""Models before users they were not trained on."""

import numpy as np
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import InputError, ModelError
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models import new_users, parameters
from recsys.models.base import Model
from recsys.models.new_users import NewUsers
from recsys.models.registry import MODELS, make
from tests.logs import log_of
from tests.matrices import ABSENT, random_matrix, rows_of

TRAIN = Interactions.from_matrix(random_matrix(25, 9, density=0.5))
HISTORIES = random_matrix(6, 9, seed=1)
HISTORIES[4] = ABSENT
SMALL = {"n_components": 3, "max_iter": 30, "l2": 0.05, "l2_exponent": 0.0, "random_state": 1}


def fitted(name):
    known = {entry["name"] for entry in parameters.describe(MODELS[name])}
    return make(name, {key: value for key, value in SMALL.items() if key in known}).fit(TRAIN)


FOLDING = [name for name in MODELS if MODELS[name]().folds_in]


def test_who_folds_in_is_known_before_a_fit():
    assert {"masked-nmf", "popularity"} <= set(FOLDING)
    assert "bayesian-nmf" not in FOLDING


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(FOLDING)))
def test_a_model_that_knows_only_its_users_says_so(name):
    message = f"{name} knows only the users it was trained on"
    with pytest.raises(ModelError, match=message):
        MODELS[name]().check_folds_in()
    with pytest.raises(ModelError, match=message):
        fitted(name).score_histories(rows_of(HISTORIES))


@pytest.mark.parametrize("name", FOLDING)
def test_scores_of_a_history_do_not_depend_on_the_others(name):
    model = fitted(name)
    rows = rows_of(HISTORIES)
    scores = model.score_histories(rows)
    assert scores.shape == (6, 9)
    assert scores.dtype == np.float32
    assert np.all(np.isfinite(scores))
    for row in range(6):
        np.testing.assert_array_equal(model.score_histories(rows.select(np.array([row])))[0], scores[row])
    scores[:] = 0  # a fresh array: the model's own state is untouched
    assert np.any(model.score_histories(rows) != 0)


@pytest.mark.parametrize("name", FOLDING)
def test_histories_of_other_items_are_refused(name):
    with pytest.raises(InputError, match="items"):
        fitted(name).score_histories(rows_of(HISTORIES[:, :8]))


def test_popularity_is_the_same_for_everyone():
    model = fitted("popularity")
    np.testing.assert_array_equal(
        model.score_histories(rows_of(HISTORIES)), np.tile(TRAIN.item_counts, (6, 1))
    )


@pytest.mark.parametrize("biases", [True, False])
def test_histories_seen_in_training_score_about_as_they_did_there(biases):
    model = make("masked-nmf", SMALL | {"max_iter": 500, "tol": 0.0, "l2": 1.0, "biases": biases}).fit(TRAIN)
    assert biases == bool(np.any(model.user_bias_ != 0))
    np.testing.assert_allclose(
        model.score_histories(TRAIN.by_user), model.score_block(np.arange(25)), atol=2e-3
    )


class Planted(Model):
    """Predicts twenty times the first value of a history, plus the item's number."""

    name = "planted"
    predicts_values = True

    def __init__(self, n_items):
        self.n_items_ = n_items

    def _fit(self, data, progress):
        """Learn nothing."""

    def score_block(self, users):
        raise AssertionError("users of the training data were asked for")

    def score_histories(self, rows):
        first = np.array([rows.row(row)[1][0] for row in range(rows.n_rows)])
        return (20 * first[:, None] + np.arange(rows.n_columns)).astype(np.float32)

    def to_arrays(self):
        return {}

    def restore(self, arrays):
        """Take nothing back."""


def test_users_are_rows_of_the_histories(monkeypatch):
    histories = rows_of(np.array([[3, 60, ABSENT], [ABSENT, 1, 2.0], [0, ABSENT, ABSENT]]))
    with pytest.raises(InputError, match="3 items; planted was trained on 4"):
        NewUsers(Planted(4), histories)
    model = Planted(3)
    users, items = np.array([2, 0, 1, -1, 1, 0, 2]), np.array([1, 0, 2, 0, -1, 2, 2])
    for block in (1, 10**9):
        monkeypatch.setattr(new_users, "_BLOCK_BYTES", block)
        new = NewUsers(model, histories)
        np.testing.assert_array_equal(new.score_block([1, 0]), [[20, 21, 22], [60, 61, 62]])
        # Inside 0 to 60; the mean of a user's own values, or of all, where nothing else is known.
        expected = [1, 60, 22, np.mean([3, 60, 1, 2, 0]), 1.5, 60, 2]  # 62 is above all values
        np.testing.assert_allclose(new.predict_by_row(users, items), expected, rtol=1e-6)


def test_evaluation_takes_them_for_a_model():
    train = Interactions.from_log(log_of([("a", "x"), ("a", "y"), ("b", "x"), ("b", "z"), ("c", "w")]))
    told = Interactions(rows_of(np.array([[ABSENT, 1.0, ABSENT, ABSENT]])), train.user_ids.select([0]),
                        train.item_ids, "implicit")  # fmt: skip
    held_out = HeldOut.from_log(log_of([("a", "z"), ("a", "x")]), None, told)
    assert held_out.n_repeated == 1
    model = make("popularity").fit(train)
    found = evaluate(NewUsers(model, told.by_user), told.by_user, held_out, parse_metrics("mrr@3"))
    # Of the items not told, w, y and z, all as popular, z is the third.
    assert found.metrics["mrr@3"] == pytest.approx(1 / 3)
