"""Tuning: what is found, what is kept, what is never read, and what is refused."""

from __future__ import annotations

import json
import sqlite3
from contextlib import nullcontext
from dataclasses import KW_ONLY, dataclass

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import InputError, ModelError, ParameterError
from recsys.experiment import comparison
from recsys.experiment.memory import Peak
from recsys.experiment.settings import ModelSpec, read_model
from recsys.experiment.tuning import measuring as measuring_module
from recsys.experiment.tuning.measuring import Measuring
from recsys.experiment.tuning.plan import TuningPlan, parse_seconds
from recsys.experiment.tuning.space import parse_searches, space_of
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.parameters import param
from recsys.models.registry import MODELS, make, register_model, unregister_model
from recsys.models.search import Choice, Range

pytest.importorskip("optuna")


@dataclass(eq=False)
class Dial(Model):
    """The most popular items, the less disturbed the nearer the dial is to 0.7."""

    name = "dial"

    dial: float = param(0.1, "where the dial stands", minimum=0, maximum=1, search=Range(0.0, 1.0))
    _: KW_ONLY
    breaks_above: float = param(2.0, "from where on a fit fails")

    made = 0

    def _fit(self, data, progress):
        type(self).made += 1
        if self.dial > self.breaks_above:
            raise ModelError(f"the dial at {self.dial:.2f} breaks.")
        noise = np.random.default_rng(0).random((data.n_users, data.n_items))
        scores = data.item_counts / data.item_counts.max() + 4 * abs(self.dial - 0.7) * noise
        self.scores = scores.astype(np.float32)

    def score_block(self, users):
        return self.scores[users]

    def to_arrays(self):
        return {"scores": self.scores}

    def restore(self, arrays):
        self.scores = arrays["scores"]


@pytest.fixture(autouse=True)
def dial(monkeypatch):
    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)
    monkeypatch.setattr(comparison, "watched", lambda: nullcontext(Peak()))  # collects garbage each time
    register_model(Dial)
    Dial.made = 0
    yield Dial
    unregister_model("dial")


@pytest.fixture(scope="module")
def frame():
    generator = np.random.default_rng(1)
    popularity = 1 / np.arange(1, 61)
    rows = [
        (f"u{user:03d}", f"i{item:02d}", moment)
        for user in range(80)
        for moment, item in enumerate(
            generator.choice(60, size=12, replace=False, p=popularity / popularity.sum())
        )
    ]
    return pd.DataFrame(rows, columns=["user", "item", "time"])


def tune(frame, *args, trials=12, **options):
    return recsys.tune(*(args or ("dial",)), frame, validation="random-user:0.3", trials=trials, **options)


def told(model):
    return [(trial.number, trial.params, trial.state, trial.value) for trial in model.trials]


def test_the_best_of_a_known_optimum_is_found_and_the_first_trial_is_the_model_as_it_is(frame):
    tuned = tune(frame, trials=25).winner
    assert tuned.untuned.params == {}
    assert tuned.untuned.config["dial"] == 0.1
    assert abs(tuned.best.params["dial"] - 0.7) < 0.1
    assert tuned.best.value > tuned.untuned.value
    assert tuned.spec == ModelSpec("dial", tuned.best.params, label="dial")
    span = tuned.interval
    assert span.low < tuned.best.value < span.high
    assert 0 <= tuned.selection_gain < tuned.best.value
    table = tuned.to_frame()
    assert table.index[0] == tuned.best.number
    assert list(table["ndcg@10"]) == sorted(table["ndcg@10"], reverse=True)


def test_the_value_is_that_of_an_evaluation_with_the_same_parameters(frame):
    tuned = tune(frame, trials=4).winner
    measured = recsys.evaluate(
        Dial(tuned.best.params.get("dial", 0.1)), frame, split="random-user:0.3", metrics="ndcg@10"
    )
    assert tuned.best.value == measured.metrics["ndcg@10"]


def test_the_same_tuning_has_the_same_trials_and_another_seed_others(frame):
    first, again, other = (tune(frame, trials=10, seed=seed).winner for seed in (0, 0, 1))
    assert told(first) == told(again)
    assert [trial.params for trial in first.trials[1:]] != [trial.params for trial in other.trials[1:]]


