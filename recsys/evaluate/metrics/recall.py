"""Recall at k."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def recall(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return ``hits in the first k / held-out items`` for each user.

    The denominator is the number of held-out items even where it exceeds k, and counts those
    that training does not know. Parameters as in `precision`.
    """
    return np.asarray(hits[:, :k].sum(axis=1) / n_held_out, dtype=np.float64)
