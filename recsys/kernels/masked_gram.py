"""Coordinate descent on the observed entries only, in Gram form: for few themes.

The problem of `recsys.kernels.masked`, legend as there. With ``A`` (n, rank) the gathered factors of
a row's entries, the gradient is ``A' r`` and its change ``A' A delta``: once the Gram matrix
``A' A`` is known, a pass over the coordinates costs rank^2, however many entries the row has. The
matrix itself costs n rank^2, but at the speed of a BLAS; up to some fifty themes that is the
cheaper way, beyond them the residual form is.

Source: Cichocki & Phan (2009), HALS for a row; the gathering is that of ALS (Zhou et al. 2008).
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

# Entries gathered at once: 32 themes of them fit into a core's first two caches.
_CHUNK = 256


@kernel(fastmath={"contract", "reassoc", "nsz", "arcp"})
def sweep_masked_gram(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    weights: Float32Array,
    scale: np.float32,
    mean: np.float32,
    own: Float32Array,
    own_bias: Float32Array,
    other: Float32Array,
    other_bias: Float32Array,
    fit_bias: bool,
    ridge: Float32Array,
    bias_ridge: Float32Array,
    l1: np.float32,
    lower: np.float32,
    n_inner: int,
    objective: Float64Array,
) -> None:
    """Improve every row of one side, the other side held; see `recsys.kernels.masked.sweep_masked`.

    BLAS must be held at one thread: each row is multiplied by the thread that owns it.
    """
    rank = own.shape[1]
    weighted = len(weights) > 0
    for block in prange(len(blocks) - 1):
        space = np.empty((_CHUNK, rank), dtype=np.float32)
        residuals = np.empty(_CHUNK, dtype=np.float32)
        roots = np.ones(_CHUNK, dtype=np.float32)
        gram = np.empty((rank, rank), dtype=np.float32)
        product = np.empty((rank, rank), dtype=np.float32)
        slope = np.empty(rank, dtype=np.float32)
        sums = np.empty(rank, dtype=np.float32)  # of the gathered factors: how they move with the bias
        part = np.empty(rank, dtype=np.float32)
        for row in range(blocks[block], blocks[block + 1]):
            begin, end = indptr[row], indptr[row + 1]
            w = own[row]
            gram[:] = 0
            slope[:] = 0
            sums[:] = 0
            mass, total = np.float32(0), np.float32(0)
            loss = 0.0
            for start in range(begin, end, _CHUNK):
                n = min(_CHUNK, end - start)
                entries, residual = space[:n], residuals[:n]
                for j in range(n):
                    column = columns[start + j]
                    h = other[column]
                    left = scale * values[start + j] - mean - own_bias[row] - other_bias[column]
                    weight = np.float32(1)
                    if weighted:
                        weight = weights[start + j]
                        roots[j] = np.sqrt(weight)
                    for f in range(rank):
                        entries[j, f] = roots[j] * h[f]
                        left -= w[f] * h[f]
                    residual[j] = roots[j] * left
                    mass += weight
                    total += weight * left
                    loss += np.float64(residual[j]) * np.float64(residual[j])
                np.dot(entries.T, entries, product)
                np.dot(residual, entries, part)
                for f in range(rank):
                    slope[f] += part[f]
                    for g in range(rank):
                        gram[f, g] += product[f, g]
                if fit_bias:
                    np.dot(roots[:n], entries, part)
                    for f in range(rank):
                        sums[f] += part[f]
            if mass == 0:
                own[row, :] = 0
                own_bias[row] = 0
                objective[row] = 0
                continue

            for _ in range(n_inner):
                if fit_bias:
                    delta = np.float32((total - bias_ridge[row] * own_bias[row]) / (mass + bias_ridge[row]))
                    own_bias[row] += delta
                    # What a step does to the loss is exact and small; the loss itself is neither.
                    loss += np.float64(delta) * (np.float64(delta) * mass - 2.0 * np.float64(total))
                    total -= delta * mass
                    for g in range(rank):
                        slope[g] -= delta * sums[g]
                for f in range(rank):
                    curvature = gram[f, f] + ridge[row]
                    if curvature <= 0:  # nothing observed speaks of this coordinate
                        if l1 > 0:
                            w[f] = 0
                        continue
                    better = max(lower, (slope[f] + gram[f, f] * w[f] - l1) / curvature)
                    delta = np.float32(better - w[f])
                    if delta != 0:
                        w[f] = better
                        loss += np.float64(delta) * (
                            np.float64(delta) * gram[f, f] - 2.0 * np.float64(slope[f])
                        )
                        total -= delta * sums[f]
                        line = gram[f]
                        for g in range(rank):
                            slope[g] -= delta * line[g]

            if loss < 0:  # by rounding; what is no number stays and shows
                loss = 0.0
            norm, absolute = 0.0, 0.0
            for f in range(rank):
                norm += np.float64(w[f]) ** 2
                absolute += abs(w[f])
            objective[row] = 0.5 * (
                loss + ridge[row] * norm + bias_ridge[row] * np.float64(own_bias[row]) ** 2
            ) + (l1 * absolute)
