"""Splits as they are written on the command line."""

from __future__ import annotations

from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.splitting.arguments import check_parts, read_repeats
from recsys.splitting.rules import find_split_rule
from recsys.splitting.split import Split


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
        ``users:0.2:0.8``         a share of the users; of each a share, or so many pairs, is given
                                  to the fitted model and the rest predicted (0.8 by default)
        ``user-folds:5:0.8``      all users, dealt to five parts; each is held out once
        ========================  =============================================================

        Those that draw can be repeated: ``random:0.2x3``. Other rules can be registered by
        `recsys.splitting.registry.register_split_rule`.
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
    rule = find_split_rule(spec)
    argument, n_repeats = spec.partition(":")[2], None
    if rule.can_repeat:
        argument, n_repeats = read_repeats(argument, spec)
    splitter = rule.parse(argument)
    splits = list(splitter(log, seed, 0))
    if len(splits) > 1 and splits[0].n_parts > 1:
        return tuple(splits)  # they know already that they are parts
    check_parts(spec, len(splits) * (n_repeats or 1))
    repeats = [0] * len(splits)
    for repeat in range(1, n_repeats or 1):
        more = splitter(log, seed, repeat)
        splits += more
        repeats += [repeat] * len(more)
    if len(splits) == 1:
        return (splits[0],)
    name = splits[0].name + ("" if n_repeats in (None, 1) else f"x{n_repeats}")
    return tuple(
        split.as_part(name, part, len(splits), repeat=repeat)
        for part, (split, repeat) in enumerate(zip(splits, repeats, strict=True), start=1)
    )


def parse_split(spec: str, log: Log, *, seed: int) -> Split:
    """Split a log by a rule that makes one split; see `parse_splits`.

    Raises
    ------
    ParameterError
        If the rule makes several, too.
    """
    splits = parse_splits(spec, log, seed=seed)
    if len(splits) > 1:
        raise ParameterError(several(spec, len(splits)))
    return splits[0]


def several(spec: str, n_parts: int) -> str:
    """Return the message that one split was expected."""
    return f"split {spec!r} makes {n_parts} parts; expected a rule that makes one."
