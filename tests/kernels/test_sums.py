"""Sums in a written-out order are sums."""

import numpy as np
import pytest
from numba import njit

from recsys.kernels import sums


@njit
def padded_sums(weights, a, b, n):
    out = np.empty(6, dtype=np.float32)
    sums.dot(a, b, n, out)
    sums.weighted_sums(weights, a, b, n, out[1:3])
    sums.ratio_sums(weights, a, b, n, out[3:5])
    out[5] = sums.exact_dot(a, b, n)
    return out


@pytest.mark.parametrize("n", [0, 1, 16, 17, 50])
def test_padded_sums_equal_those_of_doubles(n):
    m = sums.padded(n)
    assert m % sums.STRIDE == 0
    assert n <= m < n + sums.STRIDE
    drawn = np.zeros((3, m), dtype=np.float32)
    drawn[:, :n] = np.random.default_rng(n).random((3, n)) + 0.5
    weights, a, b = drawn
    b[n:] = 1
    c, x, y = drawn.astype(np.float64)
    ratio = x / y
    expected = [x @ y, c @ (x * y), c @ (x * x), c @ ratio, c @ (ratio * ratio), x @ y]
    np.testing.assert_allclose(padded_sums(weights, a, b, m), expected, rtol=1e-5)


@pytest.mark.parametrize("n", [0, 1, 4, 7, 30])
def test_gathered_sums_equal_those_of_doubles(n):
    generator = np.random.default_rng(n)
    values, factors = generator.random(40), generator.random(n, dtype=np.float32)
    index = generator.integers(0, 40, n).astype(np.int32)
    assert sums.gathered_total(values, index) == pytest.approx(values[index].sum())
    single = values.astype(np.float32)
    expected = single[index].astype(np.float64) @ factors
    assert sums.gathered_dot(single, index, factors) == pytest.approx(expected, rel=1e-5)
