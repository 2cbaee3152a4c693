import numpy as np
import pytest

from recsys import threads
from recsys.data.held_out import HeldOut
from recsys.data.interactions import Interactions
from recsys.data.labels import Labels, UserGroups
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.catalogue import Catalogue
from recsys.evaluation.evaluator import evaluate
from recsys.evaluation.metrics import parse_metrics
from recsys.models.registry import make
from recsys.remarks import RemarkCode
from tests.held_out import held_out_of
from tests.logs import log_of, random_log
from tests.matrices import rows_of
from tests.reference import metrics as reference
from tests.reference import ranking
from tests.registered import CATALOGUE, ERRORS, PER_USER, SCORED

ALL_METRICS = [f"{name}@{k}" for name in (*PER_USER, *CATALOGUE) for k in (1, 3, 50)]
ALL_METRICS += [*SCORED, *ERRORS, "ndcg-gap@3", "auc-gap"]
CATEGORIES = [{"a", "b"}, {"b"}, {"c"}, set(), {"a"}, {"a", "c"}] * 3  # of the items of training


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


@pytest.fixture(scope="module")
def catalogue(train):
    pairs = [(item, label) for item, labels in enumerate(CATEGORIES[: train.n_items]) for label in labels]
    rows, labels = zip(*pairs, strict=True)
    return Catalogue(train.by_user, Labels.from_pairs(rows, labels, train.n_items))


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


class Naive:
    """Dense lists of all users who are measured, and every metric by its definition."""

    def __init__(self, model, train, test_log):
        self.train, self.model = train, model
        self.wanted = held_out_by_user(train, test_log)
        self.users = sorted(user for user in self.wanted if user in set(train.user_ids))
        rows = train.by_user
        self.history = {
            train.user_ids[u]: [train.item_ids[i] for i in rows.row(u)[0]] for u in range(rows.n_rows)
        }
        owners = np.bincount(rows.columns, minlength=train.n_items)
        self.owners = {train.item_ids[item]: int(count) for item, count in enumerate(owners)}
        self.categories = {train.item_ids[item]: CATEGORIES[item] for item in range(train.n_items)}
        self.vectors = {item: [label in of for label in "abc"] for item, of in self.categories.items()}
        scores = model.score_block(np.arange(train.n_users))
        self.lists, self.scores = {}, {}
        for user in self.users:
            row = list(train.user_ids).index(user)
            seen = set(rows.row(row)[0].tolist())
            ranked = ranking.select_top(scores[row].tolist(), seen, 50)
            self.lists[user] = [train.item_ids[item] for item, _ in ranked]
            self.scores[user] = {train.item_ids[item]: score for item, score in ranked}

    def of_user(self, user, name, k):
        listed, history, held = self.lists[user], self.history[user], set(self.wanted[user])
        known = held & set(self.owners)
        special = {
            "graded-ndcg": lambda: reference.graded_ndcg(listed, self.wanted[user], k),
            "novelty": lambda: reference.novelty(listed, self.owners, self.train.n_users, k),
            "popularity-lift": lambda: reference.popularity_lift(listed, history, self.owners, k),
            "diversity": lambda: reference.diversity(listed, self.vectors, k),
            "serendipity": lambda: reference.serendipity(listed, held, set(history), self.owners, k),
            "calibration": lambda: reference.calibration(listed, history, self.categories, k),
            "auc": lambda: reference.auc(self.scores[user], known),
        }
        return special[name]() if name in special else reference.PER_USER[name](listed, held, k)

    def per_user(self, metric):
        name, _, k = metric.partition("@")
        return np.array([self.of_user(user, name, int(k or 0)) for user in self.users])


@pytest.mark.parametrize("name", ["masked-nmf", "popularity"])
def test_measurements_equal_a_dense_naive_evaluation(train, test_log, held_out, catalogue, name):
    model = fitted(train, name)
    metrics = [metric for metric in ALL_METRICS if model.predicts_values or metric not in ERRORS]
    found = evaluate(model, train.by_user, held_out, parse_metrics(metrics), catalogue=catalogue)

    naive = Naive(model, train, test_log)
    assert len(naive.users) < len(naive.wanted)  # there are cold users
    assert [train.user_ids[row] for row in found.users] == naive.users
    assert found.n_users == len(naive.users)
    assert found.n_pairs == sum(len(items) for items in naive.wanted.values())
    assert list(found.metrics) == metrics
    for metric in metrics:
        base, _, k = metric.partition("@")
        if base in PER_USER or base in SCORED:
            expected = naive.per_user(metric)
            np.testing.assert_allclose(
                found.per_user[metric], expected, atol=2e-7 if base == "diversity" else 1e-12
            )
            if np.isnan(expected).all():
                assert found.metrics[metric] is None
            else:
                assert found.metrics[metric] == pytest.approx(np.nanmean(expected), abs=1e-7)
        elif base in CATALOGUE:
            rows = [[train.item_ids.rows([item])[0] for item in listed] for listed in naive.lists.values()]
            assert found.metrics[metric] == pytest.approx(
                getattr(reference, base)(rows, train.n_items, int(k))
            )
        elif base in ERRORS:
            predicted = model.predict_by_row(held_out.users, held_out.items).tolist()
            expected = getattr(reference, base)(predicted, held_out.values.tolist())
            assert found.metrics[metric] == pytest.approx(expected)
    assert set(found.per_user) == {m for m in metrics if m.partition("@")[0] in (*PER_USER, *SCORED)}


