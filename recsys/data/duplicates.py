"""Events of one (user, item) pair that become one entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from recsys.data.log import Feedback
from recsys.errors import InputError
from recsys.typing import Float32Array, Float64Array, Int32Array, Int64Array

Duplicates = Literal["last", "sum", "mean", "max", "count", "error"]
DUPLICATE_RULES: tuple[str, ...] = get_args(Duplicates)
DEFAULT_DUPLICATES: dict[Feedback, Duplicates] = {"explicit": "last", "implicit": "sum"}
"""The latest opinion counts; amounts add up."""

_FLOAT32_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True, eq=False)
class JoinedPairs:
    """One value for each pair.

    Attributes
    ----------
    keys : int64, shape (n_pairs,)
        Ascending.
    values : float32, shape (n_pairs,)
    times : int64, shape (n_pairs,), optional
        Of the latest event of the pair.
    n_events : int64, shape (n_pairs,)
    """

    keys: Int64Array
    values: Float32Array
    times: Int64Array | None
    n_events: Int64Array

    @classmethod
    def of(cls, keys: Int64Array, values: Float64Array, times: Int64Array | None, rule: str) -> JoinedPairs:
        """Join events by a rule of `DUPLICATE_RULES`; see `Interactions.from_log`.

        Parameters
        ----------
        keys : int64, shape (n_events,)
            A number for each event's pair.
        values : float64, shape (n_events,)
        times : int64, shape (n_events,), optional
        rule : str
            "error" joins as "last" does; whether pairs repeat, ``n_events`` says.

        Raises
        ------
        InputError
            If there is no such rule, or a value is beyond float32.
        """
        if rule not in DUPLICATE_RULES:
            raise InputError(f"duplicates is {rule!r}; expected one of {', '.join(DUPLICATE_RULES)}.")
        # Stable sorts: the last of a pair is the latest, and of equal times the later line.
        order = stable_order(keys, times)
        keys = keys[order]
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        joined = _aggregated(values[order], starts, ends, rule)
        if len(joined) and joined.max() > _FLOAT32_MAX:
            raise InputError(
                f"a value of {joined.max():g} is beyond single precision (3.4e38); give smaller units."
            )
        return cls(
            keys=keys[starts],
            values=joined.astype(np.float32),
            times=None if times is None else times[order][ends - 1],
            n_events=ends - starts,
        )


def renumbered(numbers: Int32Array, n: int) -> tuple[Int64Array, Int64Array]:
    """Return which of n numbers there are, ascending, and the position of each given one among them."""
    is_there = np.zeros(n, dtype=bool)
    is_there[numbers] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[numbers]


def stable_order(keys: Int64Array, times: Int64Array | None = None) -> Int64Array | slice:
    """Return what sorts by key and then by time, earlier lines first; everything as it is where it is sorted.

    Tables mostly come sorted, and looking is much cheaper than sorting.

    Parameters
    ----------
    keys : int64, shape (n,)
        0 or more.
    times : int64, shape (n,), optional
    """
    rises = keys[1:] >= keys[:-1]
    if times is not None:
        rises &= (keys[1:] > keys[:-1]) | (times[1:] >= times[:-1])
    if rises.all():
        return slice(None)
    order = _order_of(keys)
    if times is None:
        return order
    ordered = keys[order]
    repeats = np.zeros(len(order), dtype=bool)
    np.equal(ordered[1:], ordered[:-1], out=repeats[1:])
    repeats[:-1] |= repeats[1:]
    # Few pairs repeat in most logs: times are looked at only where they do.
    events = order[repeats]
    order[repeats] = events[np.lexsort((times[events], keys[events]))]
    return order


def _order_of(keys: Int64Array) -> Int64Array:
    """Return the stable order of keys of 0 or more."""
    n_bits = len(keys).bit_length()
    if int(keys.max()) >= 1 << (63 - n_bits):
        return np.argsort(keys, kind="stable")
    # Key and position in one number: plain numbers are sorted several times faster than an order is found.
    packed = keys << n_bits
    packed |= np.arange(len(keys))
    packed.sort()
    packed &= (1 << n_bits) - 1
    return packed


def _aggregated(values: Float64Array, starts: Int64Array, ends: Int64Array, rule: str) -> Float64Array:
    """Aggregate runs of values by a rule; each run is in order of time."""
    aggregated: Float64Array
    if rule in ("last", "error"):
        aggregated = values[ends - 1]
    elif rule == "count":
        aggregated = (ends - starts).astype(np.float64)
    elif rule == "max":
        aggregated = np.maximum.reduceat(values, starts)
    else:
        aggregated = np.add.reduceat(values, starts)
        if rule == "mean":
            aggregated = aggregated / (ends - starts)
    return aggregated
