"""Normalised discounted cumulative gain at k."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def ndcg(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return ``DCG / ideal DCG`` with gains of 0 and 1 for each user.

    A hit at place p gains 1 / log2(p + 1); the ideal list has min(k, held-out) hits in front.
    Parameters as in `precision`. Source: Jaervelin & Kekaelaeinen (2002).
    """
    gains = 1.0 / np.log2(np.arange(2, k + 2))
    found = hits[:, :k]
    ideal = np.r_[0.0, np.cumsum(gains)][np.minimum(k, n_held_out)]
    return np.asarray((found * gains[: found.shape[1]]).sum(axis=1) / ideal, dtype=np.float64)
