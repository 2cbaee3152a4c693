"""Answers do not wait for a fit: while another thread launches they are computed, to the same bits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numba
import numpy as np
import pytest

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.kernels.sparse_rows import count_nonzeros
from recsys.models.registry import make
from recsys.recommend.bundle import Bundle
from tests.matrices import random_matrix

MODELS = {
    "hybrid-nmf": {"n_components": 6, "ratings": "yes"},
    "masked-nmf": {"n_components": 3, "max_iter": 3},
    "weighted-nmf": {"n_components": 6},
    "poisson-nmf": {"n_components": 3, "max_iter": 3},
    "slim": {},
    "als": {"n_components": 4, "max_iter": 2},
}
DATA = Interactions.from_matrix(random_matrix(40, 30))


def answers(bundle):
    history = dict.fromkeys(list(bundle.item_ids)[:3], 4.0)
    users = list(bundle.user_ids)[:5]
    yield list(bundle.recommend(users, 5).lists())
    yield list(bundle.recommend_for(history, 5).lists())
    yield bundle.similar(next(iter(history)), 4)
    yield [str(explanation) for explanation in bundle.explain(users[0], n=2)]
    yield [str(explanation) for explanation in bundle.explain_for(history, n=2)]
    if bundle.model.predicts_values:
        yield np.asarray(bundle.predict(users[0], list(history))).tolist()


@pytest.mark.skipif(threads.available() == 1, reason="with one core every kernel runs alone")
@pytest.mark.parametrize("name", MODELS)
def test_answers_are_given_while_another_thread_launches(name):
    bundle = Bundle.of(make(name, MODELS[name]).fit(DATA), DATA)
    expected = list(answers(bundle))
    inside, done = Event(), Event()

    def hold():
        with threads.launch():
            inside.set()
            assert done.wait(60)

    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(hold)
        assert inside.wait(60)
        answered = pool.submit(lambda: list(answers(bundle)))
        try:
            beside = answered.result(timeout=30)  # for ever, if it waited for the launch
        finally:
            done.set()
        held.result()
    assert repr(beside) == repr(expected)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="without JIT there is no compiler")
def test_a_kernel_does_not_hold_the_interpreter():
    assert count_nonzeros.dispatcher.targetoptions["nogil"] is True
