"""Coordinate descent for the generalized Kullback-Leibler divergence: observed entries, or the whole matrix.

Legend: a row ``u`` of the side being fitted has factors ``w`` (rank,); its ``n`` entries ``x_j``
with weights ``c_j`` meet the factors ``h_j`` of the other side and are predicted as
``q_j = floor + w . h_j``; ``a_j = c_j x_j`` is the mass of an entry.

Along one coordinate ``f``, with ``t_j = h_jf / q_j``, the slope of the objective after a step d is

    A + l1 + ridge (w + d) - F(d),    F(d) = sum a t / (1 + d t),

and ``F(0) = B = sum a t``, ``-F'(0) = S = sum a t^2``. Over the observed entries alone ``A = sum c h``.
Over the whole matrix, where an absent cell is a count of 0, all cells together add ``w . s``, ``s`` being
the sums of the other side's factors: ``A = s``, however many cells are absent.

Newton's step (Hsieh & Dhillon 2011, section on the KL divergence) takes F for a straight line and may
overshoot on the way down. Two bounds that keep F's value and slope at d = 0 cannot, and give a quadratic
equation each:

- up (d > 0): ``1 / (1 + d t)`` is convex in t, so by Jensen's inequality ``F(d) >= B / (1 + d S / B)``;
- down (d < 0): it lies below its chord over [0, T], so ``F(d) <= B - S d / (1 + d T)`` for any T with
  all ``t_j <= T < 1 / |d|``. Known are ``t_j <= 1 / w`` and, for entries with mass, ``a_j t_j^2 <= S``.

Each step ends at or before the minimum along its coordinate: the objective never rises. A step from
zero is a step up like any other, so zeros do not lock, as they do under multiplicative steps (Lee & Seung
2001); and a step down that passes zero ends there.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import dot, padded, ratio_sums
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""


@njit(cache=True, error_model="numpy")
def _better(w: float, push: float, bend: float, pull: float, ridge: float, least: float) -> float:
    """Return the coordinate after one bounded step; ``push``, ``bend``, ``pull`` are A + l1, S and B."""
    slope = push + ridge * w - pull
    if slope < 0:
        curve = bend / pull
        linear = (push + ridge * w) * curve + ridge
        reach = linear + math.sqrt(linear * linear - 4 * ridge * curve * slope)
        # Where the squares of t vanish in single precision nothing can be measured.
        return w - 2 * slope / reach if bend > 0 and reach > 0 else w
    if slope > 0 and w > 0:
        steepest = min(1 / w, math.sqrt(bend / least))
        linear = slope * steepest + ridge + bend
        reach = linear + math.sqrt(max(0.0, linear * linear - 4 * ridge * steepest * slope))
        return w - 2 * slope / reach if 2 * slope < w * reach else 0.0
    return w


# Division as in NumPy, without a test for zero that would keep the loops from vectorising; `q` is
# never below the floor.
@kernel(error_model="numpy", fastmath={"contract"})
def sweep_kl(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    weights: Float32Array,
    own: Float32Array,
    other: Float32Array,
    sums: Float64Array,
    ridge: Float32Array,
    l1: np.float32,
    floor: np.float32,
    n_inner: int,
    objective: Float64Array,
) -> None:
    """Improve every row of one side, the other side held.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, values : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row, 0 or above.
    weights : (nnz,) or (0,)
        The weight of each entry, 0 or above; without any, all are 1.
    own : (n_rows, rank)
        Factors of this side, improved in place.
    other : (n_columns, rank)
    sums : (rank,) or (0,)
        Sums of ``other`` over its rows, for the whole matrix; without any, the observed entries alone count.
    ridge : (n_rows,)
        The weight of half the squared norm of a row's factors.
    l1 : float32
        The weight of the sum of a row's factors.
    floor : float32
        Above 0; added to each product, so that the divergence is finite where products vanish.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives ``sum_j c (x log(x / q) - x)`` plus ``sum_j c q`` or, for the whole matrix, ``w . s``, plus
        the penalties of the row.
    """
    rank = own.shape[1]
    whole = len(sums) > 0
    for block in prange(len(blocks) - 1):
        longest = 0
        for row in range(blocks[block], blocks[block + 1]):
            longest = max(longest, indptr[row + 1] - indptr[row])
        longest = padded(longest)
        entry_sums = np.empty(2, dtype=np.float32)
        gathered = np.empty(rank * longest, dtype=np.float32)
        predicted = np.empty(longest, dtype=np.float32)
        weight = np.empty(longest, dtype=np.float32)
        mass = np.empty(longest, dtype=np.float32)
        pressure = np.empty(rank, dtype=np.float64)  # A + l1
        for row in range(blocks[block], blocks[block + 1]):
            begin, n = indptr[row], indptr[row + 1] - indptr[row]
            if n == 0:
                own[row, :] = 0
                objective[row] = 0
                continue
            m = padded(n)  # with entries that weigh nothing
            x = values[begin : begin + n]
            least = np.float32(np.inf)
            for j in range(n):
                weight[j] = weights[begin + j] if len(weights) > 0 else np.float32(1)
                mass[j] = weight[j] * x[j]
                if mass[j] > 0:
                    least = min(least, mass[j])
                predicted[j] = floor
                column = columns[begin + j]
                for f in range(rank):
                    gathered[f * m + j] = other[column, f]
            for j in range(n, m):
                weight[j], mass[j], predicted[j] = 0, 0, floor
                for f in range(rank):
                    gathered[f * m + j] = 0
            for f in range(rank):
                h = gathered[f * m : (f + 1) * m]
                w = own[row, f]
                if w != 0:
                    for j in range(m):
                        predicted[j] += w * h[j]
                if whole:
                    pressure[f] = sums[f] + l1
                else:
                    dot(weight, h, m, entry_sums)
                    pressure[f] = np.float64(entry_sums[0]) + l1

            for _ in range(n_inner):
                for f in range(rank):
                    h = gathered[f * m : (f + 1) * m]
                    w = own[row, f]
                    ratio_sums(mass, h, predicted, m, entry_sums)
                    pull, bend = entry_sums[0], entry_sums[1]
                    better = _better(
                        np.float64(w),
                        pressure[f],
                        np.float64(bend),
                        np.float64(pull),
                        np.float64(ridge[row]),
                        np.float64(least),
                    )
                    delta = np.float32(better - w)
                    if delta != 0:
                        own[row, f] = better
                        for j in range(m):
                            predicted[j] = max(floor, predicted[j] + delta * h[j])

            # Anew: what is left of a large product after steps down is mostly rounding.
            predicted[:n] = floor
            total_cells, norm, absolute = 0.0, 0.0, 0.0
            for f in range(rank):
                w = own[row, f]
                if w != 0:
                    h = gathered[f * m : (f + 1) * m]
                    norm += np.float64(w) ** 2
                    absolute += w
                    if whole:
                        total_cells += np.float64(w) * sums[f]
                    for j in range(n):
                        predicted[j] += w * h[j]
            loss = total_cells
            for j in range(n):
                if whole:
                    loss -= mass[j]
                else:
                    loss += weight[j] * (np.float64(predicted[j]) - x[j])
                if mass[j] > 0:
                    loss += mass[j] * math.log(x[j] / np.float64(predicted[j]))
            objective[row] = loss + 0.5 * ridge[row] * norm + l1 * absolute
