import time

import pytest

from recsys.errors import ModelError
from recsys.factorization.descent import descend


class Given:
    """A problem whose objectives are known beforehand."""

    looked_at_all = True

    def __init__(self, objectives):
        self.objectives = iter(objectives)
        self.calls = []

    def sweep_users(self):
        self.calls.append("users")

    def sweep_items(self):
        self.calls.append("items")
        return next(self.objectives)

    def nonzero_share(self):
        return 0.5


class Listener:
    def __init__(self):
        self.heard = []

    def start(self, task, total):
        self.heard.append((task, total))

    def advance(self, steps=1, note=""):
        self.heard.append(steps)

    def finish(self):
        self.heard.append("end")


def test_sides_take_turns_until_max_iter():
    problem = Given([8.0, 4.0, 2.0])
    history = descend(problem, max_iter=3, tol=0.1, name="m")
    assert problem.calls == ["users", "items"] * 3
    assert history.objective == [8.0, 4.0, 2.0]
    assert history.n_iter == len(history.seconds) == len(history.nonzero_share) == 3
    assert not history.converged
    assert history.stopped == "max_iter"


def test_descent_stops_when_the_fall_is_at_most_tol_of_the_objective():
    history = descend(Given([100.0, 80.0, 72.0, 1.0]), max_iter=9, tol=0.1, name="m")
    assert history.objective == [100.0, 80.0, 72.0]
    assert history.converged
    assert history.stopped == "tol"


def test_a_sweep_that_left_factors_out_does_not_show_that_nothing_moves():
    problem = Given([100.0, 99.9, 99.8, 99.7])
    parts = iter([True, False, False, True])
    sweep = problem.sweep_users

    def sweep_users():
        sweep()
        problem.looked_at_all = next(parts)

    problem.sweep_users = sweep_users
    assert descend(problem, max_iter=9, tol=0.1, name="m").objective == [100.0, 99.9, 99.8, 99.7]


def test_without_tol_descent_never_stops_early():
    history = descend(Given([1.0] * 5), max_iter=5, tol=0, name="m")
    assert history.n_iter == 5
    assert not history.converged


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_an_objective_that_is_no_number_stops_the_descent(bad):
    listener = Listener()
    with pytest.raises(ModelError, match=f"m: the objective became {bad} after 2 iterations"):
        descend(Given([1.0, bad]), max_iter=9, tol=0, name="m", progress=listener)
    assert listener.heard == [("m", 9), 1, "end"]


class Scored:
    """Held-out entries whose errors are known beforehand."""

    def __init__(self, problem, errors):
        self.problem, self.errors = problem, iter(errors)
        self.kept = []

    def score(self):
        return next(self.errors)

    def keep(self):
        self.kept.append(len(self.problem.calls) // 2)


def test_the_best_state_is_kept_and_patience_ends_the_descent():
    problem = Given(range(100, 0, -1))
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
        Given(range(9, 0, -1)), max_iter=9, tol=0, name="m", gradient=lambda: next(slopes), gradient_tol=0.1
    )
    assert history.n_iter == 3
    assert history.stopped == "gradient"


def test_the_gradient_is_not_asked_for_without_a_tolerance():
    def never():
        raise AssertionError

    assert descend(Given([2.0, 1.0]), max_iter=2, tol=0, name="m", gradient=never).n_iter == 2


def test_a_deadline_that_has_passed_leaves_one_iteration():
    history = descend(Given([3.0, 2.0]), max_iter=2, tol=0, name="m", deadline=time.perf_counter() - 1)
    assert history.n_iter == 1
    assert history.stopped == "time"
    assert not history.converged


class Interrupted(Given):
    """Interrupted in a side's sweep of some iteration."""

    def __init__(self, objectives, side, iteration):
        super().__init__(objectives)
        self.where = side, iteration

    def _perhaps(self, side):
        if (side, len(self.calls) // 2) == self.where:
            raise KeyboardInterrupt

    def sweep_users(self):
        self._perhaps("users")
        super().sweep_users()

    def sweep_items(self):
        self._perhaps("items")
        return super().sweep_items()


@pytest.mark.parametrize("side", ["users", "items"])
def test_an_interrupt_ends_the_descent_with_what_is_done(side):
    listener = Listener()
    problem = Interrupted([4.0, 3.0, 2.0], side, 2)
    history = descend(problem, max_iter=3, tol=0, name="m", progress=listener)
    assert history.objective == [4.0, 3.0]
    assert history.stopped == "interrupted"
    assert len(history.seconds) == len(history.nonzero_share) == 2
    assert listener.heard == [("m", 3), 1, 1, "end"]


def test_an_interrupt_before_anything_is_done_goes_its_way():
    with pytest.raises(KeyboardInterrupt):
        descend(Interrupted([4.0], "items", 0), max_iter=3, tol=0, name="m")


def test_an_interrupt_while_the_held_out_entries_are_measured_counts_nothing_by_halves():
    def errors():
        yield 1.0
        raise KeyboardInterrupt

    problem = Given([4.0, 3.0])
    history = descend(problem, max_iter=3, tol=0, name="m", validation=Scored(problem, errors()))
    assert history.objective == [4.0]
    assert history.validation == [1.0]
    assert history.stopped == "interrupted"
