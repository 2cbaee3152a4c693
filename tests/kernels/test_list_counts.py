import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys import threads
from recsys.kernels import list_counts
from tests.matrices import frozen
from tests.reference import list_counts as reference

MARKS = st.integers(1, 8).flatmap(
    lambda n: st.lists(st.lists(st.booleans(), min_size=n, max_size=n), min_size=1, max_size=6)
)


@pytest.mark.parametrize("name", ["count_hits", "first_hits", "sum_precisions", "sum_discounts"])
@given(hits=MARKS, share=st.floats(0, 1))
def test_a_kernel_of_hits_equals_its_naive_twin(name, hits, share):
    n_counted = round(share * len(hits[0]))
    weights = [np.random.default_rng(0).random(len(hits[0]))] if name == "sum_discounts" else []
    expected = getattr(reference, name)(hits, n_counted, *weights)
    for n_threads in (1, 2):
        found = np.full(len(hits), -7, dtype=np.int64 if name in ("count_hits", "first_hits") else np.float64)
        with threads.use(n_threads):
            getattr(list_counts, name)(np.array(hits), n_counted, *weights, found)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@given(hits=MARKS, seed=st.integers(0, 99))
def test_sum_gains_equals_its_naive_twin(hits, seed):
    generator = np.random.default_rng(seed)
    gains = (np.array(hits) * generator.random((len(hits), len(hits[0])))).astype(np.float32)
    discounts = generator.random(len(hits[0]))
    found = np.full(len(hits), -7.0)
    list_counts.sum_gains(gains, len(hits[0]), discounts, found)
    np.testing.assert_allclose(
        found, reference.sum_gains(gains.tolist(), len(hits[0]), discounts), atol=1e-12
    )


@given(st.lists(st.lists(st.floats(0, 5, width=32), max_size=6), min_size=1, max_size=5), st.integers(0, 8))
def test_sum_largest_equals_its_naive_twin(values, k):
    indptr = frozen(np.r_[0, np.cumsum([len(of) for of in values])].astype(np.int64))
    falling = frozen(np.array([v for of in values for v in sorted(of, reverse=True)], dtype=np.float32))
    users = np.arange(len(values))[::-1].copy()
    discounts = 1 / np.arange(1.0, k + 1)
    for n_threads in (1, 2):
        found = np.full(len(users), -7.0)
        with threads.use(n_threads):
            list_counts.sum_largest(users, indptr, falling, discounts, found)
        expected = reference.sum_largest([values[user] for user in users], discounts)
        np.testing.assert_allclose(found, expected, atol=1e-12)
