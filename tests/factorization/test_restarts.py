import time
from dataclasses import replace

import numpy as np
import pytest

from recsys.factorization.losses import Loss
from recsys.factorization.masked import MaskedObjective
from recsys.factorization.restarts import Rules, fit_once, fit_validated
from recsys.factorization.starts import random_start
from tests.matrices import ABSENT, rows_of

LOSS = Loss(MaskedObjective(l2=0.3, l2_exponent=0.0, l1=0.0, bias_l2=1.0, biases=True))


def planted():
    """Three themes and noise: there is something to learn, and then something to learn by heart."""
    chance = np.random.default_rng(0)
    truth = chance.gamma(0.5, size=(80, 3)) @ chance.gamma(0.5, size=(3, 50))
    noisy = np.maximum(truth + 0.3 * chance.standard_normal(truth.shape), 0)
    return np.where(chance.random(truth.shape) < 0.3, noisy, ABSENT)


ROWS = rows_of(planted())
LONG = Rules(60, patience=3)


def starts(rows, by_item, weights, number):
    return random_start(rows, 4, biases=True, seed=0, chain=number)


def validated(n_starts, rules=LONG, make=LOSS.problem, begin=starts, **others):
    return fit_validated(
        make,
        begin,
        ROWS,
        ROWS.transposed(),
        rules,
        LOSS.error,
        n_starts=n_starts,
        share=0.2,
        seed=0,
        name="m",
        **others,
    )


def once(number, n_iter):
    return fit_once(
        LOSS.problem, ROWS, ROWS.transposed(), starts(ROWS, None, None, number), Rules(n_iter), name="m"
    )


def assert_equal(found, expected):
    for name in ("user_factors", "item_factors", "user_bias", "item_bias"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def errors_of_each(n):
    """Held-out errors of each start, tried alone."""
    return [
        validated(1, begin=lambda *data, number=number: starts(*data[:3], number)).history
        for number in range(n)
    ]


def test_the_start_with_the_least_error_is_fitted_to_all_entries_as_often_as_was_best():
    alone = errors_of_each(4)
    best = min(range(4), key=lambda number: min(alone[number].validation))
    assert best != 0  # or nothing would be chosen
    found = validated(4)
    again = once(best, alone[best].best_iter)
    assert_equal(found.factors, again.factors)
    assert found.history.objective == again.history.objective
    assert found.history.validation == alone[best].validation
    assert found.history.stopped == alone[best].stopped == "validation"
    assert found.history.n_iter == found.history.best_iter
    assert len(found.rivals) == 3


class Counting:
    """Problems that are interrupted after so many sweeps in all."""

    def __init__(self, n_sweeps):
        self.left = n_sweeps

    def __call__(self, *arguments):
        problem = LOSS.problem(*arguments)
        sweep = problem.sweep_users

        def counted():
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            sweep()

        problem.sweep_users = counted
        return problem


def sweeps_of(n_starts):
    return [len(history.validation) for history in errors_of_each(n_starts)]


def test_an_interrupt_in_a_later_start_keeps_the_best_state_so_far():
    of_each = errors_of_each(2)
    found = validated(3, make=Counting(sum(len(one.validation) for one in of_each)))
    assert found.history.stopped == "interrupted"
    best = min(of_each, key=lambda history: min(history.validation))
    assert found.history.validation == best.validation
    assert found.history.n_iter == best.best_iter
    assert len(found.rivals) == 1


def test_an_interrupt_in_the_last_fit_falls_back_on_the_best_state_measured():
    n_sweeps = sum(sweeps_of(2))
    measured = validated(2, make=Counting(n_sweeps))
    in_the_middle = validated(2, make=Counting(n_sweeps + 1))
    assert in_the_middle.history.stopped == "interrupted"
    assert_equal(in_the_middle.factors, measured.factors)


def test_the_best_state_is_that_of_the_best_sweep_not_of_the_last():
    (n_sweeps,) = sweeps_of(1)
    found = validated(1, make=Counting(n_sweeps))
    best = found.history.best_iter
    assert best < n_sweeps
    until_then = validated(1, rules=replace(LONG, max_iter=best), make=Counting(best))
    assert_equal(found.factors, until_then.factors)
    assert len(found.history.objective) == len(found.history.seconds) == best


def test_an_interrupt_before_the_first_sweep_goes_its_way():
    with pytest.raises(KeyboardInterrupt):
        validated(2, make=Counting(0))


def test_a_deadline_ends_everything():
    found = validated(3, rules=replace(LONG, deadline=time.perf_counter() - 1))
    assert found.history.stopped == "time"
    assert found.history.n_iter == 1
    assert not found.rivals


def test_weights_are_held_out_with_their_entries():
    weights = np.random.default_rng(0).choice([0.5, 2.0], ROWS.nnz).astype(np.float32)
    seen = []

    def watched(rows, by_item, start, given):
        seen.append((rows, given))
        return LOSS.problem(rows, by_item, start, given)

    found = validated(1, make=watched, weights=weights)
    rest, rest_weights = seen[0]
    assert rest.nnz == len(rest_weights) < ROWS.nnz
    of_pair = dict(zip(zip(ROWS.row_numbers, ROWS.columns, strict=True), weights, strict=True))
    assert [of_pair[pair] for pair in zip(rest.row_numbers, rest.columns, strict=True)] == list(rest_weights)
    np.testing.assert_array_equal(seen[1][1], weights)
    assert found.history.validation != validated(1).history.validation
