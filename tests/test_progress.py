"""Listeners, callbacks of iterations, and the log of tasks."""

import logging

import numpy as np
import pytest

import recsys
from recsys import Iteration, IterationCallback, MaskedNMF
from recsys.progress import SILENT, task
from tests.matrices import random_matrix

X = random_matrix(20, 12)


class Recorder:
    def __init__(self):
        self.calls = []

    def start(self, task, total):
        self.calls.append(("start", task, total))

    def advance(self, steps=1, note=""):
        self.calls.append(("advance", steps))

    def finish(self):
        self.calls.append(("finish",))


@pytest.mark.parametrize(
    "model",
    [
        MaskedNMF(2, max_iter=4, tol=0.0),
        recsys.WeightedNMF(2, max_iter=4, tol=0.0),
        recsys.PoissonNMF(2, max_iter=4, tol=0.0),
    ],
)
def test_a_callback_is_given_each_iteration(model):
    iterations = []
    model.fit(X, progress=IterationCallback(iterations.append))
    assert [iteration.number for iteration in iterations] == [1, 2, 3, 4]
    assert {(iteration.task, iteration.total) for iteration in iterations} == {(model.name, 4)}
    assert [iteration.objective for iteration in iterations] == list(model.history_.objective)
    seconds = [iteration.seconds for iteration in iterations]
    assert seconds == sorted(seconds)
    assert all(iteration.held_out_error is None for iteration in iterations)


def test_a_callback_is_given_held_out_errors():
    iterations = []
    model = MaskedNMF(2, max_iter=4, patience=4, validation_share=0.2)
    model.fit(X, progress=IterationCallback(iterations.append))
    measured = [i.held_out_error for i in iterations if i.task == "masked-nmf, held out"]
    assert measured == list(model.history_.validation)
    assert any(i.task == "masked-nmf, all entries" for i in iterations)


@pytest.mark.parametrize("name", ["als", "bpr", "bayesian-nmf"])
def test_models_that_iterate_otherwise_notify_too(name):
    from recsys.models.registry import make

    iterations = []
    model = make(
        name, {"n_draws": 3, "n_burn_in": 2, "n_chains": 1} if name == "bayesian-nmf" else {"max_iter": 5}
    )
    model.fit(np.nan_to_num(X, nan=1.0), progress=IterationCallback(iterations.append))
    assert [iteration.number for iteration in iterations] == [1, 2, 3, 4, 5]


def test_a_callback_may_end_a_fit():
    def stop(iteration):
        if iteration.number == 3:
            raise KeyboardInterrupt

    data = recsys.Interactions.from_matrix(X)
    model = MaskedNMF(2, tol=0.0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(data, progress=IterationCallback(stop))
    assert model.is_fitted
    assert model.history_.stopped == "interrupted"


def test_what_a_callback_raises_comes_out():
    def fail(iteration):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        MaskedNMF(2).fit(X, progress=IterationCallback(fail))


def test_a_callback_beside_a_listener():
    recorder, iterations = Recorder(), []
    MaskedNMF(2, max_iter=2, tol=0.0).fit(X, progress=IterationCallback(iterations.append, recorder))
    assert recorder.calls == [("start", "masked-nmf", 2), ("advance", 1), ("advance", 1), ("finish",)]
    assert len(iterations) == 2
    with pytest.raises(recsys.ParameterError, match="callback is 3"):
        IterationCallback(3)


def test_updates_take_what_fits_take():
    lines = []
    model = MaskedNMF(2, max_iter=2).fit(X, progress=lines.append)
    model.partial_fit(X, reach="all", progress=lines.append)
    assert any("masked-nmf 3/3" in line for line in lines)


def test_the_log_has_the_end_of_a_task_and_for_debugging_its_steps(caplog):
    with caplog.at_level(logging.INFO, "recsys"):
        MaskedNMF(2, max_iter=3, tol=0.0).fit(X)
    (record,) = caplog.records
    assert record.name == "recsys.progress"
    assert record.getMessage().startswith("masked-nmf: 3/3 in ")
    assert "objective" in record.getMessage()
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "recsys"):
        MaskedNMF(2, max_iter=3, tol=0.0).fit(X)
    assert [record.levelname for record in caplog.records] == ["DEBUG"] * 4 + ["INFO"]


def test_a_task_that_fails_is_ended():
    recorder = Recorder()

    def work():
        with task(recorder, "work", 3) as running:
            running.advance()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert recorder.calls == [("start", "work", 3), ("advance", 1), ("finish",)]


def test_a_task_inside_a_task():
    recorder = Recorder()
    with task(recorder, "outer") as outer, task(outer, "inner", 2) as inner:
        inner.advance(2)
    assert recorder.calls == [
        ("start", "outer", None),
        ("start", "inner", 2),
        ("advance", 2),
        ("finish",),
        ("finish",),
    ]


def test_nothing_is_printed_unasked(capfd):
    MaskedNMF(2).fit(X, progress=SILENT)
    assert capfd.readouterr() == ("", "")
    assert Iteration("fit", 1, 2, 0.5).objective is None
