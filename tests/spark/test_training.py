"""A bundle trained by Spark is that of one machine: whatever the partitions, skew and lost workers."""

import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from recsys.spark import driver_engine, sweeps
from recsys.spark.training import train


def assert_same(bundle: Bundle, expected: Bundle) -> None:
    """Assert that two bundles hold the same data and the same factors, bit for bit."""
    assert bundle.training["digest"] == expected.training["digest"]
    assert bundle.user_ids == expected.user_ids
    arrays, others = bundle.model.to_arrays(), expected.model.to_arrays()
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name], err_msg=name)
    assert bundle.model.history.objective == expected.model.history.objective
    np.testing.assert_array_equal(bundle.item_counts, expected.item_counts)
    if expected.last_events is not None:
        np.testing.assert_array_equal(bundle.last_events.times, expected.last_events.times)


@pytest.mark.parametrize("partitions", [1, 4])  # and 2 below
def test_weighted_nmf_has_the_bits_of_one_machine(spark, purchases: Path, partitions: int, tmp_path: Path):
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 12, "confidence": "log", "max_iter": 3})
    source = purchases if partitions == 1 else purchases.with_suffix(".parquet")
    bundle, expected = train(spec, source, partitions=partitions), recsys.train(spec, source)
    assert_same(bundle, expected)
    save_bundle(bundle, tmp_path / "model")
    assert_same(load_bundle(tmp_path / "model"), expected)
    record, same = bundle.training["log"], expected.training["log"]
    for name in ("n_read", "n_events", "columns", "first_time", "last_time", "time_kind", "n_bytes"):
        assert record[name] == same[name], name


def test_masked_nmf_has_the_bits_of_one_machine(spark, purchases: Path):
    spec = recsys.ModelSpec("masked-nmf", {"n_components": 6, "max_iter": 2, "user_l1": 0.01})
    log = recsys.LogPlan(purchases, feedback="explicit")
    bundle = train(spec, log, partitions=2, duplicates="mean")
    assert_same(bundle, recsys.train(spec, log, duplicates="mean"))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("slim", {"n_neighbors": 20}),
        ("hybrid-nmf", {"n_components": 6, "max_iter": 1, "n_neighbors": 20, "liked_from": 1.0}),
        ("weighted-nmf", {"n_components": 6, "max_iter": 1, "n_init": 2, "validation_share": 0.1}),
    ],
)
def test_fits_of_what_the_driver_holds_have_the_bits_of_one_machine(
    spark, purchases: Path, name: str, params, monkeypatch
):
    monkeypatch.setattr(driver_engine, "LEAST", 1)
    spec = recsys.ModelSpec(name, params)
    frame = spark.read.parquet(str(purchases.with_suffix(".parquet"))).coalesce(1)
    bundle, expected = train(spec, frame, partitions=3), recsys.train(spec, purchases.with_suffix(".parquet"))
    arrays, others = bundle.model.to_arrays(), expected.model.to_arrays()
    for array_name, array in arrays.items():
        np.testing.assert_array_equal(array, others[array_name], err_msg=array_name)


def test_a_fit_goes_on_from_its_checkpoint_wherever_it_was_cut_off(spark, purchases: Path, tmp_path: Path):
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 8, "max_iter": 4, "tol": 0.0})

    class CutOff:
        """Interrupts a fit in its third iteration."""

        def start(self, task: str, total: int | None) -> None:
            self.task, self.n_done = task, 0

        def advance(self, steps: int = 1, note: str = "") -> None:
            self.n_done += steps
            if self.task == "weighted-nmf" and self.n_done == 3:
                raise RuntimeError("as if it were killed")

        def finish(self) -> None: ...

    expected = recsys.train(spec, purchases)
    checkpoint = recsys.Checkpoint(tmp_path / "fit.checkpoint", every=1)
    with pytest.raises(RuntimeError, match="killed"):
        train(spec, purchases, partitions=2, checkpoint=checkpoint, progress=CutOff())
    resumed = recsys.Checkpoint(checkpoint.path, every=1, resume=True)
    assert_same(train(spec, purchases, partitions=3, checkpoint=resumed), expected)
    assert_same(recsys.train(spec, purchases, checkpoint=resumed), expected)


def test_files_are_read_in_their_order_and_ties_fall_to_the_later_line(spark, tmp_path: Path):
    rows = [
        ("b", "x", 1.0),
        ("a", "x", 2.0),
        ("b", "y", 3.0),
        ("a", "y", 4.0),
        ("b", "x", 5.0),
        ("c", "x", 1.5),
    ]
    frame = pd.DataFrame(rows, columns=["user", "item", "rating"])
    # The larger file is the later one: Spark reads it first.
    frame[:1].to_csv(tmp_path / "part-1.csv", index=False)
    frame[1:].to_csv(tmp_path / "part-2.csv", index=False)
    spec = recsys.ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 2})
    source = str(tmp_path / "part-*.csv")
    bundle = train(spec, source, partitions=2)
    assert_same(bundle, recsys.train(spec, source))
    np.testing.assert_array_equal(bundle.seen.to_scipy().toarray()[1], [5.0, 3.0])


def test_skew_one_user_and_one_item_with_half_of_all(spark, tmp_path: Path):
    n = 4000
    generator = np.random.default_rng(1)
    users = np.where(np.arange(n) < n // 2, 0, generator.integers(1, 500, n))
    items = np.where(np.arange(n) % 2 == 0, generator.integers(1, 3000, n), 0)
    pd.DataFrame({"user": users, "item": items}).to_parquet(tmp_path / "skew.parquet")
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 8, "max_iter": 2})
    bundle = train(spec, tmp_path / "skew.parquet", partitions=4)
    assert_same(bundle, recsys.train(spec, tmp_path / "skew.parquet"))


_sweep_blocks = sweeps.sweep_blocks


def _kills_its_worker_once(marker: str, *arguments):
    """Sweep as ever, in a process that kills itself if it is the first to come here."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return _sweep_blocks(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def test_a_worker_that_is_killed_is_survived(spark, purchases: Path, tmp_path: Path, monkeypatch):
    from functools import partial

    marker = tmp_path / "killed"
    monkeypatch.setattr(sweeps, "sweep_blocks", partial(_kills_its_worker_once, str(marker)))
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 8, "max_iter": 2})
    bundle = train(spec, purchases, partitions=2)
    assert marker.exists()
    assert_same(bundle, recsys.train(spec, purchases))


def test_a_sample_of_all_users_folds_in_as_one_machine_does(spark, purchases: Path):
    spec = recsys.ModelSpec("weighted-nmf", {"n_components": 8, "max_iter": 2})
    whole = recsys.train(spec, purchases)
    bundle = train(spec, purchases, partitions=3, sample_users=1.0)
    np.testing.assert_array_equal(bundle.model.item_factors_, whole.model.item_factors_)
    np.testing.assert_array_equal(bundle.model.user_factors_, whole.model.transform(whole.seen.to_scipy()))
    half = train(spec, purchases, partitions=3, sample_users=0.5)
    assert half.model.n_users_ == whole.model.n_users_
    assert half.training["sample_users"] == 0.5
    assert not np.array_equal(half.model.item_factors_, whole.model.item_factors_)
    assert len(half.recommend(list(half.user_ids)[:3], n=5)) == 3
