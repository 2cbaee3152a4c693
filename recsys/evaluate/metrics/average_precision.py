"""Average precision at k; its mean over users is MAP."""

from __future__ import annotations

import numpy as np

from recsys.typing import BoolArray, Float64Array, Int64Array


def average_precision(hits: BoolArray, n_held_out: Int64Array, k: int) -> Float64Array:
    """Return the precisions at each hit in the first k, summed and divided by min(k, held-out).

    Parameters as in `precision`. Source: Manning, Raghavan & Schuetze (2008), section 8.4, with
    the cut at k.
    """
    found = hits[:, :k]
    places = np.arange(1, found.shape[1] + 1)
    total = (found * np.cumsum(found, axis=1) / places).sum(axis=1)
    return np.asarray(total / np.minimum(k, n_held_out), dtype=np.float64)
