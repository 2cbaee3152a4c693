"""How much regularization a model of the whole matrix needs, where nothing was said: by the log's density."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows

_MOST = 0.5  # of the largest singular value: so that no log is fitted by zeros


def whole_matrix_l2(rows: CompressedRows, *, least: float, factor: float) -> float:
    """Return a penalty on factors of a matrix of ones and zeros, an entry's weight being 1.

    A penalty of ``l2/2 (|W|^2 + |H|^2)`` leaves no component whose singular value lies below l2 (Srebro,
    Rennie & Jaakkola 2004). If entries stood at random, the singular values of the matrix, the largest
    apart, would go up to about ``sqrt(n_u) + sqrt(n_i)``, n_u and n_i being the mean numbers of entries
    of a user and of an item (Latala 2005): a part of that, ``factor``, is what is best left out. The
    result is ``max(least, factor (sqrt(n_u) + sqrt(n_i)))``, and at most half of a lower bound of the
    largest singular value.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        The entries; their values do not count. Users and items without any do not count, either.
    least, factor : float
        Of one model, read off validation parts.
    """
    of_users = rows.counts[rows.counts > 0].astype(np.float64)
    of_items = np.bincount(rows.columns, minlength=rows.n_columns)
    of_items = of_items[of_items > 0].astype(np.float64)
    random = np.sqrt(of_users.mean()) + np.sqrt(of_items.mean())
    # |P 1| / |1| and |P' 1| / |1| are at most the largest singular value of P.
    largest = np.sqrt(
        max(np.square(of_users).sum() / len(of_items), np.square(of_items).sum() / len(of_users))
    )
    return float(min(max(least, factor * random), _MOST * largest))