def test_a_gap_is_that_between_the_extreme_means_of_groups(train, held_out):
    groups = UserGroups(np.arange(train.n_users) % 3 - 1, ("odd", "even"))  # a third are in neither
    metrics = parse_metrics("recall-gap@5,recall@5")
    found = evaluate(fitted(train), train.by_user, held_out, metrics, groups=groups)
    of_user = groups.of_user[found.users]
    means = [found.per_user["recall@5"][of_user == group].mean() for group in (0, 1)]
    assert found.metrics["recall-gap@5"] == pytest.approx(abs(means[0] - means[1]))
    assert [group.mean for group in found.groups["recall-gap@5"]] == pytest.approx(means)
    assert [group.group for group in found.groups["recall-gap@5"]] == ["odd", "even"]
    assert list(found.per_user) == ["recall@5"]


def test_by_default_groups_are_quarters_by_activity(train, held_out):
    found = evaluate(fitted(train), train.by_user, held_out, parse_metrics("auc-gap"))
    groups = found.groups["auc-gap"]
    assert 2 <= len(groups) <= 4
    counts = train.by_user.counts[found.users]
    assert groups[0].group.startswith(str(train.by_user.counts[train.by_user.counts > 0].min()))
    assert sum(group.n_users for group in groups) <= len(counts)


def test_one_group_is_no_comparison(train, held_out):
    groups = UserGroups(np.zeros(train.n_users, dtype=np.int64), ("all",))
    found = evaluate(fitted(train), train.by_user, held_out, parse_metrics("ndcg-gap@5"), groups=groups)
    assert found.metrics == {"ndcg-gap@5": None}
    assert "fewer than two groups" in str(found.remarks[0])


def test_calibration_without_categories_says_what_to_give(train, held_out):
    model = fitted(train, "popularity")
    found = evaluate(model, train.by_user, held_out, parse_metrics("calibration@5,ndcg@5"))
    assert found.metrics["calibration@5"] is None
    assert found.metrics["ndcg@5"] is not None
    assert "calibration@5" not in found.per_user
    assert tuple(map(str, found.remarks)) == (
        "calibration@5 has no value: it needs the category of each item; "
        "give a table of items and its category column.",
    )


def test_lists_in_the_order_of_predicted_values_are_remarked_on(train, held_out):
    by_value = evaluate(fitted(train), train.by_user, held_out, parse_metrics("ndcg@5"))
    assert [remark.code for remark in by_value.remarks] == [RemarkCode.RANKS_BY_VALUE]
    assert str(by_value.remarks[0]).startswith("masked-nmf predicts ratings, and lists in the order")
    assert evaluate(fitted(train), train.by_user, held_out, parse_metrics("rmse")).remarks == ()


def test_places_beyond_the_catalogue_are_told_of(train, held_out):
    model = fitted(train, "popularity")
    found = evaluate(model, train.by_user, held_out, parse_metrics("ndcg@5,ndcg@19"))
    assert tuple(map(str, found.remarks)) == (
        "the catalogue has only 18 items, so that the places from there to 19 stay empty.",
    )


def test_diversity_without_categories_is_by_factors_that_all_models_share(train, held_out):
    plain = [
        evaluate(fitted(train, name), train.by_user, held_out, parse_metrics("diversity@18")).per_user
        for name in ("masked-nmf", "popularity")
    ]
    np.testing.assert_allclose(plain[0]["diversity@18"], plain[1]["diversity@18"], atol=1e-6)
    same = Catalogue(train.by_user, item_factors=np.ones((train.n_items, 2), dtype=np.float32))
    found = evaluate(fitted(train), train.by_user, held_out, parse_metrics("diversity@3"), catalogue=same)
    assert found.metrics["diversity@3"] == pytest.approx(0, abs=1e-6)


def test_a_catalogue_of_other_items_is_refused(train):
    with pytest.raises(InputError, match="item factors of 3 items; expected 18"):
        Catalogue(train.by_user, item_factors=np.ones((3, 2), dtype=np.float32))
    with pytest.raises(InputError, match="categories of 2 items; expected 18"):
        Catalogue(train.by_user, Labels.from_pairs([0], ["a"], 2))
    with pytest.raises(InputError, match="not finite"):
        Catalogue(train.by_user, item_factors=np.full((18, 2), np.nan, dtype=np.float32))


