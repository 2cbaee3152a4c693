"""The public calls: they take what people have, and say what is wrong with it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import recsys
from recsys.experiment import comparison, training
from recsys.models.base import Model


@pytest.fixture(autouse=True)
def no_precompiling(monkeypatch):
    for module in (comparison, training):
        monkeypatch.setattr(module, "precompile", lambda *_, **__: None)


@pytest.fixture(scope="module")
def frame():
    rows = [
        (f"u{user:02d}", f"i{item:02d}", 5 if item % 3 == user % 3 else 2, 1_000 + 20 * user + item)
        for user in range(27)
        for item in range(18)
        if (user * 7 + item * 5) % 4
    ]
    return pd.DataFrame(rows, columns=["user", "item", "rating", "time"])


class Counts:
    """Somebody's own model, which knows nothing of this library."""

    def fit(self, data):
        self.scores = np.asarray(data.item_counts, dtype=float)

    def score_block(self, users):
        return np.tile(self.scores, (len(users), 1))


class OwnSubclass(Model):
    """Somebody's own model, not registered, with a constructor of its own."""

    name = "own"

    def __init__(self, sign):
        self.sign = sign

    def _fit(self, data, progress):
        self.scores = (self.sign * data.item_counts).astype(np.float32)

    def score_block(self, users):
        return np.tile(self.scores, (len(users), 1))

    def to_arrays(self):
        return {}

    def restore(self, arrays):
        pass


METRICS = "ndcg@3,coverage@3"


def test_a_comparison_takes_names_classes_objects_and_strangers(frame, tmp_path):
    given = [recsys.WeightedNMF(2, max_iter=2), Counts(), recsys.Bias, OwnSubclass(-1), "popularity"]
    done = recsys.compare(given, frame, split="last:2", metrics=METRICS)
    assert [result.label for result in done.results] == [
        "weighted-nmf", "Counts", "bias", "own", "popularity",
    ]  # fmt: skip
    assert [result.error for result in done.results] == [None] * 5
    assert done["weighted-nmf"].config["n_components"] == 2
    # The same numbers in the same order give the same lists, whoever computed them.
    assert done["Counts"].measurements.metrics == done["popularity"].measurements.metrics
    assert done["own"].measurements.metrics != done["popularity"].measurements.metrics
    assert not hasattr(given[1], "scores")
    assert not given[0].is_fitted
    table = done.to_frame()
    assert list(table.index) == [result.label for result in done.results]
    assert (table["ndcg@3 low"] <= table["ndcg@3"]).all()
    assert "Counts" in repr(done)
    assert "Counts" in done.report(tmp_path / "r.html").read_text()
    assert recsys.compare_pairs(done, "ndcg@3", seed=done.seed) == done.pairs("ndcg@3")


def test_labels_come_from_a_mapping(frame):
    done = recsys.compare({"a": Counts(), "b": "popularity"}, frame, metrics="ndcg@3")
    assert [result.label for result in done.results] == ["a", "b"]
    with pytest.raises(recsys.ParameterError, match="no model is labelled 'c'; there are a, b"):
        done["c"]


def test_an_object_that_was_fitted_is_fitted_afresh(frame):
    fitted = recsys.WeightedNMF(2, max_iter=2).fit(np.array([[1.0, 2.0], [np.nan, 1.0]]))
    done = recsys.evaluate(fitted, frame, metrics="ndcg@3")
    assert fitted.n_users_ == 2
    assert done.model.n_users_ == 27


class AsArrow:
    """A table of another library."""

    def __init__(self, frame):
        self.table = pa.Table.from_pandas(frame, preserve_index=False)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


def test_every_form_of_a_log_gives_the_same_numbers(frame, tmp_path):
    path = tmp_path / "log.csv"
    frame.to_csv(path, index=False)
    logs = [
        frame, pa.Table.from_pandas(frame), AsArrow(frame), path, str(path), recsys.load_log(frame),
        recsys.LogPlan(path), recsys.split(frame, "last:2"),
    ]  # fmt: skip
    found = [
        recsys.evaluate(
            "popularity",
            log,
            split=None if isinstance(log, recsys.PreparedSplit) else "last:2",
            metrics=METRICS,
        ).metrics
        for log in logs
    ]
    assert all(metrics == found[0] for metrics in found)


