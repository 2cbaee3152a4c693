"""Precision at k."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def precision(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return ``hits in the first k / k`` for each user.

    The denominator is k for everyone, also for a list shorter than k.

    Parameters
    ----------
    hits : bool, (n_users, at least min(k, n_items))
        Whether each place of a list is a held-out item.
    n_held_out : int64, (n_users,)
        Held-out items of each user, 1 or more.
    k : int
    """
    return np.asarray(hits[:, :k].sum(axis=1) / k, dtype=np.float64)
