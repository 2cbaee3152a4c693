"""Products of what biases leave of the observed entries with a thin matrix."""

from __future__ import annotations

import numpy as np
from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int32Array, Int64Array


@kernel(fastmath={"contract"})
def multiply_residuals(
    blocks: Int64Array,
    indptr: Int64Array,
    columns: Int32Array,
    values: Float32Array,
    scale: np.float32,
    mean: np.float32,
    own_bias: Float32Array,
    other_bias: Float32Array,
    other: Float32Array,
    out: Float32Array,
) -> None:
    """Write ``sum_j (scale x_j - mean - b - a_j) h_j`` of each row; absent entries count nothing.

    Parameters
    ----------
    blocks : (n_blocks + 1,)
        Row numbers at which the shares of work begin.
    indptr, columns, values : (n_rows + 1,), (nnz,), (nnz,)
        The observed entries by row.
    scale, mean : float32
    own_bias, other_bias : (n_rows,), (n_columns,)
    other : (n_columns, width)
        The rows ``h_j``.
    out : (n_rows, width)
    """
    width = other.shape[1]
    for block in prange(len(blocks) - 1):
        for row in range(blocks[block], blocks[block + 1]):
            total = out[row]
            total[:] = 0
            own = mean + own_bias[row]
            begin, end = indptr[row], indptr[row + 1]
            whole = end - (end - begin) % 4
            for j in range(begin, whole, 4):  # four at once: less is read and written of the total
                c0, c1, c2, c3 = columns[j], columns[j + 1], columns[j + 2], columns[j + 3]
                r0 = scale * values[j] - own - other_bias[c0]
                r1 = scale * values[j + 1] - own - other_bias[c1]
                r2 = scale * values[j + 2] - own - other_bias[c2]
                r3 = scale * values[j + 3] - own - other_bias[c3]
                h0, h1, h2, h3 = other[c0], other[c1], other[c2], other[c3]
                for f in range(width):
                    total[f] += r0 * h0[f] + r1 * h1[f] + r2 * h2[f] + r3 * h3[f]
            for j in range(whole, end):
                left = scale * values[j] - own - other_bias[columns[j]]
                h = other[columns[j]]
                for f in range(width):
                    total[f] += left * h[f]
