import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels.pair_order import shares_in_order
from tests.kernels.blocks import compressed, run
from tests.matrices import frozen
from tests.reference import pair_order as reference


@given(st.lists(st.sampled_from([-np.inf, 0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=9), st.integers(0, 99))
def test_shares_in_order_equals_its_naive_twin(scores, seed):
    unseen = [item for item, score in enumerate(scores) if score != -np.inf]
    held = set(np.array(unseen)[np.random.default_rng(seed).random(len(unseen)) < 0.4].tolist())
    found = run(
        shares_in_order,
        np.array([scores, scores], dtype=np.float32),
        np.array([1, 0]),
        *compressed([held, set()]),
        n=2,
    )
    np.testing.assert_allclose(found, [np.nan, reference.shares_in_order(scores, held)], atol=1e-12)


@pytest.mark.parametrize("n_held", [0, 3])
def test_there_is_no_order_without_two_kinds_of_items(n_held):
    found = run(
        shares_in_order,
        np.ones((1, 3), dtype=np.float32),
        np.array([0]),
        *compressed([set(range(n_held))]),
        n=1,
    )
    assert np.isnan(found[0])


def test_many_ties_take_no_longer_than_none():
    """20,000 items, half of them held out: counted one by one, ties would be 100 million steps."""
    n_items = 20_000
    held = frozen(np.arange(0, n_items, 2, dtype=np.int32))
    indptr = frozen(np.array([0, len(held)]))
    seconds = {}
    for name, scores in (("none", np.arange(n_items)[::-1].copy()), ("all", np.zeros(n_items))):
        line = scores.astype(np.float32)[None]
        found = np.empty(1)
        best = np.inf
        for _ in range(3):
            began = time.perf_counter()
            with threads.launch():
                shares_in_order(line, np.array([0]), indptr, held, found)
            best = min(best, time.perf_counter() - began)
        seconds[name] = best
        assert found[0] == pytest.approx(0.5, abs=1e-4)
    assert seconds["all"] < 10 * seconds["none"] + 0.005
