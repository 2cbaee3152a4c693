import numpy as np
import pytest

from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.errors import InputError
from recsys.evaluate.evaluator import evaluate
from recsys.evaluate.metrics import CATALOGUE, ERRORS, PER_USER, parse_metrics
from recsys.models.catalogue import make
from tests.logs import log_of, random_log
from tests.reference import metrics as reference
from tests.reference import ranking

ALL_METRICS = [f"{name}@{k}" for name in (*PER_USER, *CATALOGUE) for k in (1, 3, 50)] + list(ERRORS)


def fitted(train, name="masked-nmf"):
    return make(name, {} if name == "popularity" else {"n_components": 3, "l2": 0.05, "max_iter": 10}).fit(
        train
    )


@pytest.fixture(scope="module")
def train():
    return Interactions.from_log(random_log(150, n_users=25, n_items=18))


@pytest.fixture(scope="module")
def test_log():
    """Some users, items and pairs are those of training, some are not; ids run further here."""
    return random_log(120, n_users=30, n_items=22, seed=1)


@pytest.fixture(scope="module")
def held_out(train, test_log):
    return HeldOut.from_log(test_log, None, train)


def held_out_by_user(train, test_log):
    """Return {user id: {item id: value}} without the pairs of training; the last value counts."""
    seen = {
        (train.user_ids[u], train.item_ids[i]) for u in range(train.n_users) for i in train.by_user.row(u)[0]
    }
    found = {}
    for event in np.argsort(test_log.times):
        user, item = test_log.user_ids[test_log.users[event]], test_log.item_ids[test_log.items[event]]
        if (user, item) not in seen:
            found.setdefault(user, {})[item] = test_log.values[event]
    return found


@pytest.mark.parametrize("name", ["masked-nmf", "popularity"])
def test_measurements_equal_a_dense_naive_evaluation(train, test_log, held_out, name):
    model = fitted(train, name)
    metrics = [metric for metric in ALL_METRICS if model.predicts_values or metric not in ERRORS]
    found = evaluate(model, train.by_user, held_out, parse_metrics(metrics))

    wanted = held_out_by_user(train, test_log)
    known = sorted(user for user in wanted if user in set(train.user_ids))
    assert len(known) < len(wanted)  # there are cold users
    scores = model.score_block(np.arange(train.n_users))
    lists = {}
    for user in known:
        row = list(train.user_ids).index(user)
        seen = set(train.by_user.row(row)[0].tolist())
        ranked = ranking.select_top(scores[row].tolist(), seen, 50)
        lists[user] = [train.item_ids[item] for item, _ in ranked]

    assert [train.user_ids[row] for row in found.users] == known
    assert found.n_users == len(known)
    assert found.n_pairs == sum(len(items) for items in wanted.values())
    assert list(found.metrics) == metrics
    for metric in metrics:
        base, _, k = metric.partition("@")
        if base in PER_USER:
            expected = [reference.PER_USER[base](lists[user], set(wanted[user]), int(k)) for user in known]
            np.testing.assert_allclose(found.per_user[metric], expected, atol=1e-12)
            assert found.metrics[metric] == pytest.approx(np.mean(expected))
        elif base in CATALOGUE:
            expected = reference.coverage(list(lists.values()), train.n_items, int(k))
            assert found.metrics[metric] == pytest.approx(expected)
        else:
            predicted = model.predict(held_out.users, held_out.items).tolist()
            expected = getattr(reference, base)(predicted, held_out.values.tolist())
            assert found.metrics[metric] == pytest.approx(expected)


def test_errors_are_over_all_held_out_pairs_cold_ones_too(train, test_log, held_out):
    model = fitted(train)
    found = evaluate(model, train.by_user, held_out, parse_metrics("rmse,mae"))
    predicted, actual = [], []
    for user, items in held_out_by_user(train, test_log).items():
        rows = train.user_ids.rows([user] * len(items)), train.item_ids.rows(list(items))
        predicted += model.predict(*rows).tolist()
        actual += items.values()
    assert found.metrics["rmse"] == pytest.approx(reference.rmse(predicted, actual))
    assert found.metrics["mae"] == pytest.approx(reference.mae(predicted, actual))
    assert found.per_user == {}


def test_cold_items_count_as_held_out_items_that_are_missed():
    train = Interactions.from_log(log_of([("ann", "a"), ("bob", "b")]))
    held_out = HeldOut.from_log(log_of([("ann", "b"), ("ann", "new")]), None, train)
    found = evaluate(
        fitted(train, "popularity"), train.by_user, held_out, parse_metrics("recall@5,precision@5")
    )
    assert found.metrics == {"recall@5": 0.5, "precision@5": 0.2}


@pytest.mark.parametrize("block_bytes", [1, 200, 2**20])
def test_the_size_of_a_block_does_not_matter(train, held_out, block_bytes):
    model, metrics = fitted(train), parse_metrics(ALL_METRICS)
    expected = evaluate(model, train.by_user, held_out, metrics).metrics
    found = evaluate(model, train.by_user, held_out, metrics, block_bytes=block_bytes)
    assert found.metrics == expected


def test_a_model_that_predicts_no_values_has_no_errors_and_says_so(train, held_out):
    found = evaluate(
        fitted(train, "popularity"), train.by_user, held_out, parse_metrics("rmse,hit-rate@5,mae")
    )
    assert list(found.metrics) == ["rmse", "hit-rate@5", "mae"]
    assert found.metrics["rmse"] is found.metrics["mae"] is None
    assert found.metrics["hit-rate@5"] > 0
    (remark,) = found.remarks
    assert "popularity ranks items but predicts no values" in remark
    assert evaluate(fitted(train), train.by_user, held_out, parse_metrics("rmse")).remarks == ()


def test_nothing_held_out_but_what_was_trained_on_is_refused(train):
    log = random_log(150, n_users=25, n_items=18)
    again = HeldOut.from_log(log, None, train)
    with pytest.raises(InputError, match="nothing is held out that is not also in training"):
        evaluate(fitted(train), train.by_user, again, parse_metrics("rmse"))


def test_only_cold_users_held_out_are_refused_for_lists_and_measured_by_errors(train):
    cold = HeldOut.from_log(log_of([(99, 1, 3.0)]), None, train)
    model = fitted(train)
    with pytest.raises(InputError, match="no user has both training and held-out items"):
        evaluate(model, train.by_user, cold, parse_metrics("ndcg@5,rmse"))
    assert evaluate(model, train.by_user, cold, parse_metrics("rmse")).n_pairs == 1
