"""Gibbs sampling of masked factors: the sweep of `recsys.kernels.masked`, drawn instead of solved.

Legend as there; ``tau`` is the precision of the noise, ``lambda_f`` that of a component's prior. A factor is
the positive part of a latent number of any sign, ``w_f = max(0, g_f)``, and the prior is that of the
latent number: ``g_f ~ Normal(m_f, 1 / lambda_f)``. So factors are never negative, often exactly 0, and
their prior mean may be learned by plain regression, which a normal cut at 0 would not allow.

Sources: Schmidt, Winther & Hansen (2009), "Bayesian non-negative matrix factorization", section 3;
Salakhutdinov & Mnih (2008); Harva & Kaban (2007), "Variational learning for rectified factor
analysis". Truncated normals: Robert (1995), "Simulation of truncated normal variables",
section 2. Generator: Steele, Lea & Flood (2014), SplitMix64.

Every row has a generator of its own, seeded by the sweep's key and the row's number, so that draws
do not depend on which thread makes them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import exact_dot, padded, weighted_sums
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)
_UNIT = 2.0**-53
_TWO_PI = 2.0 * np.pi
# From this bound on the exponential proposal is accepted more often than the normal one.
_TAIL = -0.47
# From here on down logarithms are needed to tell shares of a normal from 0.
_FAR = -8.0
_MOST_POWER = 700.0
_ROOT_HALF = math.sqrt(0.5)
_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)


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


@njit(cache=True)
def _log_share_below(x: float) -> float:
    """Return the logarithm of the standard normal distribution function."""
    if x > _FAR:
        return math.log(0.5 * math.erfc(-x * _ROOT_HALF))
    inverse = 1.0 / (x * x)  # the asymptotic series, good to four digits of the share from here on
    return -0.5 * x * x - math.log(-x) - _LOG_ROOT_TWO_PI + math.log1p(inverse * (3.0 * inverse - 1.0))


@njit(cache=True)
def _latent(
    slope: float, curvature: float, prior_mean: float, prior_precision: float, state: np.ndarray
) -> float:
    """Return a latent number whose positive part ``w`` has log-likelihood ``slope w - curvature w^2 / 2``.

    Below 0 the likelihood is flat, so that side is the prior cut at 0; above 0 it is a normal cut
    at 0. Which side comes first is drawn by their weights.
    """
    precision = curvature + prior_precision
    centre = (slope + prior_precision * prior_mean) / precision
    root, prior_root = math.sqrt(precision), math.sqrt(prior_precision)
    x, y = centre * root, -prior_mean * prior_root
    power = 0.5 * (y * y - x * x)
    if x > _FAR and y > _FAR:
        odds_below = root / prior_root * math.exp(min(power, _MOST_POWER))
        odds_below *= math.erfc(-y * _ROOT_HALF) / math.erfc(-x * _ROOT_HALF)
    else:
        power += math.log(root / prior_root) + _log_share_below(y) - _log_share_below(x)
        odds_below = math.exp(min(power, _MOST_POWER))
    if _uniform(state) * (1.0 + odds_below) <= 1.0:
        return _positive_normal(centre, 1.0 / root, state)
    return -_positive_normal(-prior_mean, 1.0 / prior_root, state)


@kernel(fastmath={"contract"})
def sweep_gibbs(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    mean: np.float32,
    own: Float32Array,
    own_bias: Float32Array,
    own_tau: Float32Array,
    other: Float32Array,
    other_bias: Float32Array,
    other_tau: Float32Array,
    prior_means: Float64Array,
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
        The last draws, of the latent numbers and the biases; replaced by new ones. A row without
        entries is drawn from the prior.
    own_tau, other_tau : (n_rows,), (n_columns,)
        The precision of an entry's noise is the product of its row's and its column's.
    other, other_bias : (n_columns, rank), (n_columns,)
    prior_means : (rank, n_rows)
        Of the latent numbers.
    precisions : (rank,)
        Of each component's prior on this side.
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
        longest = padded(longest)
        sums = np.empty(2, dtype=np.float32)
        gathered = np.empty(rank * longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        weight = np.empty(longest, dtype=np.float32)
        ones = np.ones(longest, dtype=np.float32)
        state = np.empty(1, dtype=np.uint64)
        for row in range(first, last):
            state[0] = _mixed(key + np.uint64(row) * _GOLDEN)
            begin = indptr[row]
            n = indptr[row + 1] - begin
            m = padded(n)  # with entries that weigh nothing
            for j in range(n):
                column = columns[begin + j]
                residual[j] = values[begin + j] - mean - own_bias[row] - other_bias[column]
                weight[j] = own_tau[row] * other_tau[column]
                for f in range(rank):
                    gathered[f * m + j] = max(other[column, f], np.float32(0))
            for j in range(n, m):
                residual[j], weight[j] = 0, 0
                for f in range(rank):
                    gathered[f * m + j] = 0
            for f in range(rank):
                h = gathered[f * m : (f + 1) * m]
                w = max(own[row, f], np.float32(0))
                if w != 0:
                    for j in range(m):
                        residual[j] -= w * h[j]

            weighted_sums(weight, ones, residual, m, sums)
            precision = sums[1] + bias_precision
            centre = (sums[0] + sums[1] * own_bias[row]) / precision
            drawn = np.float32(centre + _normal(state) / np.sqrt(precision))
            delta = np.float32(drawn - own_bias[row])
            own_bias[row] = drawn
            for j in range(n):
                residual[j] -= delta

            for f in range(rank):
                h = gathered[f * m : (f + 1) * m]
                w = max(own[row, f], np.float32(0))
                weighted_sums(weight, h, residual, m, sums)
                curvature = sums[1]
                slope = np.float64(sums[0]) + np.float64(curvature) * w
                own[row, f] = _latent(slope, np.float64(curvature), prior_means[f, row], precisions[f], state)
                delta = max(own[row, f], np.float32(0)) - w
                if delta != 0:
                    for j in range(m):
                        residual[j] -= delta * h[j]

            for j in range(n, m):
                residual[j] = 0
            squared_error[row] = exact_dot(residual, residual, m)
