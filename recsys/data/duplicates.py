"""Events of one (user, item) pair that become one entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from recsys.data.array_files import blocks
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
        order, keys = _sorted(keys, times)
        starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
        ends = np.r_[starts[1:], len(keys)]
        last = ends - 1 if order is None else order[ends - 1]
        if rule in ("last", "error"):
            joined = values[last]
        else:
            joined = _aggregated(values if order is None else values[order], starts, ends, rule)
        if len(joined) and joined.max() > _FLOAT32_MAX:
            raise InputError(
                f"a value of {joined.max():g} is beyond single precision (3.4e38); give smaller units."
            )
        return cls(
            keys=keys[starts],
            values=joined.astype(np.float32),
            times=None if times is None else times[last],
            n_events=ends - starts,
        )


def renumbered(numbers: Int32Array, n: int) -> tuple[Int64Array, Int64Array]:
    """Return which of n numbers there are, ascending, and the position of each given one among them."""
    is_there = np.zeros(n, dtype=bool)
    is_there[numbers] = True
    if is_there.all():
        return np.arange(n), numbers.astype(np.int64)
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[numbers]


def stable_order(keys: Int64Array, times: Int64Array | None = None) -> Int64Array | slice:
    """Return what sorts by key and then by time, earlier lines first; everything as it is where it is sorted.

    Parameters
    ----------
    keys : int64, shape (n,)
        0 or more.
    times : int64, shape (n,), optional
    """
    order, _ = _sorted(keys, times)
    return slice(None) if order is None else order


def _sorted(keys: Int64Array, times: Int64Array | None) -> tuple[Int64Array | None, Int64Array]:
    """Return what sorts by key and time, None where it is so already, and the sorted keys."""
    # Tables mostly come sorted, and looking is much cheaper than sorting.
    if _ascend(keys, times):
        return None, keys
    order, ordered = _order_of(keys)
    if times is None:
        return order, ordered
    repeats = np.zeros(len(order), dtype=bool)
    np.equal(ordered[1:], ordered[:-1], out=repeats[1:])
    repeats[:-1] |= repeats[1:]
    # Few pairs repeat in most logs: times are looked at only where they do.
    events = order[repeats]
    order[repeats] = events[np.lexsort((times[events], keys[events]))]
    return order, ordered


def _ascend(keys: Int64Array, times: Int64Array | None) -> bool:
    """Return whether events are in order of key and time; what is far from it shows in the first block."""
    for block in blocks(len(keys)):
        block = slice(block.start, block.stop + 1)  # the next block's first is compared, too
        part = keys[block]
        rises = part[1:] >= part[:-1]
        if times is not None:
            moments = times[block]
            rises &= (part[1:] > part[:-1]) | (moments[1:] >= moments[:-1])
        if not rises.all():
            return False
    return True


def _order_of(keys: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Return the stable order of keys of 0 or more, and the sorted keys."""
    n_bits = len(keys).bit_length()
    if int(keys.max()) >= 1 << (63 - n_bits):
        order = np.argsort(keys, kind="stable")
        return order, keys[order]
    # Key and position in one number: plain numbers are sorted several times faster than an order is found.
    packed = keys << n_bits
    packed |= np.arange(len(keys))
    packed.sort()
    ordered = packed >> n_bits
    packed &= (1 << n_bits) - 1
    return packed, ordered


def _aggregated(values: Float64Array, starts: Int64Array, ends: Int64Array, rule: str) -> Float64Array:
    """Aggregate runs of values by a rule; each run is in order of time."""
    aggregated: Float64Array
    if rule == "count":
        aggregated = (ends - starts).astype(np.float64)
    elif rule == "max":
        aggregated = np.maximum.reduceat(values, starts)
    else:
        aggregated = np.add.reduceat(values, starts)
        if rule == "mean":
            aggregated = aggregated / (ends - starts)
    return aggregated
