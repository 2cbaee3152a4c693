"""How the rows of one side are shared out."""

from __future__ import annotations

import numpy as np

from recsys.typing import Int64Array

# Many more shares than threads, so that each thread's run of shares comes out even.
N_BLOCKS = 64
# What a row costs before its first entry, in entries.
_ROW_COST = 8


def row_blocks(indptr: Int64Array, n_blocks: int = N_BLOCKS) -> Int64Array:
    """Cut rows into runs of about equal work.

    Parameters
    ----------
    indptr : int64, shape (n_rows + 1,)
    n_blocks : int
        Most runs to make.

    Returns
    -------
    int64, shape (n + 1,) with n <= n_blocks
        Strictly ascending from 0 to n_rows.
    """
    n_rows = len(indptr) - 1
    work = np.asarray(indptr, dtype=np.int64) + _ROW_COST * np.arange(n_rows + 1)
    cuts = np.searchsorted(work, np.linspace(0, work[-1], n_blocks + 1))
    cuts[0], cuts[-1] = 0, n_rows
    return np.unique(cuts).astype(np.int64)
