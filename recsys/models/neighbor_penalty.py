"""How much regularization neighbors of items need, where nothing was said: by the users of an item."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows

_FACTOR, _LEAST, _MOST = 1.6, 10.0, 30.0
"""Read off validation parts of logs with 5 to 490 users an item; see tests/benchmarks."""


def slim_l2(rows: CompressedRows) -> float:
    """Return the penalty ``l2`` of `SLIM`: 1.6 m, from 10 to 30, m being the mean users of an item.

    A weight is drawn to 0 by l2 against the users that two items share, of which there are the fewer the
    fewer users items have. Items without users do not count.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    """
    return float(np.clip(_FACTOR * users_of_an_item(rows), _LEAST, _MOST))


def users_of_an_item(rows: CompressedRows) -> float:
    """Return the mean number of entries of the items that have any; 0 without entries."""
    return rows.nnz / max(len(np.unique(rows.columns)), 1)
