"""Sums over the entries of a row, in a written-out order.

A sum that a compiler may order as it likes comes out in other bits when a kernel is compiled than when it
is read from Numba's cache, since the two are optimised a different number of times. Here the order is
written down: entries are padded with zeros to a multiple of `STRIDE`, and lane ``l`` adds entries ``l``,
``l + 16``, ... in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from numba.core import cgutils

from recsys.kernels.vector_code import INT64, LANES, VectorCode, compiled_by
from recsys.typing import Float32Array, Float64Array, Int32Array

STRIDE = 2 * LANES


@njit(cache=True)
def padded(n: int) -> int:
    """Return the least multiple of `STRIDE` that is ``n`` or above."""
    return (n + STRIDE - 1) // STRIDE * STRIDE


def _sum_products(code: VectorCode, n: Any, out: Any, n_sums: int, add: Callable[..., None]) -> None:
    """Write ``n_sums`` sums to ``out``; ``add`` receives their registers and the first of eight entries."""
    totals = [code.sums(n_sums) for _ in range(2)]
    with cgutils.for_range(code.builder, code.sdiv(n, INT64(STRIDE))) as loop:
        for k, total in enumerate(totals):
            add(total, code.add(code.times(loop.index, STRIDE), INT64(k * LANES)))
    for number, (first, second) in enumerate(zip(*totals, strict=True)):
        code.store(code.sum_of(code.fadd(code.load(first), code.load(second))), code.behind(out, number))


def _dot(code: VectorCode, a: Any, b: Any, n: Any, out: Any) -> None:
    def add(total: list[Any], j: Any) -> None:
        code.accumulate(total[0], code.read(a, j), code.read(b, j))

    _sum_products(code, n, out, 1, add)


@compiled_by(_dot)
def dot(a: Float32Array, b: Float32Array, n: int, out: Float32Array) -> None:
    """Write ``sum a b`` to ``out`` (1,)."""
    out[0] = a[:n] @ b[:n]


def _weighted_sums(code: VectorCode, weights: Any, a: Any, b: Any, n: Any, out: Any) -> None:
    def add(total: list[Any], j: Any) -> None:
        factor = code.read(a, j)
        weighted = code.fmul(code.read(weights, j), factor)
        code.accumulate(total[0], weighted, code.read(b, j))
        code.accumulate(total[1], weighted, factor)

    _sum_products(code, n, out, 2, add)


@compiled_by(_weighted_sums)
def weighted_sums(weights: Float32Array, a: Float32Array, b: Float32Array, n: int, out: Float32Array) -> None:
    """Write ``sum c a b`` and ``sum c a^2`` to ``out`` (2,), ``c`` being the weights."""
    weighted = weights[:n] * a[:n]
    out[:2] = weighted @ b[:n], weighted @ a[:n]


def _ratio_sums(code: VectorCode, weights: Any, a: Any, b: Any, n: Any, out: Any) -> None:
    def add(total: list[Any], j: Any) -> None:
        ratio = code.fdiv(code.read(a, j), code.read(b, j))
        weighted = code.fmul(code.read(weights, j), ratio)
        code.store(code.fadd(code.load(total[0]), weighted), total[0])
        code.accumulate(total[1], weighted, ratio)

    _sum_products(code, n, out, 2, add)


@compiled_by(_ratio_sums)
def ratio_sums(weights: Float32Array, a: Float32Array, b: Float32Array, n: int, out: Float32Array) -> None:
    """Write ``sum c t`` and ``sum c t^2`` with ``t = a / b`` to ``out`` (2,), ``c`` being the weights."""
    ratio = a[:n] / b[:n]
    weighted = weights[:n] * ratio
    out[:2] = weighted.sum(), weighted @ ratio


@njit(cache=True)
def exact_dot(a: Float32Array, b: Float32Array, n: int) -> float:
    """Return ``sum a b`` over the first ``n`` numbers, a multiple of 8, in double precision."""
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for j in range(0, n, LANES):
        s0 += np.float64(a[j]) * np.float64(b[j])
        s1 += np.float64(a[j + 1]) * np.float64(b[j + 1])
        s2 += np.float64(a[j + 2]) * np.float64(b[j + 2])
        s3 += np.float64(a[j + 3]) * np.float64(b[j + 3])
        s4 += np.float64(a[j + 4]) * np.float64(b[j + 4])
        s5 += np.float64(a[j + 5]) * np.float64(b[j + 5])
        s6 += np.float64(a[j + 6]) * np.float64(b[j + 6])
        s7 += np.float64(a[j + 7]) * np.float64(b[j + 7])
    return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))


@njit(cache=True)
def gathered_dot(values: Float32Array, index: Int32Array, factors: Float32Array) -> np.float32:
    """Return the sum of the products of ``values[index]`` and ``factors``, in single precision."""
    n = len(index)
    whole = n - n % 4
    s0 = s1 = s2 = s3 = np.float32(0)
    for j in range(0, whole, 4):
        s0 += values[index[j]] * factors[j]
        s1 += values[index[j + 1]] * factors[j + 1]
        s2 += values[index[j + 2]] * factors[j + 2]
        s3 += values[index[j + 3]] * factors[j + 3]
    for j in range(whole, n):
        s0 += values[index[j]] * factors[j]
    return (s0 + s2) + (s1 + s3)


@njit(cache=True)
def gathered_total(values: Float64Array, index: Int32Array) -> float:
    """Return the sum of ``values[index]``."""
    n = len(index)
    whole = n - n % 4
    s0 = s1 = s2 = s3 = 0.0
    for j in range(0, whole, 4):
        s0 += values[index[j]]
        s1 += values[index[j + 1]]
        s2 += values[index[j + 2]]
        s3 += values[index[j + 3]]
    for j in range(whole, n):
        s0 += values[index[j]]
    return (s0 + s2) + (s1 + s3)
