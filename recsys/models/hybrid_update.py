"""Which of a log's new entries the parts of a hybrid take in: those that count as taken."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.values import is_liked
from recsys.typing import Int64Array


def check_updatable(name: str, rule: str, scale: float) -> None:
    """Raise ModelError if a hybrid cannot take new entries.

    Parameters
    ----------
    name : str
    rule : str
        What counts as taken, see `is_liked`.
    scale : float
        By what the neighbors were multiplied; NaN where that is not known.
    """
    if rule != "all":
        raise ModelError(
            f"{name}: liked={rule!r} goes by the mean of all that a user rated, which new ratings move; "
            f"train the model anew on everything."
        )
    if math.isnan(scale):
        raise ModelError(
            f"{name}: the bundle is of an older version, which does not say how neighbors were scaled; train "
            f"the model anew on everything."
        )


def newly_taken(before: Interactions, new: Interactions, least: float | None) -> Interactions:
    """Return the new entries that the parts of a model take in, which know those of ``least`` or more.

    What counts as taken before, merged with the result (`Interactions.merged`), is what counts as taken of
    everything.

    Parameters
    ----------
    before, new : Interactions
    least : float or None
        Values below it do not count as taken; None: all do.

    Returns
    -------
    Interactions
        Of the users and items of both.

    Raises
    ------
    ModelError
        If an entry no longer counts as taken: parts can take in entries, not give them up.
    """
    if least is None:
        return new
    merged = before.merged(new)
    taken = is_liked(merged.by_user, "all", least)
    keys = _keys_in(merged, merged)
    before_keys = _keys_in(merged, before)[is_liked(before.by_user, "all", least)]
    was_taken = np.isin(keys, before_keys)
    n_lost = int(np.sum(was_taken & ~taken))
    if n_lost:
        raise ModelError(
            f"{n_lost:,} entries that counted as taken are below liked_from {least:g} now, which an update "
            f"cannot take back; train the model anew on everything."
        )
    new_keys = _keys_in(merged, new)
    is_new = np.isin(keys, new_keys)
    # Of an entry that is known to the parts the new value is merged with it there; others are as they became.
    values = merged.by_user.values.copy()
    order = np.argsort(new_keys)
    again = was_taken & is_new
    values[again] = new.by_user.values[order][np.searchsorted(new_keys[order], keys[again])]
    chosen = taken & (is_new | ~was_taken)
    rows = merged.by_user.with_values(values).only(chosen)
    return replace(merged, by_user=rows, time=None if merged.time is None else merged.time[chosen])


def _keys_in(merged: Interactions, part: Interactions) -> Int64Array:
    """Return the entries of a part as numbers of cells of the whole."""
    users, items = merged.user_ids.rows(part.user_ids.values), merged.item_ids.rows(part.item_ids.values)
    cells = users[part.by_user.row_numbers].astype(np.int64) * merged.n_items
    return np.asarray(cells + items[part.by_user.columns], dtype=np.int64)
