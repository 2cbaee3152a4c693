"""Splits as they are written on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.split import rules
from recsys.split.split import Split
from recsys.split.times import rolling, time_point
from recsys.split.users import GIVEN, user_folds, users_share

SPECS = (
    "random:SHARE, random-user:SHARE, folds:K, last:N, last:SHARE, time:SHARE, time:DATE, time:28d, time:4w, "
    "time:NUMBER, time:FROM..TO, time:4wx3, users:SHARE[:GIVEN] or user-folds:K[:GIVEN]"
)
MOST_PARTS = 100
"""Most splits that one rule makes: each is a model trained."""

_Drawn = Callable[[Log, str, int, int], Sequence[Split]]


def parse_splits(spec: str, log: Log, *, seed: int) -> tuple[Split, ...]:
    """Split a log by a rule written as on the command line.

    Parameters
    ----------
    spec : str
        ========================  =============================================================
        ``random:0.2``            a share of all (user, item) pairs, drawn
        ``random-user:0.2``       a share of each user's pairs, drawn
        ``folds:5``               all pairs, dealt to five parts; each is held out once
        ``last:5``, ``last:0.2``  each user's last new items, so many or a share
        ``time:0.1``              the latest share of the events
        ``time:2024-05-31``       what came at this moment or later; numbers, too
        ``time:4w``               the last four weeks, or so many days (``28d``)
        ``time:FROM..TO``         a window between two of these; what came later is left out
        ``time:4wx3``             the last three windows of four weeks, one after the other; each
                                  trains on what came before it, and leaves out what came later
        ``users:0.2:0.8``         a share of the users; of each a share, or so many pairs, is told
                                  to the fitted model and the rest predicted (0.8 by default)
        ``user-folds:5:0.8``      all users, dealt to five parts; each is held out once
        ========================  =============================================================

        Those that draw can be repeated: ``random:0.2x3``.
    log : Log
    seed : int

    Returns
    -------
    tuple of Split
        One, or as many as there are folds, windows and repeats.

    Raises
    ------
    ParameterError
        If the rule is unknown or its argument cannot be read.
    InputError
        If a part would be empty, or the log lacks what the rule needs.
    """
    rule, _, argument = spec.partition(":")
    if rule == "last":
        return (_last(log, argument or "1", spec),)
    if rule != "time" and rule not in _DRAWN:
        raise ParameterError(f"there is no split {spec!r}; expected {SPECS}.")
    repeats = re.fullmatch(r"(.*)x(\d{1,9})", argument)
    argument, n_repeats = (argument, 1) if repeats is None else (repeats[1], int(repeats[2]))
    if not 1 <= n_repeats <= MOST_PARTS:
        raise ParameterError(f"split {spec!r}: {n_repeats} repeats; expected 1 to {MOST_PARTS}.")
    if rule == "time":
        return (time_point(log, argument or "0.2"),) if repeats is None else rolling(log, argument, n_repeats)
    found = list(_DRAWN[rule](log, argument, seed, 0))
    check_parts(spec, len(found) * n_repeats)
    for repeat in range(1, n_repeats):
        found += _DRAWN[rule](log, argument, seed, repeat)
    if len(found) == 1:
        return (found[0],)
    name = found[0].name + ("" if n_repeats == 1 else f"x{n_repeats}")
    return tuple(split.numbered(name, number, len(found)) for number, split in enumerate(found, start=1))


def parse_split(spec: str, log: Log, *, seed: int) -> Split:
    """Split a log by a rule that makes one split; see `parse_splits`.

    Raises
    ------
    ParameterError
        If the rule makes several, too.
    """
    found = parse_splits(spec, log, seed=seed)
    if len(found) > 1:
        raise ParameterError(several(spec, len(found)))
    return found[0]


def several(spec: str, n_parts: int) -> str:
    """Say that one split was expected."""
    return f"split {spec!r} makes {n_parts} parts; expected a rule that makes one."


def check_parts(spec: str, n: int) -> None:
    """Raise ParameterError if a rule makes more parts than anybody would train."""
    if n > MOST_PARTS:
        raise ParameterError(f"split {spec!r} makes more than {MOST_PARTS} parts; ask for fewer.")


def _last(log: Log, argument: str, spec: str) -> Split:
    number = _read(argument, spec)
    if 0 < number < 1:
        return rules.last_share(log, number)
    return rules.last_n(log, _whole(argument, spec))


def _random(log: Log, argument: str, seed: int, repeat: int) -> Sequence[Split]:
    share = _read(argument or "0.2", f"random:{argument}")
    return (rules.random_share(log, share, seed=seed, repeat=repeat),)


def _random_user(log: Log, argument: str, seed: int, repeat: int) -> Sequence[Split]:
    share = _read(argument or "0.2", f"random-user:{argument}")
    return (rules.random_share_of_each(log, share, seed=seed, repeat=repeat),)


def _folds(log: Log, argument: str, seed: int, repeat: int) -> Sequence[Split]:
    return rules.folds(log, _n_folds(argument or "5", f"folds:{argument}"), seed=seed, repeat=repeat)


def _users(log: Log, argument: str, seed: int, repeat: int) -> Sequence[Split]:
    share, _, given = argument.partition(":")
    spec = f"users:{argument}"
    told = _read(given, spec) if given else GIVEN
    return (users_share(log, _read(share or "0.2", spec), told, seed=seed, repeat=repeat),)


def _user_folds(log: Log, argument: str, seed: int, repeat: int) -> Sequence[Split]:
    n, _, given = argument.partition(":")
    spec = f"user-folds:{argument}"
    told = _read(given, spec) if given else GIVEN
    return user_folds(log, _n_folds(n or "5", spec), told, seed=seed, repeat=repeat)


_DRAWN: dict[str, _Drawn] = {
    "random": _random,
    "random-user": _random_user,
    "folds": _folds,
    "users": _users,
    "user-folds": _user_folds,
}


def _read(text: str, spec: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ParameterError(f"split {spec!r}: {text!r} is no number; expected {SPECS}.") from None


def _whole(text: str, spec: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ParameterError(f"split {spec!r}: {text!r} is no whole number; expected {SPECS}.") from None


def _n_folds(text: str, spec: str) -> int:
    n = _whole(text, spec)
    check_parts(spec, n)
    return n
