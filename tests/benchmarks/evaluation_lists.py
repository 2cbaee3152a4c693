"""Lists and held-out items that are made up: what the harnesses are given to measure.

Imports nothing but NumPy, pandas and the standard library, for a peer with an environment of its own.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.benchmarks.apart import PeakMemory

CUTS = (10, 20)
LENGTH = 20
"""Items of a list."""

WARM_USERS = 1000
"""Measured before the clock starts: compilation and lazy imports are over then."""

_POPULARITY = 0.9  # exponent of items' popularity, bent at a thousandth of the catalogue
_AFFINITY = 0.15  # how often a held-out item is looked for in the user's own list
_SPARE = 12  # draws beyond those needed, since repeats are passed over
_STEP = 100_000  # users drawn at a time


@dataclass(frozen=True)
class MadeLists:
    """Lists of equal length and held-out items, by numbers from 0.

    Attributes
    ----------
    listed : int32, (n_users, LENGTH)
        Best first, no repeats.
    held_indptr, held_items : int64, (n_users + 1,), int32, (n_pairs,)
        One to nineteen held-out items a user, ten on average, ascending inside a user.
    n_items : int
    """

    listed: np.ndarray
    held_indptr: np.ndarray
    held_items: np.ndarray
    n_items: int

    @property
    def n_held_out(self) -> np.ndarray:
        """Held-out items of each user."""
        return np.diff(self.held_indptr)

    def head(self, n_users: int) -> MadeLists:
        """Return the first users alone."""
        n_users = min(n_users, len(self.listed))
        end = self.held_indptr[n_users]
        return MadeLists(
            self.listed[:n_users], self.held_indptr[: n_users + 1], self.held_items[:end], self.n_items
        )

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return a row for each place of a list (user, item, rank), and for each held-out pair."""
        n_users, n = self.listed.shape
        lists = {
            "user": np.repeat(np.arange(n_users), n),
            "item": self.listed.ravel().astype(np.int64),
            "rank": np.tile(np.arange(1, n + 1), n_users),
        }
        held = {
            "user": np.repeat(np.arange(n_users), self.n_held_out),
            "item": self.held_items.astype(np.int64),
        }
        return pd.DataFrame(lists), pd.DataFrame(held)

    def catalogue(self) -> np.ndarray:
        """Return the items that are listed or held out."""
        return np.union1d(self.listed, self.held_items)

    def save(self, path: Path) -> None:
        """Write to an .npz file."""
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> MadeLists:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            parts = {name: arrays[name] for name in ("listed", "held_indptr", "held_items")}
            return cls(**parts, n_items=int(arrays["n_items"]))


def make(n_users: int, n_items: int, seed: int = 0) -> MadeLists:
    """Draw lists and held-out items from the same power law of popularity; see README.md."""
    rng = np.random.default_rng(seed)
    weights = (np.arange(n_items) + max(1, n_items // 1000)) ** -_POPULARITY
    edges = np.cumsum(weights) / weights.sum()
    names = rng.permutation(n_items).astype(np.int32)  # an item's number should not tell its popularity
    lists, held, counts = [], [], []
    for start in range(0, n_users, _STEP):
        shape = min(_STEP, n_users - start), LENGTH + _SPARE
        listed = _first_distinct(names[np.searchsorted(edges[:-1], rng.random(shape))], LENGTH)
        drawn = names[np.searchsorted(edges[:-1], rng.random(shape))]
        places = rng.integers(0, LENGTH, shape)
        liked = np.where(rng.random(shape) < _AFFINITY, np.take_along_axis(listed, places, axis=1), drawn)
        wanted = rng.integers(1, LENGTH, len(listed))
        items = np.where(np.arange(LENGTH) < wanted[:, None], _first_distinct(liked, LENGTH), n_items)
        items.sort(axis=1)
        lists.append(listed)
        held.append(items[items < n_items].astype(np.int32))
        counts.append(wanted)
    indptr = np.r_[0, np.cumsum(np.concatenate(counts))]
    return MadeLists(np.concatenate(lists), indptr, np.concatenate(held), n_items)


def _first_distinct(drawn: np.ndarray, n: int) -> np.ndarray:
    """Return the first n different items of each row, in the order they were drawn."""
    order = np.argsort(drawn, axis=1, kind="stable")
    ordered = np.take_along_axis(drawn, order, axis=1)
    repeats = np.zeros(drawn.shape, dtype=bool)
    np.put_along_axis(repeats, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], axis=1)
    kept = np.take_along_axis(drawn, np.argsort(repeats, axis=1, kind="stable"), axis=1)[:, :n]
    assert np.count_nonzero(~repeats, axis=1).min() >= n
    return np.ascontiguousarray(kept)


def clocked(call: Callable[[], Any], cap: float, most: int = 3) -> tuple[Any, dict[str, float]]:
    """Call again and again, ``most`` times or until ``cap`` seconds are spent.

    Returns
    -------
    result, {"seconds", "calls", "extra_bytes"}
        The quickest call's seconds; memory is that of the first.
    """
    seconds: list[float] = []
    extra = 0
    result = None
    _give_back()
    while len(seconds) < most and (not seconds or sum(seconds) + min(seconds) <= cap):
        result = None  # a result that is kept would weigh on the next call
        with PeakMemory() as peak:
            began = time.perf_counter()
            result = call()
            seconds.append(time.perf_counter() - began)
        extra = extra or peak.extra
    return result, {"seconds": min(seconds), "calls": len(seconds), "extra_bytes": extra}


def _give_back() -> None:
    """Return what the warm-up freed to the system: found again, it would hide from the peak."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