def test_errors_are_over_all_held_out_pairs_cold_ones_too(train, test_log, held_out):
    model = fitted(train)
    found = evaluate(model, train.by_user, held_out, parse_metrics("rmse,mae"))
    predicted, actual = [], []
    for user, items in held_out_by_user(train, test_log).items():
        rows = train.user_ids.rows([user] * len(items)), train.item_ids.rows(list(items))
        predicted += model.predict_by_row(*rows).tolist()
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
def test_the_size_of_a_block_does_not_matter(train, held_out, catalogue, block_bytes):
    model, metrics = fitted(train), parse_metrics(ALL_METRICS)
    expected = evaluate(model, train.by_user, held_out, metrics, catalogue=catalogue)
    found = evaluate(model, train.by_user, held_out, metrics, catalogue=catalogue, block_bytes=block_bytes)
    assert found.metrics == expected.metrics
    for name, values in expected.per_user.items():
        np.testing.assert_array_equal(found.per_user[name], values)


def test_the_number_of_threads_does_not_matter(train, held_out, catalogue):
    model, metrics = fitted(train), parse_metrics(ALL_METRICS)
    found = []
    for n_threads in (1, 2):
        with threads.use(n_threads):
            found.append(evaluate(model, train.by_user, held_out, metrics, catalogue=catalogue))
    assert found[0].metrics == found[1].metrics


def test_of_a_block_only_so_many_bytes_are_scored_at_once(train, held_out, monkeypatch):
    model, sizes = fitted(train), []
    for name in ("score_block", "block_products"):
        asked = getattr(model, name)
        monkeypatch.setattr(model, name, lambda users, asked=asked: sizes.append(len(users)) or asked(users))
    row = 4 * train.n_items + 21 * 10
    evaluate(model, train.by_user, held_out, parse_metrics("ndcg@10"), block_bytes=4 * row)
    assert max(sizes) * (4 * len(model.shares_) + 8 * 10) <= 4 * row  # factors and lists: scores are not held
    sizes.clear()
    evaluate(model, train.by_user, held_out, parse_metrics("ndcg@10,auc"), block_bytes=4 * row)
    assert max(sizes) < 4  # scores are held twice


def test_a_bound_of_no_bytes_is_refused(train, held_out):
    with pytest.raises(ParameterError, match="block_bytes is 0; expected 1 or more"):
        evaluate(fitted(train), train.by_user, held_out, parse_metrics("ndcg@5"), block_bytes=0)


def test_a_model_that_predicts_no_values_has_no_errors_and_says_so(train, held_out):
    found = evaluate(
        fitted(train, "popularity"), train.by_user, held_out, parse_metrics("rmse,hit-rate@5,mae")
    )
    assert list(found.metrics) == ["rmse", "hit-rate@5", "mae"]
    assert found.metrics["rmse"] is found.metrics["mae"] is None
    assert found.metrics["hit-rate@5"] > 0
    (remark,) = found.remarks
    assert remark.code is RemarkCode.PREDICTS_NO_VALUES
    assert str(remark) == "popularity ranks items but predicts no values, so it has no rmse or mae."
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


def test_what_explains_a_missing_value_comes_first(train, held_out):
    found = evaluate(fitted(train), train.by_user, held_out, parse_metrics("calibration@19"))
    assert str(found.remarks[0]).startswith("calibration@19 has no value: it needs the category")
    assert str(found.remarks[1]).startswith("the catalogue has only 18 items")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_prediction_that_is_not_finite_is_an_error_of_the_model(train, held_out, monkeypatch, value):
    model = fitted(train)
    predict = model.predict_by_row

    def broken(users, items):
        return np.where(np.arange(len(users)) == 1, np.float32(value), predict(users, items))

    monkeypatch.setattr(model, "predict_by_row", broken)
    with pytest.raises(ModelError, match="masked-nmf predicted a value that is not finite for user row"):
        evaluate(model, train.by_user, held_out, parse_metrics("rmse"))


def test_users_without_training_items_are_not_averaged():
    matrix = np.array([[1.0, np.nan, np.nan], [np.nan, np.nan, np.nan], [1.0, 1.0, np.nan]])
    seen, held_out = rows_of(matrix), held_out_of([{1}, {1}, {2}], 3)
    model = fitted(Interactions.from_matrix(np.array([[1.0, 1.0, 1.0]] * 3)), "popularity")
    found = evaluate(model, seen, held_out, parse_metrics("recall@1"))
    assert found.users.tolist() == [0, 2]
    with pytest.raises(InputError, match="no user has both training and held-out items"):
        evaluate(model, seen, held_out_of([set(), {1}, set()], 3), parse_metrics("recall@1"))
