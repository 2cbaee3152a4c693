"""Comparisons: the floor, failures, interrupts, and results that are kept and found again."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from recsys.data.columns import Columns
from recsys.data.loaded_log import LoadedLog
from recsys.errors import InputError, ModelError, ParameterError
from recsys.evaluation.metrics import parse_metrics
from recsys.evaluation.significance import compare_pairs
from recsys.experiment import comparison
from recsys.experiment.comparison import STOPPED, compare, run
from recsys.experiment.prepared_split import prepare_all
from recsys.experiment.record import comparison_record, write_record
from recsys.experiment.result_store import ResultStore
from recsys.experiment.settings import ModelSpec
from tests.logs import random_log

METRICS = parse_metrics("ndcg@3,coverage@3,rmse")
NMF = ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 3})
ALS = ModelSpec("als", {"n_components": 2})
POPULARITY = ModelSpec("popularity")


@pytest.fixture(autouse=True)
def no_precompiling(monkeypatch):
    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)


def splits_of(split="random:0.3", seed=0):
    log = random_log(150, n_users=15, n_items=12, seed=seed)
    loaded = LoadedLog(log, "a log", Columns("user", "item", None, None), len(log), (), {})
    return prepare_all(loaded, split=split, seed=1)


@pytest.fixture
def fits(monkeypatch):
    """Count the fits of each model."""
    counts = {}
    work = comparison._run_one

    def counted(spec, *rest):
        counts[spec.name] = counts.get(spec.name, 0) + 1
        return work(spec, *rest)

    monkeypatch.setattr(comparison, "_run_one", counted)
    return counts


def failing(monkeypatch, name, error, *, after=0):
    work = comparison._run_one
    calls = []

    def fail(spec, *rest):
        if spec.name == name:
            calls.append(spec)
            if len(calls) > after:
                raise error
        return work(spec, *rest)

    monkeypatch.setattr(comparison, "_run_one", fail)


def same(one, two):
    """Return whether two results hold the same numbers to the bit."""
    a, b = one.measurements, two.measurements
    assert a.metrics == b.metrics
    assert (a.n_users, a.n_pairs, a.seconds, a.remarks) == (b.n_users, b.n_pairs, b.seconds, b.remarks)
    assert a.per_user.keys() == b.per_user.keys()
    assert all(np.array_equal(a.per_user[name], b.per_user[name], equal_nan=True) for name in a.per_user)
    assert np.array_equal(a.users, b.users)
    assert (a.entry_errors is None) == (b.entry_errors is None)
    if a.entry_errors is not None:
        ours, theirs = a.entry_errors, b.entry_errors
        assert np.array_equal(ours.users, theirs.users)
        assert np.array_equal(ours.n_entries, theirs.n_entries)
        assert ours.sums.keys() == theirs.sums.keys()
        assert all(np.array_equal(ours.sums[name], theirs.sums[name]) for name in ours.sums)
    assert dict(one.config) == dict(two.config)
    return True


def test_popularity_is_always_among_the_models():
    splits = splits_of()
    assert [r.label for r in compare([NMF], splits, METRICS)] == ["masked-nmf", "popularity"]
    named = compare([POPULARITY, NMF], splits, METRICS)
    assert [r.label for r in named] == ["popularity", "masked-nmf"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ModelError("it cannot."), "it cannot."),
        (MemoryError(), "MemoryError"),
        (RuntimeError("a library broke"), "RuntimeError: a library broke"),
    ],
)
def test_one_that_fails_does_not_lose_the_others(monkeypatch, error, said):
    failing(monkeypatch, "als", error)
    results = compare([NMF, ALS, POPULARITY], splits_of(), METRICS)
    assert [r.error for r in results] == [None, said, None]
    record = comparison_record(results, splits_of(), seed=0)
    assert record["results"][1]["error"] == said
    assert [test["metric"] for test in record["comparisons"]] == ["ndcg@3"]


def test_a_failure_in_one_of_several_trials_is_named(monkeypatch):
    failing(monkeypatch, "als", ModelError("it cannot."), after=1)
    results = compare([ALS], splits_of("folds:3"), METRICS)
    assert results[0].error == "trial 2 of 3: it cannot."


def test_a_wrong_parameter_is_told_before_anything_is_trained(fits):
    with pytest.raises(ParameterError, match="l2"):
        compare([NMF, ModelSpec("als", {"l2": -1})], splits_of(), METRICS)
    assert fits == {}


def test_an_interrupted_comparison_goes_on_where_it_stopped(monkeypatch, tmp_path, fits):
    splits, kept = splits_of("folds:3"), ResultStore(tmp_path / "kept")
    with monkeypatch.context() as patched:
        failing(patched, "als", KeyboardInterrupt(), after=2)
        first = compare([NMF, ALS], splits, METRICS, store=kept)
    assert [r.error for r in first] == [None, STOPPED]
    assert fits == {"masked-nmf": 3, "als": 2}

    second = compare([NMF, ALS], splits, METRICS, store=kept)
    assert [(r.label, r.error, r.is_reused) for r in second] == [
        ("masked-nmf", None, True), ("als", None, False), ("popularity", None, False),
    ]  # fmt: skip
    assert fits == {"masked-nmf": 3, "als": 3, "popularity": 3}
    assert same(first[0], second[0])
    for part, other in zip(first[0].parts, second[0].parts, strict=True):
        assert same(part, other)
        assert (part.fit_seconds, part.peak_memory_bytes) == (other.fit_seconds, other.peak_memory_bytes)
    fresh = compare([NMF, ALS], splits, METRICS)
    assert [r.measurements.metrics for r in fresh] == [r.measurements.metrics for r in second]


def test_a_result_found_again_has_its_model(tmp_path):
    splits, kept = splits_of(), ResultStore(tmp_path)
    (made, _), (found, _) = (compare([NMF], splits, METRICS, store=kept) for _ in range(2))
    users = np.arange(splits[0].train.n_users)
    assert np.array_equal(made.model.score_block(users), found.model.score_block(users))
    assert found.model.history is not None


def test_what_a_result_depends_on_makes_it_anew(tmp_path, fits):
    splits, kept = splits_of(), ResultStore(tmp_path)
    compare([NMF], splits, METRICS, store=kept)
    before = fits["masked-nmf"]
    changes = [
        ([dataclasses.replace(NMF, params={**NMF.params, "l2": 0.3})], splits, METRICS, {"seed": 0}),
        ([NMF], splits, METRICS, {"seed": 5}),
        ([NMF], splits, parse_metrics("ndcg@4,rmse"), {"seed": 0}),
        ([NMF], splits_of("random:0.4"), METRICS, {"seed": 0}),
        ([NMF], splits_of(seed=2), METRICS, {"seed": 0}),
    ]
    for number, (specs, data, metrics, other) in enumerate(changes, 1):
        results = compare(specs, data, metrics, store=kept, **other)
        assert not results[0].is_reused
        assert fits["masked-nmf"] == before + number
    elsewhere = ResultStore(tmp_path, context={"categories": "others"})
    assert not compare([NMF], splits, METRICS, store=elsewhere)[0].is_reused
    # Nothing that was there is lost, and a label is but a name.
    renamed = compare([dataclasses.replace(NMF, label="ours")], splits, METRICS, store=kept)
    assert (renamed[0].is_reused, renamed[0].label) == (True, "ours")


def test_another_version_makes_it_anew(tmp_path, monkeypatch):
    splits, kept = splits_of(), ResultStore(tmp_path)
    compare([POPULARITY], splits, METRICS, store=kept)
    monkeypatch.setattr("recsys.experiment.result_store.__version__", "0.0.0")
    assert not compare([POPULARITY], splits, METRICS, store=kept)[0].is_reused


@pytest.mark.parametrize("damage", ["cut off", "changed table", "no table", "no JSON", "a list"])
def test_what_is_not_whole_is_made_anew(tmp_path, damage):
    splits, kept = splits_of(), ResultStore(tmp_path)
    compare([POPULARITY], splits, METRICS, store=kept)
    (record,), (table,) = tmp_path.glob("*.json"), tmp_path.glob("*.users.parquet")
    if damage == "cut off":
        record.unlink()  # it is written last
    elif damage == "changed table":
        table.write_bytes(table.read_bytes()[:-1] + b"x")
    elif damage == "no table":
        table.unlink()
    else:
        record.write_text("{" if damage == "no JSON" else "[]")
    (again,) = compare([POPULARITY], splits, METRICS, store=kept)
    assert not again.is_reused
    assert compare([POPULARITY], splits, METRICS, store=kept)[0].is_reused


def test_results_that_cannot_be_written_are_there_and_say_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; expected a folder"):
        ResultStore(tmp_path / "file")
    below = ResultStore(tmp_path / "file" / "below")
    (result,) = compare([POPULARITY], splits_of(), METRICS, store=below)
    assert "cannot be written: Not a directory" in result.not_stored
    assert result.measurements is not None


@pytest.mark.parametrize("split", ["random:0.3", "users:0.4:0.5"])
def test_models_that_are_small_are_found_again_too(tmp_path, split):
    splits, kept = splits_of(split), ResultStore(tmp_path)
    specs = [NMF, POPULARITY, ModelSpec("item-knn"), ModelSpec("ease")]
    made, found = (compare(specs, splits, METRICS[:2], store=kept) for _ in range(2))
    users = np.arange(min(splits[0].train.n_users, len(splits[0].user_ids)))
    for one, two in zip(made, found, strict=True):
        assert two.is_reused
        assert two.model is not None
        scores = [splits[0].scorer_for(at.model).score_block(users) for at in (one, two)]
        np.testing.assert_array_equal(*scores)


def test_large_models_that_have_no_themes_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("recsys.experiment.result_store.MOST_BYTES", 1000)
    splits, kept = splits_of(), ResultStore(tmp_path)
    _, found = (compare([NMF, ModelSpec("ease")], splits, METRICS[:2], store=kept) for _ in range(2))
    assert [result.model is None for result in found] == [False, True, False]


def test_models_are_shown_from_the_first_trial_only():
    result = run(NMF, splits_of("folds:3"), METRICS)
    assert result.model is result.parts[0].model
    assert [part.model is None for part in result.parts] == [False, True, True]
    assert result.measurements.n_users <= 15
    assert result.measurements.n_pairs == sum(part.measurements.n_pairs for part in result.parts)


def test_what_is_known_beside_the_trial_reaches_the_evaluation():
    seen = []

    def measuring(prepared):
        seen.append(prepared)
        return {"block_bytes": 64}

    splits = splits_of("folds:2")
    bounded = compare([NMF], splits, METRICS, measuring=measuring)
    assert seen == list(splits)
    assert [r.measurements.metrics for r in bounded] == [
        r.measurements.metrics for r in compare([NMF], splits, METRICS)
    ]


def test_errors_are_tested_by_user():
    splits = splits_of()
    results = compare([NMF, ModelSpec("masked-nmf", {"n_components": 2, "max_iter": 1})], splits, METRICS)
    measured = {r.label: r.measurements for r in results}
    (test,) = compare_pairs(measured, "rmse", seed=0)  # popularity has none
    values = {label: measured[label].metrics["rmse"] for label in (test.better, test.other)}
    assert values[test.better] <= values[test.other]
    assert test.difference == pytest.approx(values[test.other] - values[test.better], rel=1e-4)
    assert test.n_users == len(measured[test.better].entry_errors.n_entries)


def test_the_record_of_a_comparison_is_plain_json(tmp_path):
    splits = splits_of("folds:2")
    results = compare([NMF, ALS], splits, METRICS)
    record = comparison_record(results, splits, seed=0)
    write_record(record, tmp_path / "record.json")
    found = json.loads((tmp_path / "record.json").read_text())
    assert len(found["splits"]) == 2
    assert found["split"] == found["splits"][0]
    assert {test["metric"] for test in found["comparisons"]} == {"ndcg@3"}
    assert len(found["comparisons"]) == 3
    nmf = found["results"][0]
    assert set(nmf["intervals"]) == {"ndcg@3", "rmse"}
    low, high = nmf["intervals"]["rmse"]
    assert low <= nmf["metrics"]["rmse"] <= high
    assert [part["metrics"].keys() for part in nmf["trials"]] == [nmf["metrics"].keys()] * 2
