import time
from dataclasses import replace

import numpy as np
import pytest

from recsys.factorization.entries import Entries
from recsys.factorization.penalty import Penalty
from recsys.factorization.problem import AlternatingProblem
from recsys.factorization.squared import SquaredObjective
from recsys.models import trainer
from recsys.models.trainer import StoppingRules, Trainer
from tests.matrices import ABSENT, rows_of
from tests.objectives import assert_same

OBJECTIVE = SquaredObjective(Penalty(0.3), bias_l2=1.0, biases=True)


def planted():
    """Three components and noise: there is something to learn, and then something to learn by heart."""
    generator = np.random.default_rng(0)
    truth = generator.gamma(0.5, size=(80, 3)) @ generator.gamma(0.5, size=(3, 50))
    noisy = np.maximum(truth + 0.3 * generator.standard_normal(truth.shape), 0)
    return np.where(generator.random(truth.shape) < 0.3, noisy, ABSENT)


ROWS = rows_of(planted())
LONG = StoppingRules(60, patience=3)


class LaterStarts(Trainer):
    """Starts from some number on."""

    first = 0

    def start(self, entries, number):
        return super().start(entries, self.first + number)


def validated(n_starts, rules=LONG, weights=None, kind=Trainer):
    fit = kind(OBJECTIVE, 4, rules, n_starts=n_starts, validation_share=0.2, name="m")
    return fit.fit(Entries.of(ROWS, weights))


def started_at(number):
    """Return a trainer whose first start is another one's start of this number."""
    return type("Started", (LaterStarts,), {"first": number})


def once(number, n_iter):
    return started_at(number)(OBJECTIVE, 4, StoppingRules(n_iter), name="m").fit(Entries.of(ROWS))


def errors_of_each(n):
    """Held-out errors of each start, tried alone."""
    return [validated(1, kind=started_at(number)).history for number in range(n)]


def test_the_start_with_the_least_error_is_fitted_to_all_entries_as_often_as_was_best():
    alone = errors_of_each(4)
    best = min(range(4), key=lambda number: min(alone[number].validation))
    assert best != 0  # or nothing would be chosen
    result = validated(4)
    again = once(best, alone[best].best_iter)
    assert_same(result.factors, again.factors)
    assert result.history.objective == again.history.objective
    assert result.history.validation == alone[best].validation
    assert result.history.stopped == alone[best].stopped == "validation"
    assert result.history.n_iter == result.history.best_iter
    assert len(result.rivals) == 3


@pytest.fixture
def interrupted_after(monkeypatch):
    """Return a function: problems are interrupted after so many sweeps in all."""
    sweep = AlternatingProblem.sweep

    def after(n_sweeps):
        remaining = iter(range(n_sweeps))

        def counted(problem):
            if next(remaining, None) is None:
                raise KeyboardInterrupt
            return sweep(problem)

        monkeypatch.setattr(AlternatingProblem, "sweep", counted)

    yield after
    monkeypatch.undo()


def sweeps_of(n_starts):
    return [len(history.validation) for history in errors_of_each(n_starts)]


def test_an_interrupt_in_a_later_start_keeps_the_best_state_so_far(interrupted_after):
    of_each = errors_of_each(2)
    interrupted_after(sum(len(history.validation) for history in of_each))
    result = validated(3)
    assert result.history.stopped == "interrupted"
    best = min(of_each, key=lambda history: min(history.validation))
    assert result.history.validation == best.validation
    assert result.history.n_iter == best.best_iter
    assert len(result.rivals) == 1


def test_an_interrupt_in_the_last_fit_falls_back_on_the_best_state_measured(interrupted_after):
    n_sweeps = sum(sweeps_of(2))
    interrupted_after(n_sweeps)
    measured = validated(2)
    interrupted_after(n_sweeps + 1)
    in_the_middle = validated(2)
    assert in_the_middle.history.stopped == "interrupted"
    assert_same(in_the_middle.factors, measured.factors)


def test_the_best_state_is_that_of_the_best_sweep_not_of_the_last(interrupted_after):
    (n_sweeps,) = sweeps_of(1)
    interrupted_after(n_sweeps)
    result = validated(1)
    best = result.history.best_iter
    assert best < n_sweeps
    interrupted_after(best)
    until_then = validated(1, rules=replace(LONG, max_iter=best))
    assert_same(result.factors, until_then.factors)
    assert len(result.history.objective) == len(result.history.seconds) == best


def test_an_interrupt_before_the_first_sweep_is_not_caught(interrupted_after):
    interrupted_after(0)
    with pytest.raises(KeyboardInterrupt):
        validated(2)


def test_a_deadline_ends_everything():
    result = validated(3, rules=replace(LONG, deadline=time.perf_counter() - 1))
    assert result.history.stopped == "time"
    assert result.history.n_iter == 1
    assert not result.rivals


def test_weights_are_held_out_with_their_entries(monkeypatch):
    weights = np.random.default_rng(0).choice([0.5, 2.0], ROWS.nnz).astype(np.float32)
    fitted = []

    class Watched(AlternatingProblem):
        def __init__(self, objective, entries, start, **options):
            fitted.append(entries)
            super().__init__(objective, entries, start, **options)

    monkeypatch.setattr(trainer, "AlternatingProblem", Watched)
    result = validated(1, weights=weights)
    rest, everything = fitted
    assert rest.by_user.nnz == len(rest.weights) < ROWS.nnz
    of_pair = dict(zip(zip(ROWS.row_numbers, ROWS.columns, strict=True), weights, strict=True))
    pairs = zip(rest.by_user.row_numbers, rest.by_user.columns, strict=True)
    assert [of_pair[pair] for pair in pairs] == list(rest.weights)
    np.testing.assert_array_equal(everything.weights, weights)
    assert result.history.validation != validated(1).history.validation
