import time

import pytest

from recsys.errors import ModelError
from recsys.factorization.descent import descend
from recsys.factorization.problem import Sweep


class Scripted:
    """A problem whose sweeps are known beforehand."""

    def __init__(self, objectives):
        self.sweeps = (each if isinstance(each, Sweep) else Sweep(each) for each in objectives)
        self.n_calls = 0

    def sweep(self):
        self.n_calls += 1
        return next(self.sweeps)


class Listener:
    def __init__(self):
        self.heard = []

    def start(self, task, total):
        self.heard.append((task, total))

    def advance(self, steps=1, note=""):
        self.heard.append(steps)

    def finish(self):
        self.heard.append("end")


def test_sweeps_follow_each_other_until_max_iter():
    problem = Scripted([8.0, 4.0, 2.0])
    history = descend(problem, max_iter=3, tol=0.1, name="m")
    assert problem.n_calls == 3
    assert history.objective == [8.0, 4.0, 2.0]
    assert history.n_iter == len(history.seconds) == len(history.nonzero_share) == 3
    assert not history.converged
    assert history.stopped == "max_iter"


def test_descent_stops_when_the_fall_is_at_most_tol_of_the_objective():
    history = descend(Scripted([100.0, 80.0, 72.0, 1.0]), max_iter=9, tol=0.1, name="m")
    assert history.objective == [100.0, 80.0, 72.0]
    assert history.converged
    assert history.stopped == "tol"


def test_a_sweep_that_left_factors_out_does_not_show_that_nothing_moves():
    complete = zip([100.0, 99.9, 99.8, 99.7, 99.6], [True, False, False, True, True], strict=True)
    problem = Scripted(Sweep(objective, is_complete=whole) for objective, whole in complete)
    assert descend(problem, max_iter=9, tol=0.1, name="m").objective == [100.0, 99.9, 99.8, 99.7]


def test_objectives_with_other_penalties_do_not_compare():
    # The penalties of the first two sweeps are not the final ones: the third compares with neither.
    comparable = zip([100.0, 99.9, 99.8, 99.7, 99.6], [False, False, True, True, True], strict=True)
    problem = Scripted(Sweep(objective, is_comparable=final) for objective, final in comparable)
    assert descend(problem, max_iter=9, tol=0.1, name="m").objective == [100.0, 99.9, 99.8, 99.7]


def test_a_gradient_does_not_end_the_descent_before_penalties_are_final():
    problem = Scripted(Sweep(9.0 - n, is_comparable=n >= 2) for n in range(9))
    history = descend(problem, max_iter=9, tol=0, name="m", gradient=lambda: 0.0, gradient_tol=0.1)
    assert history.n_iter == 3


def test_without_tol_descent_never_stops_early():
    history = descend(Scripted([1.0] * 5), max_iter=5, tol=0, name="m")
    assert history.n_iter == 5
    assert not history.converged


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_an_objective_that_is_no_number_stops_the_descent(bad):
    listener = Listener()
    with pytest.raises(ModelError, match=f"m: the objective became {bad} after 2 iterations"):
        descend(Scripted([1.0, bad]), max_iter=9, tol=0, name="m", progress=listener)
    assert listener.heard == [("m", 9), 1, "end"]


class Scored:
    """Held-out entries whose errors are known beforehand."""

    def __init__(self, problem, errors):
        self.problem, self.errors = problem, iter(errors)
        self.kept = []

    def score(self):
        return next(self.errors)

    def keep(self):
        self.kept.append(self.problem.n_calls)


def test_the_best_state_is_kept_and_patience_ends_the_descent():
    problem = Scripted(range(100, 0, -1))
    validation = Scored(problem, [5.0, 4.0, 4.5, 3.0, 3.0, 3.5, 2.0])
    history = descend(problem, max_iter=99, tol=0, name="m", validation=validation, patience=2)
    assert history.validation == [5.0, 4.0, 4.5, 3.0, 3.0, 3.5]
    assert validation.kept == [1, 2, 4]  # an equal error later is no better
    assert history.best_iter == 4
    assert history.stopped == "validation"
    assert history.converged


def test_a_small_enough_gradient_ends_the_descent():
    slopes = iter([10.0, 5.0, 2.0, 0.5])
    history = descend(
        Scripted(range(9, 0, -1)),
        max_iter=9,
        tol=0,
        name="m",
        gradient=lambda: next(slopes),
        gradient_tol=0.1,
    )
    assert history.n_iter == 3
    assert history.stopped == "gradient"


def test_the_gradient_is_not_asked_for_without_a_tolerance():
    def never():
        raise AssertionError

    assert descend(Scripted([2.0, 1.0]), max_iter=2, tol=0, name="m", gradient=never).n_iter == 2


def test_a_deadline_that_has_passed_leaves_one_iteration():
    history = descend(Scripted([3.0, 2.0]), max_iter=2, tol=0, name="m", deadline=time.perf_counter() - 1)
    assert history.n_iter == 1
    assert history.stopped == "time"
    assert not history.converged


class Interrupted(Scripted):
    """Interrupted in the sweep of some iteration."""

    def __init__(self, objectives, iteration):
        super().__init__(objectives)
        self.iteration = iteration

    def sweep(self):
        if self.n_calls == self.iteration:
            raise KeyboardInterrupt
        return super().sweep()


def test_an_interrupt_ends_the_descent_with_what_is_done():
    listener = Listener()
    problem = Interrupted([4.0, 3.0, 2.0], 2)
    history = descend(problem, max_iter=3, tol=0, name="m", progress=listener)
    assert history.objective == [4.0, 3.0]
    assert history.stopped == "interrupted"
    assert len(history.seconds) == len(history.nonzero_share) == 2
    assert listener.heard == [("m", 3), 1, 1, "end"]


def test_an_interrupt_before_anything_is_done_goes_its_way():
    with pytest.raises(KeyboardInterrupt):
        descend(Interrupted([4.0], 0), max_iter=3, tol=0, name="m")


def test_an_interrupt_while_the_held_out_entries_are_measured_counts_nothing_by_halves():
    def errors():
        yield 1.0
        raise KeyboardInterrupt

    problem = Scripted([4.0, 3.0])
    history = descend(problem, max_iter=3, tol=0, name="m", validation=Scored(problem, errors()))
    assert history.objective == [4.0]
    assert history.validation == [1.0]
    assert history.stopped == "interrupted"
