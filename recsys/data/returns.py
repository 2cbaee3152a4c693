"""Returns, whose value is negative, netted against the purchases before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.duplicates import stable_order
from recsys.typing import BoolArray, Float64Array, Int64Array

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Netted:
    """Events after returns were taken off.

    Attributes
    ----------
    kept : bool, shape (n_events,)
        Purchases of which something is left, and events of value 0.
    values : float64, shape (n_events,)
        What is left of each; as it was where nothing was returned.
    n_returns : int
        Returns, none of which is kept.
    n_unmatched : int
        Returns of more than was bought before in this log.
    n_returned : int
        Purchases of which nothing is left.
    """

    kept: BoolArray
    values: Float64Array
    n_returns: int
    n_unmatched: int
    n_returned: int


def net_returns(pairs: Int64Array, values: Float64Array, times: Int64Array | None = None) -> Netted:
    """Take each return off the latest purchases of the same user and item before it.

    What was returned before it was bought was bought before the log began: it does not count
    against later purchases.

    Parameters
    ----------
    pairs : int64, shape (n_events,)
        A number for each event's (user, item) pair.
    values : float64, shape (n_events,)
        Below 0: a return.
    times : int64, shape (n_events,), optional
        Without times, and where they tie, the order of the log.
    """
    left = values.copy()
    is_return = values < 0
    n_unmatched = 0
    concerned = np.flatnonzero(np.isin(pairs, np.unique(pairs[is_return])))
    order = concerned[stable_order(pairs[concerned], None if times is None else times[concerned])]
    open_purchases: list[int] = []
    pair = None
    for event in order.tolist():
        if pairs[event] != pair:
            pair, open_purchases = pairs[event], []
        if values[event] > 0:
            open_purchases.append(event)
            continue
        owed = -values[event]
        while open_purchases and owed > _ROUNDING:
            latest = open_purchases[-1]
            taken = min(left[latest], owed)
            left[latest] -= taken
            owed -= taken
            if left[latest] <= _ROUNDING:
                left[latest] = 0.0
                open_purchases.pop()
        n_unmatched += owed > _ROUNDING
    is_gone = (values > 0) & (left == 0)
    return Netted(
        kept=~is_return & ~is_gone,
        values=left,
        n_returns=int(np.count_nonzero(is_return)),
        n_unmatched=int(n_unmatched),
        n_returned=int(np.count_nonzero(is_gone)),
    )
