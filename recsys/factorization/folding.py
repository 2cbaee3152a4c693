"""New rows fitted to a side that is held: rows stop one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from recsys import threads
from recsys.typing import BoolArray, Float32Array, Int64Array

PASSES = 10
"""Coordinate passes between two looks at which rows are done."""

Sweep = Callable[[Int64Array, Float32Array, Float32Array], None]
"""Makes `PASSES` passes over some rows, given their factors and biases, which it improves in place."""


def settle(
    rows: Int64Array,
    own: Float32Array,
    bias: Float32Array,
    sweep: Sweep,
    *,
    tol: float,
    max_iter: int,
    largest: Float32Array | None = None,
) -> None:
    """Improve rows in place until none moves, those that no longer do left alone.

    Parameters
    ----------
    rows : int64
        Row numbers.
    own, bias : float32, (n_rows, rank), (n_rows,)
    sweep : Sweep
    tol : float
        A row is done when `PASSES` passes change no factor by more than this share of its largest.
    max_iter : int
        Most passes over a row.
    largest : float32, (n_rows,), optional
        Nor may the bias change by more than that share of this.
    """
    with threads.launch():
        for _ in range(0, max_iter, PASSES):
            if len(rows) == 0:
                break
            factors, biases = own[rows], bias[rows]
            sweep(rows, factors, biases)
            moved: BoolArray = np.abs(factors - own[rows]).max(axis=1) > tol * np.abs(factors).max(axis=1)
            if largest is not None:
                moved |= np.abs(biases - bias[rows]) > tol * largest[rows]
            own[rows], bias[rows] = factors, biases
            rows = rows[moved]
