"""A split: which events train and which are held out, by whom and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import InputError
from recsys.typing import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of a log, in parts that do not meet.

    Attributes
    ----------
    name : str
        The rule, as it is given on the command line, e.g. ``"random:0.2"``.
    seed : int or None
        The seed, where chance was used.
    train, held_out : int64
        Ascending row numbers.
    history : int64 or None
        Where whole users are held out: the part of their events that a fitted model is told, to
        predict ``held_out`` from. None where the users of both parts are the same.
    n_left_out : int
        Events in none of the parts, since they came after what is held out.
    part, n_parts : int
        Which of how many splits of one rule this is, from 1: a fold or a repeat.
    remarks : tuple of str
        What the parts show that the name does not.
    """

    name: str
    seed: int | None
    train: Int64Array
    held_out: Int64Array
    history: Int64Array | None = None
    n_left_out: int = 0
    part: int = 1
    n_parts: int = 1
    remarks: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the parts: equal splits, equal digest."""
        state = hashlib.sha256(np.int64(len(self.train)).tobytes())
        state.update(np.ascontiguousarray(self.train).tobytes())
        state.update(np.ascontiguousarray(self.held_out).tobytes())
        if self.history is not None:
            state.update(b"history" + np.int64(len(self.history)).tobytes())
            state.update(np.ascontiguousarray(self.history).tobytes())
        return state.hexdigest()

    @classmethod
    def of_mask(
        cls, name: str, seed: int | None, held_out: BoolArray, *, train: BoolArray | None = None
    ) -> Split:
        """Make a split from a mark for each event; what is not held out trains, unless told otherwise.

        Raises
        ------
        InputError
            If one part is empty.
        """
        train = ~held_out if train is None else train
        n_left_out = len(held_out) - int(np.count_nonzero(train | held_out))
        split = cls(name, seed, np.flatnonzero(train), np.flatnonzero(held_out), n_left_out=n_left_out)
        split.check()
        return split

    def numbered(self, name: str, part: int, n_parts: int) -> Split:
        """Return this split as one of several that a rule makes."""
        return replace(self, name=name, part=part, n_parts=n_parts)

    def remarked(self, *remarks: str) -> Split:
        """Return this split with more remarks."""
        return replace(self, remarks=(*self.remarks, *remarks))

    def check(self) -> None:
        """Raise InputError if a part is empty."""
        for part, rows in (("training", self.train), ("held-out", self.held_out)):
            if len(rows) == 0:
                raise InputError(f"split {self.name!r} leaves the {part} part empty; choose another.")
