"""Coordinate descent on the observed entries only, in parts of sixteen components.

Legend: a row ``u`` of the side being fitted has factors ``w`` (rank,) and bias ``b``; its ``n``
entries ``x_j`` with weights ``c_j`` meet the factors ``h_j`` of the other side, whose biases are
``a_j``; the residual is ``r_j = x_j - mean - b - a_j - w . h_j``. Residuals and factors are gathered
times the root of ``c_j``, so that what follows need not know of weights.

A pass takes the bias and then the coordinates in order, each exactly, all others held. Taken one by one, each
reads a column of the row's entries twice, and waits for a sum in between. With a part ``A`` (n, 16) of the
columns, ``A' r`` are the slopes of sixteen coordinates at once, and a step along one changes those of the
others by its column of ``A' A``, which is known after the first pass. So the entries are read in small matrix
products, and the order of the steps, hence the result but for rounding, is that of one by one.

Sources: Cichocki & Phan (2009), "Fast local algorithms for large scale nonnegative matrix and
tensor factorizations" (HALS); Hsieh & Dhillon (2011) and Yu, Hsieh, Si & Dhillon (2012, CCD++),
the residual form; Rendle, Krichene, Zhang & Koren (2021), "iALS++", section 4, blocks of coordinates.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.kernels.sums import exact_dot
from recsys.kernels.tiles import PART, couple, descend, gather, subtract
from recsys.kernels.vector_code import LANES
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""


@kernel(error_model="numpy")
def sweep_masked(
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
    """Improve every row of one side, the other side held.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, values : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row.
    weights : (nnz,) or (0,)
        The weight of each entry, 0 or more; none: all are 1.
    scale : float32
        What the values are multiplied by.
    mean : float32
        The constant part of the prediction.
    own, own_bias : (n_rows, rank), (n_rows,)
        Factors and biases of this side, improved in place; those of a row whose entries weigh
        nothing become 0.
    other, other_bias : (n_columns, rank), (n_columns,)
    fit_bias : bool
        Whether ``own_bias`` is fitted, too.
    ridge, bias_ridge : (n_rows,)
        The weight of half the squared norm of a row's factors and of its squared bias.
    l1 : float32
        The weight of the sum of a row's factors.
    lower : float32
        The least value a factor may take: 0, or -inf for the unconstrained twin.
    n_inner : int
        Passes over the coordinates of a row.
    objective : (n_rows,)
        Receives half the weighted squared residual plus the penalties of the row.
    """
    rank = own.shape[1]
    n_parts = (rank + PART - 1) // PART
    weighted = len(weights) > 0
    for block in prange(len(blocks) - 1):
        first, last = blocks[block], blocks[block + 1]
        longest = 0
        for row in range(first, last):
            longest = max(longest, indptr[row + 1] - indptr[row])
        longest = (longest + LANES - 1) // LANES * LANES
        entries = np.empty(n_parts * longest * PART, dtype=np.float32)
        roots = np.ones(longest, dtype=np.float32)
        residual = np.empty(longest, dtype=np.float32)
        w = np.zeros(n_parts * PART, dtype=np.float32)
        change = np.empty(n_parts * PART, dtype=np.float32)
        inverse = np.empty(n_parts * PART, dtype=np.float32)
        coupling = np.empty(n_parts * PART * PART, dtype=np.float32)
        for row in range(first, last):
            begin, end = indptr[row], indptr[row + 1]
            n = end - begin
            m = (n + LANES - 1) // LANES * LANES  # padded with entries that are zero
            mass = np.float32(n)
            if weighted:
                total = 0.0
                for j in range(n):
                    total += weights[begin + j]
                    roots[j] = np.sqrt(weights[begin + j])
                mass = np.float32(total)
            if mass == 0:
                for f in range(rank):
                    own[row, f] = 0
                own_bias[row] = 0
                objective[row] = 0
                continue
            row_columns, row_values, bias = columns[begin:end], values[begin:end], own_bias[row]
            for j in range(n):
                # The mean first: where values differ by little, what is left of them has all of its digits.
                rest = scale * row_values[j] - mean
                residual[j] = roots[j] * (rest - bias - other_bias[row_columns[j]])
            for j in range(n, m):
                residual[j] = 0
            gather(columns, begin, n, indptr[last] - 1, other, rank, roots, entries, m)
            for f in range(rank):
                w[f] = own[row, f]
            for f in range(rank, len(w)):
                w[f] = 0
            for part in range(n_parts):
                subtract(entries, part, m, w, residual)

            for inner in range(n_inner):
                if fit_bias:
                    slope = exact_dot(roots, residual, m) - bias_ridge[row] * own_bias[row]
                    step = np.float32(slope / (mass + bias_ridge[row]))
                    own_bias[row] += step
                    for j in range(n):
                        residual[j] -= step * roots[j]
                for part in range(n_parts):
                    if inner == 0:
                        couple(entries, part, n, m, ridge[row], coupling, inverse)
                        for f in range(rank, len(w)):
                            inverse[f] = 0
                        if l1 > 0:
                            for f in range(part * PART, (part + 1) * PART):
                                if inverse[f] == 0:  # nothing observed speaks of this coordinate
                                    w[f] = 0
                    descend(entries, part, m, residual, coupling, inverse, ridge[row], l1, lower, w, change)
                    subtract(entries, part, m, change, residual)

            absolute = 0.0
            for f in range(rank):
                own[row, f] = w[f]
                absolute += abs(w[f])
            norm = exact_dot(w, w, len(w))
            objective[row] = 0.5 * (
                exact_dot(residual, residual, m)
                + ridge[row] * norm
                + bias_ridge[row] * np.float64(own_bias[row]) ** 2
            ) + (l1 * absolute)
