"""A split: which events train and which are held out, by whom and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from recsys.errors import InputError
from recsys.remarks import Remark
from recsys.typing import BoolArray, Int64Array


@dataclass(frozen=True)
class SplitDescription:
    """What a split holds out, for readers and for programs, so that nobody reads its name.

    Attributes
    ----------
    rule : str
        Name of the rule.
    text : str
        What is held out, as a sentence.
    share : float or None
        Share of the pairs, events or users that is held out.
    n_items : int or None
        Items held out of each user.
    n_folds : int or None
    given : float or None
        Of users held out as a whole: how many of their pairs the fitted model is given, a share or,
        from 1 on, a number.
    start, end : int or None
        Of a split at points in time: what came at ``start`` or later, and before ``end``, is held
        out; in the units of the log's times. No ``end``: all that came later.
    """

    rule: str
    text: str
    share: float | None = None
    n_items: int | None = None
    n_folds: int | None = None
    given: float | None = None
    start: int | None = None
    end: int | None = None

    @property
    def is_by_time(self) -> bool:
        """Whether a stretch of time is held out, the same for everyone."""
        return self.start is not None


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of a log, in parts that do not meet.

    Attributes
    ----------
    name : str
        The rule, as it is given on the command line, e.g. ``"random:0.2"``.
    description : SplitDescription
    seed : int or None
        The seed, where chance was used.
    train, held_out : int64
        Row numbers in ascending order.
    history : int64 or None
        Where whole users are held out: the part of their events that a fitted model is given, to
        predict ``held_out`` from. None where the users of both parts are the same.
    n_left_out : int
        Events in none of the parts, since they came after what is held out.
    part, n_parts : int
        Which of how many splits of one rule this is, from 1: a fold, a window or a repeat.
    repeat : int
        Which repeat of a drawing rule this is, from 0.
    remarks : tuple of Remark
        What the parts show that the name does not.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> split = recsys.split(frame, "random:0.25", seed=3).split
    >>> split.name, split.n_held_out_pairs
    ('random:0.25', 2)
    """

    name: str
    description: SplitDescription
    seed: int | None
    train: Int64Array
    held_out: Int64Array
    history: Int64Array | None = None
    n_left_out: int = 0
    part: int = 1
    n_parts: int = 1
    repeat: int = 0
    remarks: tuple[Remark, ...] = ()

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
        cls,
        name: str,
        description: SplitDescription,
        seed: int | None,
        held_out: BoolArray,
        *,
        train: BoolArray | None = None,
        history: BoolArray | None = None,
    ) -> Split:
        """Make a split from a mark for each event.

        Parameters
        ----------
        name : str
        description : SplitDescription
        seed : int or None
        held_out : bool, (n_events,)
        train : bool, (n_events,), optional
            By default what is not held out.
        history : bool, (n_events,), optional

        Raises
        ------
        InputError
            If the training or the held-out part is empty.
        """
        train = ~held_out if train is None else train
        used = train | held_out if history is None else train | held_out | history
        split = cls(
            name,
            description,
            seed,
            np.flatnonzero(train),
            np.flatnonzero(held_out),
            None if history is None else np.flatnonzero(history),
            n_left_out=len(held_out) - int(np.count_nonzero(used)),
        )
        for part, rows in (("training", split.train), ("held-out", split.held_out)):
            if len(rows) == 0:
                raise InputError(f"split {name!r} leaves the {part} part empty; choose another.")
        return split

    def as_part(self, name: str, part: int, n_parts: int, *, repeat: int = 0) -> Split:
        """Return this split as one of several that a rule makes."""
        return replace(self, name=name, part=part, n_parts=n_parts, repeat=repeat)

    def with_remark(self, remark: Remark) -> Split:
        """Return this split with one more remark."""
        return replace(self, remarks=(*self.remarks, remark))
