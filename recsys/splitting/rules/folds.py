"""``folds``: all pairs, each held out in one of several splits."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.splitting.arguments import check_folds, read_n_folds
from recsys.splitting.drawing import deal, generator_of
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


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
    fold = deal(generator_of(seed, repeat, "folds"), len(pairs), n)[pair_of_event]
    text = f"All pairs are dealt to {n} folds, each held out once."
    description = SplitDescription("folds", text, n_folds=n)
    return tuple(Split.of_mask(f"folds:{n}", description, seed, fold == number) for number in range(n))


def _parse(argument: str) -> Splitter:
    n = read_n_folds("folds", argument or "5", argument)
    return lambda log, seed, repeat: folds(log, n, seed=seed, repeat=repeat)


register_split_rule(
    SplitRule(
        name="folds",
        forms=(Form("folds:K", "folds:5", "all pairs, dealt to K parts; each is held out once"),),
        parse=_parse,
        can_repeat=True,
    )
)
