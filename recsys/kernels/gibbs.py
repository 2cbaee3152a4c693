"""Gibbs sampling of masked factors: the sweep of `recsys.kernels.masked`, drawn instead of solved.

Legend as there; ``tau`` is the precision of the noise, ``lambda_f`` that of a theme's prior.

Sources: Schmidt, Winther & Hansen (2009), "Bayesian non-negative matrix factorization", section 3;
Salakhutdinov & Mnih (2008). Truncated normals: Robert (1995), "Simulation of truncated normal
variables", section 2. Generator: Steele, Lea & Flood (2014), SplitMix64.

Every row has a generator of its own, seeded by the sweep's key and the row's number, so that draws
do not depend on which thread makes them.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53
_TWO_PI = 2.0 * np.pi
# From here on the exponential proposal is accepted more often than the normal one.
_TAIL = 0.47


@njit(cache=True)
def _mixed(state: np.uint64) -> np.uint64:
    state = (state ^ (state >> _S30)) * _MIX_1
    state = (state ^ (state >> _S27)) * _MIX_2
    return state ^ (state >> _S31)


@njit(cache=True)
def _uniform(state: np.ndarray) -> float:
    """Return a number in (0, 1]; ``state`` (1,) moves on."""
    state[0] += _GOLDEN
    return (np.float64(_mixed(state[0]) >> _S11) + 1.0) * _UNIT


@njit(cache=True)
def _normal(state: np.ndarray) -> float:
    return np.sqrt(-2.0 * np.log(_uniform(state))) * np.cos(_TWO_PI * _uniform(state))


@njit(cache=True)
def _positive_normal(mean: float, deviation: float, state: np.ndarray) -> float:
    """Return a normal number given that it is above 0."""
    least = -mean / deviation
    if least <= _TAIL:
        while True:
            drawn = _normal(state)
            if drawn > least:
                return mean + deviation * drawn
    rate = 0.5 * (least + np.sqrt(least * least + 4.0))
    while True:
        beyond = -np.log(_uniform(state)) / rate  # above the bound: no digits are lost far out
        distance = least + beyond - rate
        if _uniform(state) <= np.exp(-0.5 * distance * distance):
            return deviation * beyond


@njit(cache=True, parallel=True)
def draw_positive_normals(
    mean: Float64Array, deviation: Float64Array, key: np.uint64, out: Float64Array
) -> None:
    """Write one draw of each normal given that it is above 0; for tests of the generator.

    Parameters
    ----------
    mean, deviation : (n,)
    key : uint64
    out : (n,)
        Receives the draws.
    """
    for row in prange(len(out)):
        state = np.empty(1, dtype=np.uint64)
        state[0] = _mixed(key + np.uint64(row) * _GOLDEN)
        out[row] = _positive_normal(mean[row], deviation[row], state)


@njit(cache=True, parallel=True, fastmath={"contract", "reassoc", "nsz", "arcp"})
def sweep_gibbs(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    mean: np.float32,
    own: Float32Array,
    own_bias: Float32Array,
    other: Float32Array,
    other_bias: Float32Array,
    tau: float,
    precisions: Float64Array,
    bias_precision: float,
    key: np.uint64,
    squared_error: Float64Array,
) -> None:
    """Draw every row of one side given the other.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, values : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row.
    mean : float32
    own, own_bias : (n_rows, rank), (n_rows,)
        The last draws; replaced by new ones. A row without entries is drawn from the prior.
    other, other_bias : (n_columns, rank), (n_columns,)
    tau : float
        Precision of the noise.
    precisions : (rank,)
        Precision of each theme's prior on this side.
    bias_precision : float
    key : uint64
        Another one for each sweep and side.
    squared_error : (n_rows,)
        Receives the sum of squared residuals of the row.
    """
    rank = own.shape[1]
    for block in prange(len(blocks) - 1):
        first, last = blocks[block], blocks[block + 1]
        longest = 0
        for row in range(first, last):
            longest = max(longest, indptr[row + 1] - indptr[row])
        gathered = np.empty(rank * longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        state = np.empty(1, dtype=np.uint64)
        for row in range(first, last):
            state[0] = _mixed(key + np.uint64(row) * _GOLDEN)
            begin = indptr[row]
            n = indptr[row + 1] - begin
            for j in range(n):
                column = columns[begin + j]
                residual[j] = values[begin + j] - mean - own_bias[row] - other_bias[column]
                for f in range(rank):
                    gathered[f * n + j] = other[column, f]
            for f in range(rank):
                h = gathered[f * n : (f + 1) * n]
                w = own[row, f]
                for j in range(n):
                    residual[j] -= w * h[j]

            total = np.float32(0)
            for j in range(n):
                total += residual[j]
            precision = tau * n + bias_precision
            centre = tau * (total + n * own_bias[row]) / precision
            drawn = np.float32(centre + _normal(state) / np.sqrt(precision))
            delta = np.float32(drawn - own_bias[row])
            own_bias[row] = drawn
            for j in range(n):
                residual[j] -= delta

            for f in range(rank):
                h = gathered[f * n : (f + 1) * n]
                w = own[row, f]
                total, square = np.float32(0), np.float32(0)
                for j in range(n):
                    total += residual[j] * h[j]
                    square += h[j] * h[j]
                precision = tau * square + precisions[f]
                centre = tau * (total + square * w) / precision
                drawn = np.float32(_positive_normal(centre, 1.0 / np.sqrt(precision), state))
                delta = np.float32(drawn - w)
                own[row, f] = drawn
                for j in range(n):
                    residual[j] -= delta * h[j]

            loss = 0.0
            for j in range(n):
                loss += np.float64(residual[j]) * np.float64(residual[j])
            squared_error[row] = loss
