"""``last``: each user's last new items, so many or a share."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.errors import ParameterError
from recsys.remarks import Remark, RemarkCode
from recsys.splitting.arguments import check_share, percent, read_number, read_whole
from recsys.splitting.pairs import Pairs, later_repeats, share_of
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription
from recsys.typing import Int64Array

_NO_TIMES = Remark(
    RemarkCode.NO_TIMES, "the log has no times: a user's last items are those of the last lines."
)


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
    what = "Each user's last item is" if n == 1 else f"The last {n} items of each user are"
    description = SplitDescription("last", f"{what} held out.", n_items=n)
    pairs = Pairs.of(log)
    return _last(log, f"last:{n}", description, pairs, np.full(len(pairs.counts), n))


def last_share(log: Log, share: float) -> Split:
    """Hold out a share of each user's new items, the last ones; see `last_n`.

    Parameters
    ----------
    log : Log
    share : float
        Between 0 and 1; of the number of a user's items, rounded, halves up.
    """
    check_share("last", share)
    text = f"The last {percent(share)} of each user's items are held out."
    description = SplitDescription("last", text, share=share)
    pairs = Pairs.of(log)
    return _last(log, f"last:{share:g}", description, pairs, share_of(share, pairs.counts))


def _last(log: Log, name: str, description: SplitDescription, pairs: Pairs, n_held: Int64Array) -> Split:
    n_kept = np.maximum(pairs.counts - n_held, 1)
    held = pairs.positions(pairs.met) >= n_kept[pairs.users]
    held_events = held[pairs.of_event]
    train = ~held_events & ~later_repeats(log, pairs, held)
    split = Split.of_mask(name, description, None, held_events, train=train)
    return split if log.times is not None else split.with_remark(_NO_TIMES)


def _parse(argument: str) -> Splitter:
    number = read_number("last", argument or "1", argument)
    if 0 < number < 1:
        return lambda log, seed, repeat: (last_share(log, number),)
    n = read_whole("last", argument or "1", argument)
    return lambda log, seed, repeat: (last_n(log, n),)


register_split_rule(
    SplitRule(
        name="last",
        forms=(
            Form("last:N", "last:5", "each user's last N new items"),
            Form("last:SHARE", "last:0.2", "a share of each user's new items, the last ones"),
        ),
        parse=_parse,
    )
)
