"""The rules that hold out whole users, whom a model was not trained on.

Marlin (2004) calls this strong generalization. A held-out user trains nothing; a part of what they
did is told to the fitted model, and the rest is to be predicted from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError, ParameterError
from recsys.split.pairs import Pairs, later_repeats, share_of
from recsys.split.rules import check_folds, check_share, dealt, draw
from recsys.split.split import Split
from recsys.typing import BoolArray, Int64Array

GIVEN = 0.8
"""Share of a held-out user's pairs that is told, where nothing else is said."""


def users_share(log: Log, share: float, given: float = GIVEN, *, seed: int, repeat: int = 0) -> Split:
    """Hold out a share of the users.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1; of the users who have enough pairs to be told one part and asked another.
    given : float or int
        How many of a user's pairs are told: a share (of their number, rounded, at least one, and
        one less than all at most) or, 1 and above, a number, the same for everyone. The earliest
        are told, so that the past predicts the future, and what repeats them later is left out; a
        log without times has them drawn.
    seed : int
        The drawn users do not depend on the order of the log.
    repeat : int
        0 for the first; another number draws other users.
    """
    check_share("users", share)
    told = _Told.of(log, given, seed, repeat)
    n_held = round(share * len(told.able))
    drawn = draw(seed, repeat, "users").permutation(told.able)[:n_held]
    return told.split(f"users:{share:g}:{given:g}", seed, drawn)


def user_folds(log: Log, n: int, given: float = GIVEN, *, seed: int, repeat: int = 0) -> tuple[Split, ...]:
    """Hold out each user who has enough pairs in one of n splits; see `users_share`.

    Parameters
    ----------
    log : Log
    n : int
        2 or more.
    given : float or int
    seed, repeat : int
    """
    check_folds("user-folds", n)
    told = _Told.of(log, given, seed, repeat)
    fold = dealt(draw(seed, repeat, "user-folds"), len(told.able), n)
    return tuple(
        told.split(f"user-folds:{n}:{given:g}", seed, told.able[fold == number]) for number in range(n)
    )


@dataclass(frozen=True, eq=False)
class _Told:
    """What each user would be told, were they held out.

    Attributes
    ----------
    log : Log
    pairs : Pairs
    able : int64
        Users who have enough pairs.
    is_told : bool, (n_pairs,)
    """

    log: Log
    pairs: Pairs
    able: Int64Array
    is_told: BoolArray

    @classmethod
    def of(cls, log: Log, given: float, seed: int, repeat: int) -> _Told:
        if not 0 < given < 1 and not (given >= 1 and float(given).is_integer()):
            raise ParameterError(
                f"split users: what is told of a held-out user is {given:g}; expected a share below 1 or a "
                f"number of items."
            )
        pairs = Pairs.of(log)
        counts = pairs.counts
        n_told = np.full(len(counts), int(given)) if given >= 1 else np.maximum(share_of(given, counts), 1)
        if given < 1:
            n_told = np.minimum(n_told, counts - 1)
        able = np.flatnonzero((n_told > 0) & (n_told < counts))
        if len(able) == 0:
            raise InputError(f"split users: no user has more than {max(int(given), 1)} items; tell fewer.")
        key = pairs.met
        if log.times is None:
            key = draw(seed, repeat, "users", "told").permutation(len(pairs))
        return cls(log, pairs, able, pairs.places(key) < n_told[pairs.users])

    def split(self, name: str, seed: int, users: Int64Array) -> Split:
        """Hold out the given users."""
        is_held = np.zeros(len(self.pairs.counts), dtype=bool)
        is_held[users] = True
        held = is_held[self.pairs.users]
        asked = held & ~self.is_told
        told = (held & self.is_told)[self.pairs.of_event]
        if self.log.times is not None:
            told &= ~later_repeats(self.log, self.pairs, asked)
        train, held_out = ~held[self.pairs.of_event], asked[self.pairs.of_event]
        split = Split(
            name,
            seed,
            np.flatnonzero(train),
            np.flatnonzero(held_out),
            np.flatnonzero(told),
            n_left_out=len(self.log) - int(np.count_nonzero(train | held_out | told)),
        )
        split.check()
        return split
