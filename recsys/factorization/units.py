"""The unit in which values are worked on."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.typing import Float32Array, Float64Array

_LEAST_POWER = -63  # below it single precision has no full numbers left


def unit_of(values: Float32Array) -> float:
    """Return the power of four at or below the mean of the values (1 if they are all zero).

    Working in this unit keeps squares within single precision for data of any scale, and dividing
    by a power of two loses no bit.
    """
    mean = float(np.mean(values, dtype=np.float64))
    if mean <= 0:
        return 1.0
    return float(4.0 ** max(np.floor(np.log2(mean) / 2), _LEAST_POWER))


def units_of_rows(rows: CompressedRows) -> Float64Array:
    """Return the unit of each row's values, by which it does not depend on other rows, (n_rows,)."""
    means = np.zeros(rows.n_rows)
    filled = np.flatnonzero(rows.counts)
    if len(filled):
        sums = np.add.reduceat(rows.values.astype(np.float64), rows.indptr[filled])
        means[filled] = sums / rows.counts[filled]
    logs = np.log2(means, out=np.zeros(rows.n_rows), where=means > 0)
    units: Float64Array = 4.0 ** np.maximum(np.floor(logs / 2), _LEAST_POWER)
    return units
