"""``random``: a share of all (user, item) pairs, drawn."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.splitting.arguments import check_share, percent, read_number
from recsys.splitting.drawing import generator_of
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


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
    drawn = generator_of(seed, repeat, "random").permutation(len(pairs))[: round(share * len(pairs))]
    held = np.zeros(len(pairs), dtype=bool)
    held[drawn] = True
    text = f"{percent(share)} of all pairs, drawn at random, are held out."
    description = SplitDescription("random", text, share=share)
    return Split.of_mask(f"random:{share:g}", description, seed, held[pair_of_event])


def _parse(argument: str) -> Splitter:
    share = read_number("random", argument or "0.2", argument)
    return lambda log, seed, repeat: (random_share(log, share, seed=seed, repeat=repeat),)


register_split_rule(
    SplitRule(
        name="random",
        forms=(Form("random:SHARE", "random:0.2", "a share of all (user, item) pairs, drawn"),),
        parse=_parse,
        can_repeat=True,
    )
)
