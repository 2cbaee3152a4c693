"""Hit rate at k."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def hit_rate(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return 1 for each user with a hit in the first k, else 0. Parameters as in `precision`."""
    return np.asarray(hits[:, :k].any(axis=1), dtype=np.float64)
