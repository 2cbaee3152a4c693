"""``random-user``: a share of each user's pairs, drawn."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.splitting.arguments import check_share, percent, read_number
from recsys.splitting.drawing import generator_of
from recsys.splitting.pairs import Pairs, share_of
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


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
    positions = pairs.positions(generator_of(seed, repeat, "random-user").permutation(len(pairs)))
    n_held = np.minimum(share_of(share, pairs.counts), pairs.counts - 1)
    held = positions < n_held[pairs.users]
    text = f"{percent(share)} of each user's pairs, drawn at random, are held out."
    description = SplitDescription("random-user", text, share=share)
    return Split.of_mask(f"random-user:{share:g}", description, seed, held[pairs.of_event])


def _parse(argument: str) -> Splitter:
    share = read_number("random-user", argument or "0.2", argument)
    return lambda log, seed, repeat: (random_share_of_each(log, share, seed=seed, repeat=repeat),)


register_split_rule(
    SplitRule(
        name="random-user",
        forms=(Form("random-user:SHARE", "random-user:0.2", "a share of each user's pairs, drawn"),),
        parse=_parse,
        can_repeat=True,
    )
)
