"""Measurements by Spark are those of one machine, bit for bit."""

from pathlib import Path

import numpy as np

import recsys
from recsys.spark import evaluate


def assert_same(done: recsys.Evaluation, expected: recsys.Evaluation) -> None:
    """Assert that two evaluations hold the same numbers."""
    for result, same in zip(done.results, expected.results, strict=True):
        measured, here = result.measurements, same.measurements
        assert measured.metrics == here.metrics
        assert measured.groups == here.groups
        assert list(map(str, measured.remarks)) == list(map(str, here.remarks))
        np.testing.assert_array_equal(measured.users, here.users)
        for name, values in here.per_user.items():
            np.testing.assert_array_equal(measured.per_user[name], values, err_msg=name)


def test_measurements_have_the_bits_of_one_machine(spark, purchases: Path):
    metrics = "ndcg@10,recall@5,precision@5,map@10,coverage@10,gini@10,novelty@10,auc,ndcg-gap@10"
    how = {"split": "random:0.3", "metrics": metrics, "seed": 3}
    spec = recsys.ModelSpec("hybrid-nmf", {"n_components": 6, "max_iter": 1})
    done, expected = evaluate(spec, purchases, partitions=3, **how), recsys.evaluate(spec, purchases, **how)
    assert_same(done, expected)
    assert done.result.measurements.n_users > 32  # fewer are not sent to the cluster


def test_rules_ratings_and_logs_of_spark_alone(spark, purchases: Path):
    spark.read.parquet(str(purchases.with_suffix(".parquet"))).createOrReplaceTempView("purchases")
    log = recsys.LogPlan("table:purchases", feedback="explicit")
    here = recsys.LogPlan(purchases.with_suffix(".parquet"), feedback="explicit")
    spec = recsys.ModelSpec("masked-nmf", {"n_components": 4, "max_iter": 1})
    how = {"split": "last:2", "metrics": "rmse,ndcg@10", "rules": recsys.Rules(exclude=(7,))}
    assert_same(evaluate(spec, log, partitions=2, **how), recsys.evaluate(spec, here, **how))
