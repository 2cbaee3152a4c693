"""A split: which events train and which are held out, by whom and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from recsys.errors import InputError
from recsys.typing import BoolArray, Int64Array


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of a log, in two parts that do not meet.

    Attributes
    ----------
    name : str
        The rule, as it is given on the command line, e.g. ``"random:0.2"``.
    seed : int or None
        The seed, where chance was used.
    train, held_out : int64
        Ascending row numbers.
    """

    name: str
    seed: int | None
    train: Int64Array
    held_out: Int64Array

    @property
    def digest(self) -> str:
        """SHA-256 over both parts: equal splits, equal digest."""
        state = hashlib.sha256(np.int64(len(self.train)).tobytes())
        state.update(np.ascontiguousarray(self.train).tobytes())
        state.update(np.ascontiguousarray(self.held_out).tobytes())
        return state.hexdigest()

    @classmethod
    def of_mask(cls, name: str, seed: int | None, held_out: BoolArray) -> Split:
        """Make a split from a mark for each event.

        Raises
        ------
        InputError
            If one part is empty.
        """
        for part, marks in (("training", ~held_out), ("held-out", held_out)):
            if not marks.any():
                raise InputError(f"split {name!r} leaves the {part} part empty; choose another.")
        return cls(name, seed, np.flatnonzero(~held_out), np.flatnonzero(held_out))
