"""Coordinate descent on the whole matrix for the generalized Kullback-Leibler divergence.

Legend: a row ``u`` has factors ``w`` (rank,); its ``n`` observed entries ``x_j`` meet the factors ``h_j``
of the other side and are predicted as ``q_j = floor + w . h_j``. An absent cell is a count of 0: all
cells together add ``w . s``, where ``s`` sums the factors of the other side, however many are absent.

Along one coordinate ``f``, with ``t_j = h_jf / q_j``, the slope of the objective after a step d is

    s + l1 + ridge (w + d) - F(d),    F(d) = sum x t / (1 + d t),    F(0) = B = sum x t,    -F'(0) = S,

and the step is that of `recsys.kernels.masked_kl`: up, ``F(d) >= B / (1 + d S / B)``; down,
``F(d) <= B - S d / (1 + d T)``. It ends at or before the minimum along its coordinate: the objective
never rises, and a factor of zero may grow again, unlike under multiplicative steps (Lee & Seung 2001),
which also need more sweeps (Hsieh & Dhillon 2011, section on the KL divergence).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array


@njit(cache=True, error_model="numpy")
def _better(w: float, push: float, bend: float, pull: float, ridge: float, least: float) -> float:
    """Return the coordinate after one bounded step; ``push``, ``bend``, ``pull`` are s + l1, S and B."""
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
@kernel(error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})
def sweep_poisson(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
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
        The observed entries by row, above 0.
    own : (n_rows, rank)
        Factors of this side, improved in place.
    other : (n_columns, rank)
    sums : (rank,)
        Sums of ``other`` over its rows.
    ridge : (n_rows,)
        The weight of half the squared norm of a row's factors.
    l1 : float32
        The weight of the sum of a row's factors.
    floor : float32
        Above 0; added to products inside the logarithm, so that it is finite where products vanish.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives the row's ``sum_j (x log(x / q) - x) + w . s`` plus its penalties.
    """
    rank = own.shape[1]
    for block in prange(len(blocks) - 1):
        longest = 0
        for row in range(blocks[block], blocks[block + 1]):
            longest = max(longest, indptr[row + 1] - indptr[row])
        gathered = np.empty(rank * longest, dtype=np.float32)
        predicted = np.empty(longest, dtype=np.float32)
        for row in range(blocks[block], blocks[block + 1]):
            begin, n = indptr[row], indptr[row + 1] - indptr[row]
            if n == 0:
                own[row, :] = 0
                objective[row] = 0
                continue
            x = values[begin : begin + n]
            least = np.float32(np.inf)
            for j in range(n):
                least = min(least, x[j])
                predicted[j] = floor
                column = columns[begin + j]
                for f in range(rank):
                    gathered[f * n + j] = other[column, f]
            for f in range(rank):
                w = own[row, f]
                if w != 0:
                    h = gathered[f * n : (f + 1) * n]
                    for j in range(n):
                        predicted[j] += w * h[j]

            stiffness, smallest = np.float64(ridge[row]), np.float64(least)
            for _ in range(n_inner):
                for f in range(rank):
                    h = gathered[f * n : (f + 1) * n]
                    w = own[row, f]
                    pull, bend = np.float32(0), np.float32(0)
                    for j in range(n):
                        ratio = h[j] / predicted[j]
                        part = x[j] * ratio
                        pull += part
                        bend += part * ratio
                    better = _better(
                        np.float64(w), sums[f] + l1, np.float64(bend), np.float64(pull), stiffness, smallest
                    )
                    delta = np.float32(better - w)
                    if delta != 0:
                        own[row, f] = better
                        for j in range(n):
                            predicted[j] = max(floor, predicted[j] + delta * h[j])

            # Anew: what is left of a large product after steps down is mostly rounding.
            predicted[:n] = floor
            total, norm, absolute = 0.0, 0.0, 0.0
            for f in range(rank):
                w = own[row, f]
                if w != 0:
                    h = gathered[f * n : (f + 1) * n]
                    total += np.float64(w) * sums[f]
                    norm += np.float64(w) ** 2
                    absolute += w
                    for j in range(n):
                        predicted[j] += w * h[j]
            for j in range(n):
                total += x[j] * (math.log(x[j] / np.float64(predicted[j])) - 1.0)
            objective[row] = total + 0.5 * ridge[row] * norm + l1 * absolute
