"""``new-items``: the items that entered the catalogue last, with all that was done to them."""

from __future__ import annotations

import numpy as np

from recsys.data.log import Log
from recsys.errors import InputError
from recsys.splitting.arguments import check_share, percent, read_number
from recsys.splitting.registry import Form, SplitRule, Splitter, register_split_rule
from recsys.splitting.split import Split, SplitDescription


def new_items(log: Log, share: float) -> Split:
    """Hold out all events of the items whose first event is among the latest.

    No model that learns from interactions alone can rank them: the split shows how a model behaves
    where a part of the catalogue is new (item cold start). Ties fall to the lower item number.

    Parameters
    ----------
    log : Log
        With times.
    share : float
        Between 0 and 1; of the items, rounded.
    """
    check_share("new-items", share)
    if log.times is None:
        raise InputError("split by new items: the log has no time column; name one.")
    first = np.full(len(log.item_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, log.items, log.times)
    n_kept = len(first) - round(share * len(first))
    is_new = np.ones(len(first), dtype=bool)
    is_new[np.argsort(first, kind="stable")[:n_kept]] = False
    text = f"The {percent(share)} of the items that came last are held out, with all their events."
    description = SplitDescription("new-items", text, share=share)
    return Split.of_mask(f"new-items:{share:g}", description, None, is_new[log.items])


def _parse(argument: str) -> Splitter:
    share = read_number("new-items", argument or "0.1", argument)
    return lambda log, seed, repeat: (new_items(log, share),)


register_split_rule(
    SplitRule(
        name="new-items",
        forms=(Form("new-items:SHARE", "new-items:0.1", "the items that came last, with all events"),),
        parse=_parse,
    )
)