def test_an_interrupted_tuning_goes_on_as_it_would_have(frame, tmp_path, monkeypatch):
    whole = told(tune(frame, trials=14, out=tmp_path / "whole").winner)
    run = measuring_module.run

    def interrupted(*args, **options):
        if Dial.made >= 11:
            raise KeyboardInterrupt
        return run(*args, **options)

    Dial.made = 0
    monkeypatch.setattr(measuring_module, "run", interrupted)
    cut = tune(frame, ["dial", "item-knn"], trials=14, out=tmp_path / "cut")
    assert cut.is_interrupted
    assert [model.label for model in cut.models] == ["dial"]  # no other was begun
    partial = cut.winner
    assert len(partial.trials) == 11
    monkeypatch.setattr(measuring_module, "run", run)
    assert told(tune(frame, trials=14, out=tmp_path / "cut").winner) == whole
    assert Dial.made == 14  # nothing was fitted twice


@pytest.mark.parametrize("name", ["50%25 off", "what?mode=ro", "a#b", "ünïcode"])
def test_trials_are_kept_where_it_is_said_whatever_the_folder_is_called(frame, tmp_path, name):
    for n_trials in (2, 3):
        tune(frame, trials=n_trials, out=tmp_path / name)
    assert Dial.made == 3  # nothing was fitted twice
    assert (tmp_path / name / "dial" / "study.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("n_kept", [0, 3, 6])
def test_a_trial_that_was_killed_is_made_again(frame, tmp_path, n_kept):
    """As after kill -9: the storage has a trial that runs, with some of what is kept of it, or all."""
    whole = told(tune(frame, trials=6).winner)
    tune(frame, trials=4, out=tmp_path)
    with sqlite3.connect(tmp_path / "dial" / "study.sqlite") as storage:
        storage.execute("UPDATE trials SET state = 'RUNNING' WHERE number = 3")
        storage.execute("DELETE FROM trial_values WHERE trial_id = 4")
        of_trial = "SELECT trial_user_attribute_id FROM trial_user_attributes WHERE trial_id = 4"
        numbers = [number for (number,) in storage.execute(f"{of_trial} ORDER BY 1")]
        assert len(numbers) == 6
        for number in numbers[n_kept:]:
            storage.execute("DELETE FROM trial_user_attributes WHERE trial_user_attribute_id = ?", [number])
    tune(frame, trials=4, out=tmp_path)  # twice: what the first finds it must not leave to the second
    assert told(tune(frame, trials=6, out=tmp_path).winner) == whole


def test_more_trials_may_be_asked_for_later(frame, tmp_path):
    tune(frame, trials=3, out=tmp_path)
    longer = tune(frame, trials=7, out=tmp_path).winner
    assert told(longer) == told(tune(frame, trials=7).winner)
    assert [trial.measurements is not None for trial in longer.trials] == [True] * 7


def test_the_test_part_has_no_say(frame, tmp_path):
    """Everything in the last events is changed; not a digit of the trials does."""
    changed = frame.copy()
    last = changed["time"] >= 10
    changed.loc[last, "item"] = "i59"
    results = [
        told(recsys.tune("dial", table, split="time:10", validation="random-user:0.3", trials=5).winner)
        for table in (frame, changed)
    ]
    assert results[0] == results[1]


def test_the_winner_is_measured_once_on_the_test_part_beside_the_model_without_tuning(frame):
    tuning = recsys.tune("dial", frame, split="random-user:0.3", trials=10, final=True)
    final = tuning.final
    assert [result.label for result in final.results] == ["dial, tuned", "dial", "popularity"]
    assert final["dial, tuned"].spec.params == tuning.winner.best.params
    untuned = recsys.evaluate(Dial(), frame, split="random-user:0.3", metrics="ndcg@10")
    assert final["dial"].measurements.metrics["ndcg@10"] == untuned.metrics["ndcg@10"]
    assert tuning.validation == "random-user:0.3"


def test_a_setting_that_fails_is_noted_and_the_others_stand(frame, tmp_path):
    for options in ({}, {"out": tmp_path}, {"out": tmp_path}):
        tuned = tune(frame, Dial(breaks_above=0.8), trials=10, **options).winner
        failed = [trial for trial in tuned.trials if trial.state == "failed"]
        assert failed
        assert all("breaks" in trial.error and trial.value is None for trial in failed)
        assert tuned.best.config["dial"] <= 0.8
        assert tuned.count("failed") + tuned.count("complete") == 10


def test_where_nothing_can_be_measured_the_reason_is_given(frame):
    with pytest.raises(ModelError, match="no setting of dial could be measured by ndcg@10: the dial at 0"):
        tune(frame, Dial(breaks_above=0.0), search={"dial": "0.5..0.9"}, trials=3)


def test_a_setting_below_the_median_is_given_up_after_the_first_fold(frame):
    tuned = recsys.tune("dial", frame, validation="folds:3", trials=30).winner
    assert tuned.count("pruned") > 0
    assert tuned.best.is_complete
    worst_kept = min(trial.value or 0.0 for trial in tuned.trials if trial.is_complete)
    assert all(trial.value is not None and trial.measurements is None for trial in tuned.trials
               if trial.state == "pruned")  # fmt: skip
    assert worst_kept <= tuned.best.value
    # The value of several parts is that of all their users, the middle of its interval.
    assert tuned.best.value == tuned.best.measurements.metrics["ndcg@10"] == tuned.interval.mean


def test_models_have_the_same_budget_and_the_best_is_named(frame):
    tuning = tune(
        frame,
        ["dial", "item-knn"],
        search={"dial": {"dial": "0.6..0.8"}, "item-knn": {"n_neighbors": [5, 10]}},
        trials=3,
    )
    assert [len(model.trials) for model in tuning.models] == [3, 3]
    assert tuning["item-knn"].study.space.spec.name == "item-knn"
    best = max(tuning.models, key=lambda model: model.best.value)
    assert tuning.winner is best
    with pytest.raises(ParameterError, match="no model is labelled 'als'; there are dial, item-knn"):
        tuning["als"]


def test_what_is_kept_can_be_trained_and_says_where_it_comes_from(frame, tmp_path):
    tuning = tune(frame, trials=9)
    (config,) = tuning.save(tmp_path)
    spec = read_model(config)
    assert (spec.name, spec.params) == ("dial", tuning.winner.best.params)
    text = config.read_text()
    assert "validation: random-user:0.3" in text
    assert f"ndcg@10 {tuning.winner.best.value:.4f}" in text
    record = json.loads((tmp_path / "tuning.json").read_text())
    assert [trial["value"] for trial in record["models"][0]["trials"]] == [
        trial.value for trial in tuning.winner.trials
    ]


def test_a_folder_of_other_trials_is_left_alone(frame, tmp_path):
    tune(frame, trials=2, out=tmp_path)
    before = (tmp_path / "dial" / "study.sqlite").read_bytes()
    for changed, options in ((frame.iloc[:-5], {}), (frame, {"seed": 3}), (frame, {"metric": "recall@5"})):
        with pytest.raises(InputError, match=r"holds other trials \(dial by ndcg@10 on random-user:0\.3"):
            tune(changed, trials=2, out=tmp_path, **options)
    assert (tmp_path / "dial" / "study.sqlite").read_bytes() == before


def test_a_storage_that_is_none_is_said_to_be(frame, tmp_path):
    (tmp_path / "dial").mkdir()
    (tmp_path / "dial" / "study.sqlite").write_text("this is no database, but it is long enough to look" * 9)
    with pytest.raises(InputError, match=r"study\.sqlite cannot be used \(.*not a database"):
        tune(frame, trials=2, out=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(recsys.OutputError, match="cannot be written"):
        tune(frame, trials=2, out=tmp_path / "file")


@pytest.mark.parametrize("reason", ["database or disk is full", "disk I/O error"])
def test_a_full_disk_is_no_other_program(frame, tmp_path, monkeypatch, reason):
    def full(**_):
        raise RuntimeError(f"(sqlite3.OperationalError) {reason}\n[SQL: CREATE TABLE studies]")

    monkeypatch.setattr("optuna.create_study", full)
    with pytest.raises(recsys.OutputError, match=rf"study\.sqlite cannot be written: {reason}; make room"):
        tune(frame, trials=2, out=tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trials": 0}, r"trials is 0; expected a whole number, 1 to 100,000"),
        ({"metric": "coverage"}, "metric 'coverage': expected a list length"),
        ({"metric": "popularity-lift@10"}, "popularity-lift@10 has no better end"),
        ({"metric": "ndcg-gap@10"}, "ndcg-gap@10 is smallest for lists that are bad for all"),
        ({"metric": "rmse"}, "dial predicts no values, so it cannot be tuned by rmse"),
        ({"final": True}, "give --split or --test with --final"),
        ({"split": "folds:3"}, "makes 3 parts; tuning keeps one"),
        ({"time": "soon"}, "the time 'soon' is none; expected e.g. 90s, 10m or 2h"),
        ({"time": 0}, "0.0 seconds; expected more than 0"),
        ({"search": {"dail": "0..1"}}, "dial has no parameter 'dail'.* Did you mean 'dial'"),
        ({"search": {"dial": "0.9..0.1"}}, "searched from 0.9 to 0.1; expected the lower end first"),
        ({"search": {"dial": "0.5..3"}}, "dial is 3.0; expected a number, 1 or less"),
        ({"search": {"dial": "low..high"}}, "'low' is no number"),
        ({"search": {"dial": [0.5]}}, "dial has 1 value to choose from"),
        ({"search": {"dial": [[0.5], [0.6]]}}, r"dial is \[0.5\]; expected a number"),
        ({"search": {"dial": 0.5}}, "no parameter is searched .it declares dial."),
        ({"search": 3}, "search is 3; expected a mapping"),
        ({"search": {"als": {"l2": "1..2"}}}, "als is none of the models dial"),
        ({"min_people": 3}, "there is no option 'min_people'"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_the_log_is_read(options, message):
    needs_log = "split" in options and options["split"].startswith("folds")
    log = pd.DataFrame({"user": [1, 2, 1], "item": [1, 1, 2]}) if needs_log else "no such file.csv"
    with pytest.raises(ParameterError, match=message):
        recsys.tune("dial", log, **{"trials": 3, **options})


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_declares_lies_within_its_limits(name):
    declared = parameters.searches(MODELS[name])
    if not declared:
        with pytest.raises(ParameterError, match="no parameter is searched"):
            space_of(ModelSpec(name))
        return
    space = space_of(ModelSpec(name))
    for key, where in space.searched.items():
        for value in where.values if isinstance(where, Choice) else (where.low, where.high):
            make(name, {key: value})


def test_where_is_searched_as_text():
    read = parse_searches(["a=16..512", "b=0..3", "c=x,y", "d=5", "e=0.5..1", "f=none,0.1"])
    assert read == {
        "a": Range(16, 512, log=True),
        "b": Range(0, 3),
        "c": Choice(("x", "y")),
        "d": 5,
        "e": Range(0.5, 1),
        "f": Choice((None, 0.1)),
    }
    assert [read["a"].is_whole, read["e"].is_whole] == [True, False]


def test_a_given_range_keeps_the_scale_that_the_model_declares():
    space = space_of(ModelSpec("masked-nmf"), {"l2": Range(0.05, 0.1)})
    assert space.searched["l2"] == Range(0.05, 0.1, log=True)
    assert space.setting({"l2": 0.07}).params == {"l2": 0.07}


def test_times():
    assert [parse_seconds(text) for text in ("90s", "10m", "1.5h", "30", 12)] == [90, 600, 5400, 30, 12]


def test_time_ends_it_after_the_trial_that_has_begun(frame):
    tuned = recsys.tune("dial", frame, time=0.001).winner
    assert len(tuned.trials) == 1


def test_a_plan_is_checked_when_it_is_made():
    with pytest.raises(ParameterError, match="there is no model to tune"):
        TuningPlan((), "log.csv")


@pytest.mark.slow  # SQLite waits for some seconds before it says so
@pytest.mark.parametrize("n_before", [0, 2])
def test_a_locked_storage_is_said_to_be_and_earlier_trials_are_kept(frame, tmp_path, monkeypatch, n_before):
    plan = {"metric": "ndcg@10", "validation": "random-user:0.3", "out": tmp_path}
    recsys.tune("item-knn", frame, {"n_neighbors": "2..9"}, trials=1, **plan)
    holder = sqlite3.connect(tmp_path / "item-knn" / "study.sqlite", isolation_level=None)
    original = Measuring.measure

    def measure(self, number, params, asked):
        if asked is not None and number == n_before:
            holder.execute("BEGIN EXCLUSIVE")
        return original(self, number, params, asked)

    monkeypatch.setattr(Measuring, "measure", measure)
    if n_before == 0:
        holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InputError, match=r"(cannot be used|cannot be written to) \(.*database is locked"):
        recsys.tune("item-knn", frame, {"n_neighbors": "2..9"}, trials=4, **plan)
    holder.execute("ROLLBACK")
    monkeypatch.undo()
    again = recsys.tune("item-knn", frame, {"n_neighbors": "2..9"}, trials=4, **plan)
    assert len(again.models[0].trials) == 4
