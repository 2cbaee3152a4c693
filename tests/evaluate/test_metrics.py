import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranx import Qrels, Run
from ranx import evaluate as ranx_evaluate

from recsys.errors import ParameterError
from recsys.evaluate.metrics import CATALOGUE, ERRORS, PER_USER, Metric, parse_metrics
from recsys.evaluate.metrics.coverage import coverage
from recsys.evaluate.metrics.mae import mae
from recsys.evaluate.metrics.rmse import rmse
from tests.reference import metrics as reference

N_ITEMS = 12


@st.composite
def user_lists(draw):
    """Lists without repeats, some empty, and held-out items of which some can never be listed."""
    n_users = draw(st.integers(1, 5))
    lists = [draw(st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=8)) for _ in range(n_users)]
    held_out = [draw(st.sets(st.integers(0, N_ITEMS + 3), min_size=1, max_size=8)) for _ in range(n_users)]
    return lists, held_out


def hits_of(lists, held_out):
    width = max(len(listed) for listed in lists)
    hits = np.zeros((len(lists), width), dtype=np.bool_)
    for user, listed in enumerate(lists):
        for place, item in enumerate(listed):
            hits[user, place] = item in held_out[user]
    return hits, np.array([len(held) for held in held_out])


@pytest.mark.parametrize("name", PER_USER)
@given(case=user_lists(), k=st.integers(1, 10))
def test_a_metric_of_lists_equals_its_definition(name, case, k):
    lists, held_out = case
    found = PER_USER[name](*hits_of(lists, held_out), k)
    expected = [reference.PER_USER[name](*one, k) for one in zip(lists, held_out, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found.dtype == np.float64


RANX_NAMES = {
    "precision": "precision",
    "recall": "recall",
    "ndcg": "ndcg",
    "map": "map",
    "mrr": "mrr",
    "hit-rate": "hit_rate",
}


@pytest.mark.slow
def test_metrics_of_lists_equal_those_of_ranx():
    generator = np.random.default_rng(0)
    lists = [generator.permutation(N_ITEMS)[: generator.integers(0, 9)].tolist() for _ in range(40)]
    held_out = [
        set(generator.permutation(N_ITEMS + 4)[: generator.integers(1, 9)].tolist()) for _ in range(40)
    ]
    qrels = Qrels({str(user): {str(item): 1 for item in held} for user, held in enumerate(held_out)})
    # ranx reads the order of a list off its scores, and needs one item at least.
    run = Run(
        {
            str(user): {str(item): 100.0 - place for place, item in enumerate(listed)} or {"nothing": 0.0}
            for user, listed in enumerate(lists)
        }
    )
    asked = [f"{name}@{k}" for name in RANX_NAMES.values() for k in (1, 3, 10)]
    ranx_evaluate(qrels, run, asked)

    hits, n_held_out = hits_of(lists, held_out)
    for name, in_ranx in RANX_NAMES.items():
        for k in (1, 3, 10):
            expected = np.array([run.scores[f"{in_ranx}@{k}"][str(user)] for user in range(40)])
            if name == "map":  # ranx divides by the held-out items, however short the list
                expected = expected * n_held_out / np.minimum(k, n_held_out)
            np.testing.assert_allclose(PER_USER[name](hits, n_held_out, k), expected, atol=1e-9, err_msg=name)


@given(user_lists(), st.integers(1, 10))
def test_coverage_equals_its_definition(case, k):
    lists, _ = case
    best_place = np.full(N_ITEMS, 999)
    for listed in lists:
        for place, item in enumerate(listed):
            best_place[item] = min(best_place[item], place)
    assert coverage(best_place, k) == pytest.approx(reference.coverage(lists, N_ITEMS, k))


@given(st.lists(st.tuples(st.floats(0, 5, width=32), st.floats(0, 5, width=32)), min_size=1))
def test_errors_equal_their_definitions(pairs):
    predicted, actual = np.array(pairs, dtype=np.float32).T
    assert rmse(predicted, actual) == pytest.approx(reference.rmse(*zip(*pairs, strict=True)), abs=1e-9)
    assert mae(predicted, actual) == pytest.approx(reference.mae(*zip(*pairs, strict=True)), abs=1e-9)


def test_metrics_are_read_in_the_order_given_and_once_each():
    parsed = parse_metrics(" ndcg@20, RMSE,recall@5,ndcg@20 ,,ndcg@3")
    assert parsed == (Metric("ndcg", 20), Metric("rmse", None), Metric("recall", 5), Metric("ndcg", 3))
    assert [str(metric) for metric in parsed] == ["ndcg@20", "rmse", "recall@5", "ndcg@3"]
    assert parse_metrics(["ndcg@20", "rmse"]) == parsed[:2]


@pytest.mark.parametrize("name", [*PER_USER, *CATALOGUE, *ERRORS])
def test_every_metric_can_be_asked_for_by_its_name(name):
    text = name if name in ERRORS else f"{name}@5"
    assert str(parse_metrics(text)[0]) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no metric is asked for"),
        (" , ", "no metric is asked for"),
        ("ndgc@5", r"no metric 'ndgc@5'; there are precision@k, .*rmse and mae\. Did you mean 'ndcg'\?"),
        ("zzz", r"no metric 'zzz'; there are .*mae\.$"),
        ("ndcg", "metric 'ndcg': expected a list length of 1 or more, e.g. ndcg@10"),
        ("ndcg@", "expected a list length of 1 or more"),
        ("ndcg@0", "expected a list length of 1 or more"),
        ("ndcg@-3", "expected a list length of 1 or more"),
        ("ndcg@2.5", "expected a list length of 1 or more"),
        ("ndcg@ten", "expected a list length of 1 or more"),
        ("ndcg@5,rmse@5", "metric 'rmse@5': rmse takes no @k"),
        ("rmse@", "rmse takes no @k"),
    ],
)
def test_what_is_no_metric_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_metrics(text)
