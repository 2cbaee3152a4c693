"""How much regularization a log of ratings needs, where nothing was said: by its spread and its density."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows

_FACTOR, _MOST = 1.1, 0.3
"""Read off validation parts of six logs of ratings, from 4 to 76 ratings a user; see tests/benchmarks."""


def ratings_l2(rows: CompressedRows) -> float:
    """Return the penalty ``l2`` of ALS-WR for non-negative factors of ratings.

    A penalty of ``l2/2 (sum_u n_u |w_u|^2 + sum_i n_i |h_i|^2)`` leaves no component whose singular value
    lies below ``l2 sqrt(n_u n_i)`` (Srebro, Rennie & Jaakkola 2004), and noise of standard deviation s has
    singular values up to ``s (sqrt(n_u) + sqrt(n_i))``: they are even at l2 = s q, with
    ``q = 1 / sqrt(n_u) + 1 / sqrt(n_i)``. What was best on validation parts falls faster with the density,
    like the square of q, for on dense logs less of the spread is noise. So the rule is

        l2 = s min(1.1 q^2, 0.3)

    n_u and n_i being the mean numbers of ratings of users and of items that have any. Values ten times as
    large give ten times the penalty, and the same model in other units.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        The ratings, of any sign. Where all are equal s is their size.
    """
    values = rows.values.astype(np.float64)
    size = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    if size == 0:
        return 0.0
    # In place, as np.std does it with two more arrays of this length: a log may be as large as memory.
    values /= size
    values -= np.mean(values)
    values *= values
    spread = float(np.sqrt(np.mean(values))) or 1.0
    n_users = np.count_nonzero(rows.counts)
    n_items = len(np.unique(rows.columns))
    noise = np.sqrt(n_users / rows.nnz) + np.sqrt(n_items / rows.nnz)
    return size * spread * min(_FACTOR * float(noise) ** 2, _MOST)
