"""Reciprocal rank at k; its mean over users is MRR."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def reciprocal_rank(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return ``1 / place of the first hit`` within the first k for each user, 0 without a hit.

    Parameters as in `precision`.
    """
    first = hits[:, :k].argmax(axis=1) if hits[:, :k].shape[1] else np.zeros(len(hits), dtype=np.int64)
    return np.where(hits[:, :k].any(axis=1), 1.0 / (first + 1), 0.0)
