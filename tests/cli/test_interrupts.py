"""Interrupts: what is done is kept, and what was there is whole."""

from __future__ import annotations

import json

import pytest

from recsys.factorization.problem import AlternatingProblem


def test_an_interrupt_is_exit_code_130(recsys, monkeypatch, ratings, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.data.load.read_events", interrupted)
    code, _, err = recsys("train", ratings, "--out", tmp_path / "model")
    assert code == 130
    assert err == "recsys: interrupted; every file is whole, old or new.\n"
    assert not (tmp_path / "model").exists()


@pytest.fixture
def interrupted_descent(monkeypatch):
    """Interrupt a fit in its third sweep."""
    sweep = AlternatingProblem.sweep
    calls = []

    def interrupted(problem):
        calls.append(problem)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return sweep(problem)

    monkeypatch.setattr("recsys.experiment.training.precompile", lambda _: None)
    monkeypatch.setattr(AlternatingProblem, "sweep", interrupted)


def test_an_interrupted_training_saves_what_is_done(recsys, interrupted_descent, ratings, tmp_path):
    code, out, err = recsys(
        "train", ratings, "--model", "masked-nmf", "--set", "n_components=3", "--out", tmp_path / "model"
    )
    assert code == 130
    assert "interrupted after 2 iterations" in out
    assert f"Interrupted; the best state so far is in {tmp_path / 'model'}." in out
    assert err == "recsys: interrupted; every file is whole, old or new.\n"
    code, out, _ = recsys("recommend", tmp_path / "model", "--user", "u00", "--json")
    assert code == 0
    assert len(json.loads(out)["lists"][0]["items"]) == 5


def test_an_interrupted_training_leaves_an_older_model_alone(recsys, as_json, request, ratings, tmp_path):
    arguments = ("train", ratings, "--model", "masked-nmf", "--set", "n_components=3", "--out")
    as_json(*arguments, tmp_path / "model")
    before = (tmp_path / "model" / "model.json").read_bytes()
    request.getfixturevalue("interrupted_descent")
    code, out, _ = recsys(*arguments, tmp_path / "model", "--json")
    assert code == 130
    record = json.loads(out)
    assert record["stopped"] == "interrupted"
    assert record["iterations"] == 2
    assert record["out"] == str(tmp_path / "model.interrupted")
    assert (tmp_path / "model" / "model.json").read_bytes() == before
    assert recsys("themes", tmp_path / "model.interrupted")[0] == 0


def test_an_interrupted_comparison_keeps_what_is_done(recsys, monkeypatch, ratings):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("recsys.models.baselines.als.ALS._fit", interrupted)
    monkeypatch.setattr("recsys.experiment.comparison.precompile", lambda *_, **__: None)
    models = ("--model", "popularity", "--model", "als", "--model", "masked-nmf")
    code, out, err = recsys("compare", ratings, *models, "--metrics", "ndcg@5", "--json")
    assert code == 130
    assert "interrupted" in err
    results = json.loads(out)["results"]
    assert [result["model"] for result in results] == ["popularity", "als"]
    assert results[0]["metrics"]["ndcg@5"] > 0
    assert results[1]["error"] == "interrupted"
