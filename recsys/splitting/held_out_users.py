"""Holding out whole users, whom a model was not trained on.

Marlin (2004) calls this strong generalization. A held-out user trains nothing; the fitted model is
given a part of what they did, their history, and predicts the rest from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.splitting.drawing import generator_of
from recsys.splitting.pairs import Pairs, later_repeats, share_of
from recsys.splitting.split import Split, SplitDescription
from recsys.typing import BoolArray, Int64Array

GIVEN = 0.8
"""Share of a held-out user's pairs that the model is given, where nothing else is said."""


@dataclass(frozen=True, eq=False)
class Histories:
    """What the model would be given of each user, were they held out.

    Attributes
    ----------
    log : Log
    pairs : Pairs
    users : int64
        Users who have enough pairs to be given one part and asked for another.
    is_given : bool, (n_pairs,)
    """

    log: Log
    pairs: Pairs
    users: Int64Array
    is_given: BoolArray

    @classmethod
    def of(cls, log: Log, given: float, *, seed: int, repeat: int) -> Histories:
        """Choose the histories.

        Parameters
        ----------
        log : Log
        given : float or int
            How many of a user's pairs are given: a share (of their number, rounded, at least one,
            and one less than all at most) or, 1 and above, a number, the same for everyone. The
            earliest are given, so that the past predicts the future; a log without times has them
            drawn.
        seed, repeat : int
        """
        if not 0 < given < 1 and not (given >= 1 and float(given).is_integer()):
            raise ParameterError(
                f"split users: what is given of a held-out user is {given:g}; expected a share below 1 or a "
                f"number of items."
            )
        pairs = Pairs.of(log)
        counts = pairs.counts
        n_given = np.full(len(counts), int(given)) if given >= 1 else np.maximum(share_of(given, counts), 1)
        if given < 1:
            n_given = np.minimum(n_given, counts - 1)
        users = np.flatnonzero((n_given > 0) & (n_given < counts))
        if len(users) == 0:
            raise InputError(f"split users: no user has more than {max(int(given), 1)} items; give fewer.")
        key = pairs.met
        if log.times is None:
            key = generator_of(seed, repeat, "users", "told").permutation(len(pairs))
        return cls(log, pairs, users, pairs.positions(key) < n_given[pairs.users])

    def hold_out(self, users: Int64Array, name: str, description: SplitDescription, seed: int) -> Split:
        """Return the split that holds out some users; what repeats their histories later is left out."""
        is_held = np.zeros(len(self.pairs.counts), dtype=bool)
        is_held[users] = True
        held = is_held[self.pairs.users]
        asked = held & ~self.is_given
        history = (held & self.is_given)[self.pairs.of_event]
        if self.log.times is not None:
            history &= ~later_repeats(self.log, self.pairs, asked)
        train, held_out = ~held[self.pairs.of_event], asked[self.pairs.of_event]
        return Split.of_mask(name, description, seed, held_out, train=train, history=history)
