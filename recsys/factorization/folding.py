"""New rows fitted to a side that is held: rows stop one by one."""

from __future__ import annotations

from collections.abc import Callable

from recsys import threads
from recsys.typing import BoolArray, Int64Array

PASSES = 10
"""Coordinate passes between two looks at which rows are done."""


def until_settled(rows: Int64Array, improve: Callable[[Int64Array], BoolArray], *, max_iter: int) -> None:
    """Improve rows until none moves, those that no longer do left alone.

    Parameters
    ----------
    rows : int64
        Row numbers.
    improve : callable
        Makes `PASSES` passes over the rows it is given and returns which of them moved.
    max_iter : int
        Most passes over a row.
    """
    with threads.launch():
        for _ in range(0, max_iter, PASSES):
            if len(rows) == 0:
                break
            rows = rows[improve(rows)]
