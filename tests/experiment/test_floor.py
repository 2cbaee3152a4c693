import numpy as np
import pytest

from recsys.data.load import load_log
from recsys.evaluation.measurements import Measurements
from recsys.evaluation.metrics import parse_metrics
from recsys.experiment.comparison import compare, run_beside_floor
from recsys.experiment.floor import below_floor
from recsys.experiment.prepared_split import prepare
from recsys.experiment.settings import ModelSpec
from recsys.remarks import RemarkCode
from tests.real_logs import real_logs


def measured(values, metric="ndcg@10"):
    array = np.array(values, dtype=np.float64)
    return Measurements(
        metrics={metric: float(array.mean())},
        per_user={metric: array},
        users=np.arange(len(array)),
        n_users=len(array),
        n_pairs=len(array),
        seconds=0.0,
        remarks=(),
    )


def test_lists_clearly_below_popularity_are_said_to_be():
    remark = below_floor(measured([0.1, 0.2] * 50), measured([0.5, 0.6] * 50), seed=0)
    assert remark.code is RemarkCode.BELOW_POPULARITY
    assert "0.1500 against 0.5500" in remark.text


@pytest.mark.parametrize("values", [[0.5, 0.6] * 50, [0.9] * 100, [0.0, 1.0] * 50])
def test_lists_that_are_level_or_better_are_not(values):
    assert below_floor(measured(values), measured([0.5, 0.55] * 50), seed=0) is None


def test_a_metric_that_is_lower_for_better_lists_is_not_judged():
    assert (
        below_floor(
            measured([0.1] * 9, "popularity-lift@10"), measured([0.5] * 9, "popularity-lift@10"), seed=0
        )
        is None
    )


@pytest.fixture(scope="module")
def ratings():
    return prepare(load_log(str(real_logs() / "ml-100k" / "ratings.parquet")), split="random-user:0.2")


def codes(result):
    return {remark.code for remark in result.measurements.remarks}


def test_a_model_of_ratings_is_said_to_make_poor_lists(ratings):
    metrics = parse_metrics("ndcg@10,rmse")
    model, floor = run_beside_floor(ModelSpec("masked-nmf", {"max_iter": 5}), ratings, metrics)
    assert floor.label == "popularity"
    assert {RemarkCode.RANKS_BY_VALUE, RemarkCode.BELOW_POPULARITY} <= codes(model)
    assert model.measurements.metrics["ndcg@10"] < floor.measurements.metrics["ndcg@10"]
    (compared, _) = compare([ModelSpec("masked-nmf", {"max_iter": 5})], ratings, metrics)
    assert {RemarkCode.RANKS_BY_VALUE, RemarkCode.BELOW_POPULARITY} <= codes(compared)


def test_auto_ranks_and_predicts(ratings):
    (model, floor) = run_beside_floor(ModelSpec("auto"), ratings, parse_metrics("ndcg@10,rmse"))
    assert model.spec.name == "hybrid-nmf"
    assert model.measurements.metrics["ndcg@10"] > 1.9 * floor.measurements.metrics["ndcg@10"]
    assert model.measurements.metrics["rmse"] < 0.95
    assert not codes(model) & {RemarkCode.RANKS_BY_VALUE, RemarkCode.BELOW_POPULARITY}


def test_auto_predicts_ratings_where_only_errors_are_asked_for(ratings):
    (model,) = run_beside_floor(ModelSpec("auto", {"max_iter": 5}), ratings, parse_metrics("rmse,mae"))
    assert model.spec.name == "masked-nmf"
    assert RemarkCode.RANKS_BY_VALUE not in codes(model)


@pytest.mark.parametrize("name", ["auto", "hybrid-nmf"])
def test_what_only_predicted_ratings_need_is_left_out_where_lists_alone_are_measured(name):
    lists, both = parse_metrics("ndcg@10,coverage@10"), parse_metrics("ndcg@10,rmse")
    assert ModelSpec(name).resolved(lists).params == {"ratings": "no"}
    assert ModelSpec(name, {"ratings": "yes"}).resolved(lists).params == {"ratings": "yes"}
    assert ModelSpec(name).resolved(both).params == {}
    assert ModelSpec(name).resolved().params == {}
    assert ModelSpec("als").resolved(lists).params == {}


def test_leaving_out_predicted_ratings_changes_no_list(ratings):
    parameters = {"max_iter": 1, "n_components": 8, "n_neighbors": 5}
    lists, both = (
        run_beside_floor(ModelSpec("hybrid-nmf", parameters), ratings, parse_metrics(metrics))[0]
        for metrics in ("ndcg@10", "ndcg@10,rmse")
    )
    assert lists.model.ratings_ is None
    assert both.model.ratings_ is not None
    assert lists.measurements.metrics["ndcg@10"] == both.measurements.metrics["ndcg@10"]
