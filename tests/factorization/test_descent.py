import pytest

from recsys.errors import ModelError
from recsys.factorization.descent import History, descend


class Given:
    """A problem whose objectives are known beforehand."""

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


def test_descent_stops_when_the_fall_is_at_most_tol_of_the_objective():
    history = descend(Given([100.0, 80.0, 72.0, 1.0]), max_iter=9, tol=0.1, name="m")
    assert history.objective == [100.0, 80.0, 72.0]
    assert history.converged


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


def test_a_history_survives_json():
    history = descend(Given([3.0, 2.0]), max_iter=2, tol=0, name="m")
    assert History.from_json(history.to_json()) == history
