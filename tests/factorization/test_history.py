import json

import pytest

from recsys.errors import ModelError
from recsys.factorization.history import History


def full():
    return History([3.0, 2.0, 1.5], [3.3, 5.0, 6.7], [0.25] * 3, [0.9, 0.5, 0.6], "validation")


def test_a_history_survives_json():
    history = full()
    assert History.from_json(json.loads(json.dumps(history.to_json()))) == history
    assert (history.n_iter, history.best_iter) == (3, 2)


def test_without_held_out_entries_the_last_iteration_is_the_best():
    history = History([3.0, 2.0], [1.0, 2.0], [0.5, 0.5])
    assert history.best_iter == 2
    assert History.from_json(history.to_json()) == history


@pytest.mark.parametrize(("converged", "stopped"), [(True, "tol"), (False, "max_iter")])
def test_an_older_history_is_read(converged, stopped):
    record = {
        "objective": [2.0, 1.0],
        "seconds": [0.1, 0.2],
        "nonzero_share": [1, 0.5],
        "converged": converged,
    }
    history = History.from_json(record)
    assert history.stopped == stopped
    assert history.converged == converged
    assert history.validation == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": None}, "'objective' is no list of finite numbers"),
        ({"seconds": [1, "2", 3]}, "'seconds' is no list of finite numbers"),
        ({"validation": [True]}, "'validation' is no list of finite numbers"),
        ({"nonzero_share": [float("nan")] * 3}, "'nonzero_share' is no list of finite numbers"),
        ({"seconds": [1.0]}, "differ in length"),
        ({"stopped": "tired"}, "'tired'; expected one of tol"),
        ({"stopped": []}, "expected one of tol"),
    ],
)
def test_a_damaged_history_is_refused(change, message):
    with pytest.raises(ModelError, match=message):
        History.from_json(full().to_json() | change)


def test_a_history_that_is_no_object_is_refused():
    with pytest.raises(ModelError, match="history is a list; expected an object"):
        History.from_json([1.0])
