"""Tuning by fits that are measured after each iteration, and nested in outer folds."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

import recsys
from recsys.errors import ParameterError
from recsys.experiment import comparison
from recsys.experiment.memory import Peak
from recsys.progress import Silent

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(comparison, "precompile", lambda *_, **__: None)
    monkeypatch.setattr(comparison, "watched", lambda: nullcontext(Peak()))  # collects garbage each time


def ladder_log():
    generator = np.random.default_rng(4)
    users = generator.integers(0, 40, 700)
    items = generator.integers(0, 15, 700) + 15 * (users % 2)
    ratings = 1 + (users * items) % 5
    return pd.DataFrame({"user": users, "item": items, "rating": ratings}).drop_duplicates(["user", "item"])


LADDER_LOG = ladder_log()


# -- one fit, measured after each iteration -------------------------------------------------------
class Snapshots(Silent):
    """Keeps the models it is shown."""

    def __init__(self):
        self.models = []

    def snapshot(self, model):
        self.models.append(model)


@pytest.mark.parametrize(
    "model",
    [
        recsys.MaskedNMF(3, max_iter=4, tol=0.0),
        recsys.WeightedNMF(3, max_iter=4),
        recsys.PoissonNMF(3, max_iter=4, tol=0.0),
        recsys.ALS(3, max_iter=4),
    ],
    ids=lambda model: model.name,
)
def test_a_snapshot_is_the_model_of_a_shorter_fit(model):
    assert model.shows_iterations
    data = recsys.Interactions.from_log(recsys.load_log(LADDER_LOG))
    shown = Snapshots()
    model.fit(data, progress=shown)
    assert len(shown.models) == 4
    for number in (1, 2, 4):
        alone = type(model)(**{**model.get_params(), "max_iter": number}).fit(data)
        snapshot = shown.models[number - 1]
        assert snapshot.config() == alone.config()
        for name, array in alone.to_arrays().items():
            assert np.array_equal(array, snapshot.to_arrays()[name]), (number, name)


def test_no_snapshot_where_starts_or_held_out_entries_choose():
    data = recsys.Interactions.from_log(recsys.load_log(LADDER_LOG))
    shown = Snapshots()
    recsys.MaskedNMF(3, max_iter=4, validation_share=0.2).fit(data, progress=shown)
    recsys.MaskedNMF(3, max_iter=4, n_init=2).fit(data, progress=shown)
    assert shown.models == []


def test_the_number_of_iterations_is_found_by_each_fit(tmp_path):
    plan = {"metric": "ndcg@5", "trials": 9, "validation": "random-user:0.3", "seed": 2}
    search = {"n_components": "2..12", "max_iter": "10..30"}
    tuning = recsys.tune("als", LADDER_LOG, search, **plan, out=tmp_path)
    (model,) = tuning.models
    assert model.untuned.curve == ()
    climbed = [trial for trial in model.trials[1:] if trial.is_complete]
    assert climbed
    assert any(trial.state == "pruned" for trial in model.trials)
    (part,) = model.study.parts
    for trial in climbed:
        assert trial.value == max(trial.curve)
        assert trial.params["max_iter"] == 1 + trial.curve.index(trial.value) == trial.config["max_iter"]
        assert len(trial.curve) <= min(30, trial.params["max_iter"] + 5)
        again = recsys.evaluate(model.study.space.setting(trial.params), part, metrics="ndcg@5", seed=2)
        assert again.measurements.metrics["ndcg@5"] == trial.value
    for trial in model.trials:
        if trial.state == "pruned":
            assert 2 <= len(trial.curve) < 30  # what is measured to its end is complete
    assert "max_iter" not in model.at_edge  # the optimum lies below the searched range, and was measured
    assert model.best.params["max_iter"] < 10
    # Gone on from what was kept, it is the same.
    again = recsys.tune("als", LADDER_LOG, search, **plan, out=tmp_path)
    first, second = tuning.to_json(), again.to_json()
    assert first == second
    part = recsys.tune("als", LADDER_LOG, search, **{**plan, "trials": 4}, out=tmp_path / "b")
    whole = recsys.tune("als", LADDER_LOG, search, **plan, out=tmp_path / "b")
    assert [t.params for t in part["als"].trials] == [t.params for t in whole["als"].trials][:4]
    assert [(t.params, t.value) for t in whole["als"].trials] == [(t.params, t.value) for t in model.trials]


def test_a_number_of_iterations_that_is_given_is_kept_to():
    tuning = recsys.tune(
        recsys.ALS(max_iter=3), LADDER_LOG, {"n_components": "2..6"}, metric="ndcg@5", trials=3, split=None
    )
    for trial in tuning.models[0].trials:
        assert trial.config["max_iter"] == 3
        assert trial.curve == ()


# -- nested ---------------------------------------------------------------------------------------
def test_outer_folds_are_seen_by_no_tuning_of_theirs(tmp_path):
    plan = {"metric": "ndcg@5", "trials": 3, "validation": "random-user:0.3", "outer": "folds:3"}
    search = {"n_neighbors": [2, 5, 9]}
    tuning = recsys.tune("item-knn", LADDER_LOG, search, **plan, out=tmp_path)
    nested = tuning.nested
    assert [fold.part for fold in nested.folds] == [1, 2, 3]
    assert [result.label for result in nested.comparison.results] == [
        "item-knn, tuned",
        "item-knn",
        "popularity",
    ]
    folds = recsys.parse_splits("folds:3", recsys.load_log(LADDER_LOG).log, seed=0)
    values = []
    for fold, rows in zip(nested.folds, folds, strict=True):
        rest = recsys.load_log(LADDER_LOG.reset_index(drop=True).iloc[rows.train])
        alone = recsys.tune("item-knn", rest, search, metric="ndcg@5", trials=3, validation="random-user:0.3")
        assert alone.models[0].best.value == fold.winners["item-knn"].value
        assert alone.models[0].best.params == fold.winners["item-knn"].params
        values.append(alone.spec)
    tuned = nested.comparison["item-knn, tuned"]
    assert len(tuned.parts) == 3
    for part, spec, rows in zip(tuned.parts, values, folds, strict=True):
        frame = LADDER_LOG.reset_index(drop=True)
        measured = recsys.evaluate(
            spec, frame.iloc[rows.train], test=frame.iloc[rows.held_out], metrics="ndcg@5"
        )
        assert part.measurements.metrics["ndcg@5"] == pytest.approx(measured.measurements.metrics["ndcg@5"])
    again = recsys.tune("item-knn", LADDER_LOG, search, **plan, out=tmp_path)
    assert again.to_json()["nested"]["folds"] == tuning.to_json()["nested"]["folds"]


def test_outer_folds_take_the_place_of_a_test_part():
    with pytest.raises(ParameterError, match="leave --split and --test out"):
        recsys.tune("item-knn", LADDER_LOG, outer="folds:3", split="random:0.2")


# -- a storage that somebody else holds ------------------------------------------------------------
