"""The rules that hold out some pairs of users who are also trained on; all events of a pair together."""

from __future__ import annotations

import numpy as np

from recsys import rng
from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.split.pairs import Pairs, later_repeats, share_of
from recsys.split.split import Split
from recsys.typing import Int64Array

NO_TIMES = "the log has no times: a user's last items are those of the last lines."


def draw(seed: int, repeat: int, *names: str) -> np.random.Generator:
    """Return the stream of a rule; the first repeat draws what the rule without repeats draws."""
    return rng.stream(seed, "split", *names, *(() if repeat == 0 else (repeat,)))


def check_share(rule: str, share: float) -> None:
    """Raise ParameterError unless a share is between 0 and 1."""
    if not 0 < share < 1:
        raise ParameterError(f"split {rule}:{share:g}: the share is expected between 0 and 1.")


def random_share(log: Log, share: float, *, seed: int, repeat: int = 0) -> Split:
    """Hold out a share of the (user, item) pairs.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1.
    seed : int
        The drawn pairs do not depend on the order of the log.
    repeat : int
        0 for the first; another number draws other pairs.
    """
    check_share("random", share)
    pairs, pair_of_event = np.unique(log.pairs, return_inverse=True)
    drawn = draw(seed, repeat, "random").permutation(len(pairs))[: round(share * len(pairs))]
    held = np.zeros(len(pairs), dtype=bool)
    held[drawn] = True
    return Split.of_mask(f"random:{share:g}", seed, held[pair_of_event])


def random_share_of_each(log: Log, share: float, *, seed: int, repeat: int = 0) -> Split:
    """Hold out a share of each user's pairs, drawn; every user keeps at least one for training.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1; of the number of a user's pairs, rounded, halves up.
    seed, repeat : int
        See `random_share`.
    """
    check_share("random-user", share)
    pairs = Pairs.of(log)
    places = pairs.places(draw(seed, repeat, "random-user").permutation(len(pairs)))
    n_held = np.minimum(share_of(share, pairs.counts), pairs.counts - 1)
    held = places < n_held[pairs.users]
    return Split.of_mask(f"random-user:{share:g}", seed, held[pairs.of_event])


def folds(log: Log, n: int, *, seed: int, repeat: int = 0) -> tuple[Split, ...]:
    """Hold out each (user, item) pair in one of n splits, drawn; parts differ by one pair at most.

    Parameters
    ----------
    log : Log
    n : int
        2 or more.
    seed, repeat : int
        See `random_share`.
    """
    check_folds("folds", n)
    pairs, pair_of_event = np.unique(log.pairs, return_inverse=True)
    fold = dealt(draw(seed, repeat, "folds"), len(pairs), n)[pair_of_event]
    return tuple(Split.of_mask(f"folds:{n}", seed, fold == number) for number in range(n))


def check_folds(rule: str, n: int) -> None:
    """Raise ParameterError unless there are 2 folds or more."""
    if n < 2:
        raise ParameterError(f"split {rule}:{n}: the number of folds is expected to be 2 or more.")


def dealt(generator: np.random.Generator, n: int, n_folds: int) -> Int64Array:
    """Deal n things to folds as cards are dealt; return the fold of each, shape (n,)."""
    fold = np.empty(n, dtype=np.int64)
    fold[generator.permutation(n)] = np.arange(n) % n_folds
    return fold


def last_n(log: Log, n: int) -> Split:
    """Hold out the last n new items of each user.

    New items are ordered by the time a user first met them, by the order of the log where times
    tie or are missing. Every user keeps at least one item for training. Older items that a user
    met again after the first held-out event have these repeats left out: they are the future.

    Parameters
    ----------
    log : Log
    n : int
        1 or more.
    """
    if n < 1:
        raise ParameterError(f"split last:{n}: the number is expected to be 1 or more.")
    pairs = Pairs.of(log)
    return _last(log, f"last:{n}", pairs, np.full(len(pairs.counts), n))


def last_share(log: Log, share: float) -> Split:
    """Hold out a share of each user's new items, the last ones; see `last_n`.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1; of the number of a user's items, rounded, halves up.
    """
    check_share("last", share)
    pairs = Pairs.of(log)
    return _last(log, f"last:{share:g}", pairs, share_of(share, pairs.counts))


def _last(log: Log, name: str, pairs: Pairs, n_held: Int64Array) -> Split:
    n_kept = np.maximum(pairs.counts - n_held, 1)
    held = pairs.places(pairs.met) >= n_kept[pairs.users]
    held_events = held[pairs.of_event]
    train = ~held_events & ~later_repeats(log, pairs, held)
    split = Split.of_mask(name, None, held_events, train=train)
    return split if log.times is not None else split.remarked(NO_TIMES)