def test_the_command_prints_what_the_call_returns(frame, tmp_path, capsys):
    from recsys_cli.main import run

    path = tmp_path / "log.csv"
    frame.to_csv(path, index=False)
    arguments = ["--model", "popularity", "--model", "bias", "--split", "last:2", "--metrics", METRICS]
    assert run(["compare", str(path), *arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    done = recsys.compare(["popularity", "bias"], path, split="last:2", metrics=METRICS)
    mine = json.loads(json.dumps(done.record, default=str))
    for record in (printed, mine):
        for result in record["results"]:
            del result["seconds"], result["peak_memory_bytes"]
    assert {name: printed[name] for name in mine} == mine


def test_metrics_are_text_lists_or_objects(frame):
    for metrics in ("ndcg@3,recall@3", ["ndcg@3", "recall@3"], recsys.parse_metrics("ndcg@3,recall@3")):
        assert list(recsys.evaluate("popularity", frame, metrics=metrics).metrics) == ["ndcg@3", "recall@3"]


def test_intervals_of_all_that_holds_measurements(frame):
    done = recsys.evaluate("popularity", frame, metrics=METRICS)
    for measured in (done, done.result, done.measurements):
        assert recsys.interval(measured, "ndcg@3") == done.interval("ndcg@3")
    assert recsys.interval(done, "coverage@3") is None
    with pytest.raises(recsys.ParameterError, match=r"recall@3 was not measured; there are ndcg@3"):
        recsys.interval(done, "recall@3")


def test_a_test_log_is_read_as_the_log_was(frame):
    renamed = frame.rename(columns={"rating": "points"})
    log = recsys.load_log(renamed[frame.time % 4 > 0], value="points", feedback="explicit")
    done = recsys.evaluate("bias", log, test=renamed[frame.time % 4 == 0], metrics="rmse")
    assert done.metrics["rmse"] > 0


def test_a_model_trained_by_a_call_recommends(frame, tmp_path):
    bundle = recsys.train(recsys.WeightedNMF(2, max_iter=2), frame)
    recsys.save_bundle(bundle, tmp_path / "model")
    again = recsys.load_bundle(tmp_path / "model")
    assert (
        recsys.Recommender(again)
        .recommend(["u01"], n=3)
        .to_frame()
        .equals(recsys.Recommender(bundle).recommend(["u01"], n=3).to_frame())
    )


def test_a_stranger_cannot_be_saved(frame, tmp_path):
    with pytest.raises(
        recsys.ModelError, match=r"Counts is no recsys\.Model, so that what it learned cannot"
    ):
        recsys.save_bundle(recsys.train(Counts(), frame), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_results_of_strangers_are_not_reused(frame, tmp_path):
    for _ in range(2):
        done = recsys.compare([Counts()], frame, metrics="ndcg@3", out=tmp_path)
    assert [result.is_reused for result in done.results] == [False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda log: recsys.compare([], log), "no model to measure"),
        (lambda log: recsys.compare([3], log), "3 is no model; expected a name"),
        (lambda log: recsys.compare(["als"], None), "there is no log"),
        (lambda log: recsys.compare("alz", log), "no model 'alz'.*Did you mean 'als'"),
        (lambda log: recsys.compare(["als"], log, metrics=3), "3 is no metric"),
        (lambda log: recsys.compare(["als"], log, seed=-1), "seed is -1"),
        (lambda log: recsys.compare(["als"], log, splitt="last:2"), "no option 'splitt'.*split"),
        (lambda log: recsys.compare(["als"], log, split="last:2", test=log), "choose one"),
        (lambda log: recsys.compare(["als"], recsys.split(log), split="last:2"), "split already"),
        (lambda log: recsys.compare([recsys.WeightedNMF(-1)], log), "n_components is -1"),
        (lambda log: recsys.compare([OwnSubclass], log), "needs arguments"),
        (lambda log: recsys.compare(["als"], log, filter_test=True), "filter-test needs"),
        (lambda log: recsys.compare(["als"], log, block_mib=0), "block_mib is 0"),
        (lambda log: recsys.evaluate("popularity", 3), "a log of type int; expected a path"),
        (lambda log: recsys.split(log, "folds:5"), "makes 5 parts"),
        (lambda log: recsys.split(log, duplicates="first"), "'first': expected one of last"),
        (lambda log: recsys.interval(log, "ndcg@3"), "DataFrame holds no measurements"),
        (lambda log: recsys.compare_pairs([1], "ndcg@3"), "list holds no models"),
        (lambda log: recsys.write_report(log, "r.html"), "DataFrame cannot be reported"),
        (lambda log: recsys.set_threads(0), "threads is 0"),
        (lambda log: recsys.set_threads("2"), "threads is '2'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_message(frame, call, message):
    with pytest.raises((recsys.ParameterError, recsys.InputError), match=message):
        call(frame)


def test_wrong_scores_of_a_stranger_are_named(frame):
    class Wrong(Counts):
        def score_block(self, users):
            return self.scores

    done = recsys.compare({"mine": Wrong()}, frame, metrics="ndcg@3")
    assert "Wrong: the scores have shape (18,); expected (25, 18)" in done["mine"].error


def test_threads_of_the_process():
    from recsys import threads

    most = threads.current()
    try:
        recsys.set_threads(1)
        assert threads.current() == 1
        with threads.use(None):
            assert threads.current() == 1
    finally:
        recsys.set_threads(None)
    assert threads.current() == most


def test_the_public_names_are_there_and_cheap_to_import():
    source = (
        "import sys, recsys\n"
        "assert not {'numpy', 'pandas', 'numba', 'scipy'} & set(sys.modules)\n"
        "import recsys.evaluation.evaluator, recsys.splitting.split, recsys.report.writing\n"
        "assert callable(recsys.evaluate) and callable(recsys.split)\n"
        "assert all(getattr(recsys, name) is not None for name in recsys.__all__)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", source], check=True, cwd=Path(__file__).parents[2])


def test_stubs_for_type_checkers_name_what_is_there():
    text = Path(recsys.__file__).read_text()
    for name in recsys.__all__:
        if name != "__version__":
            assert f" as {name}\n" in text
