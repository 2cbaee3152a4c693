"""Catalogue coverage at k."""

from __future__ import annotations

import numpy as np

from recsys.typing import Int64Array


def coverage(best_place: Int64Array, k: int) -> float:
    """Return the share of the training catalogue that stands in the first k of some list.

    Parameters
    ----------
    best_place : int64, (n_items,)
        The best place (from 0) an item reached in any user's list; a large number for none.
    k : int
    """
    return float(np.mean(best_place < k))
