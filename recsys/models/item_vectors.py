"""Vectors of items by which any two can be compared, the same whichever model is looked at."""

from __future__ import annotations

import numpy as np

from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.models.baselines.pure_svd import PureSVD
from recsys.typing import Float32Array

_RANK = 32


def item_vectors(seen: CompressedRows) -> Float32Array:
    """Return the leading 32 right singular vectors of a training pattern; see `PureSVD`.

    Parameters
    ----------
    seen : CompressedRows, (n_users, n_items)
        Its values do not count.

    Returns
    -------
    float32, (n_items, 32)
        Zeros for an item that nobody has.
    """
    pattern = seen.with_values(np.ones(seen.nnz, dtype=np.float32))
    user_ids, item_ids = Ids(np.arange(pattern.n_rows)), Ids(np.arange(pattern.n_columns))
    data = Interactions(pattern, user_ids, item_ids, "implicit")
    vectors = PureSVD(n_components=_RANK).fit(data).item_factors_
    vectors[data.item_counts == 0] = 0
    return vectors
