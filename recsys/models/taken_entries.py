"""Which entries of a log of ratings count as taken, and which do so of new ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.typing import BoolArray, Int64Array

LIKED = ("all", "above-mean")
LIKED_HELP = "which entries count as taken: all, or those not below the user's own mean"


def liked(rows: CompressedRows, rule: str, least: float | None) -> CompressedRows:
    """Return the entries that count as taken; see `is_liked`."""
    counts = is_liked(rows, rule, least)
    return rows if counts.all() else rows.only(counts)


def is_liked(rows: CompressedRows, rule: str, least: float | None) -> BoolArray:
    """Return whether each entry counts as taken, (nnz,); each row on its own.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    rule : {"all", "above-mean"}
        ``above-mean`` leaves out entries below the mean of their row.
    least : float, optional
        Entries below it are left out, too.
    """
    values = rows.values.astype(np.float64)
    counts = np.ones(len(values), dtype=bool)
    if rule == "above-mean":
        sums = np.bincount(rows.row_numbers, weights=values, minlength=rows.n_rows)
        # A row of equal values is liked as a whole, though its mean may be rounded up.
        means = (sums / np.maximum(rows.counts, 1)).astype(np.float32)
        counts &= rows.values >= means[rows.row_numbers]
    if least is not None:
        counts &= values >= least
    return counts


def taken(data: Interactions, rule: str, least: float | None, name: str) -> Interactions:
    """Return the entries that count as taken; see `is_liked`.

    Raises
    ------
    InputError
        If none does; ``name`` is that of the model.
    """
    counts = is_liked(data.by_user, rule, least)
    if not counts.any():
        values = data.by_user.values
        raise InputError(
            f"{name}: no entry counts as taken with liked={rule!r} and liked_from={least}; values run from "
            f"{values.min():g} to {values.max():g}."
        )
    if counts.all():
        return data
    return replace(
        data, by_user=data.by_user.only(counts), time=None if data.time is None else data.time[counts]
    )


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
    is_taken = is_liked(merged.by_user, "all", least)
    keys = _keys_in(merged, merged)
    before_keys = _keys_in(merged, before)[is_liked(before.by_user, "all", least)]
    was_taken = np.isin(keys, before_keys)
    n_lost = int(np.sum(was_taken & ~is_taken))
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
    chosen = is_taken & (is_new | ~was_taken)
    rows = merged.by_user.with_values(values).only(chosen)
    return replace(merged, by_user=rows, time=None if merged.time is None else merged.time[chosen])


def _keys_in(merged: Interactions, part: Interactions) -> Int64Array:
    """Return the entries of a part as numbers of cells of the whole."""
    users, items = merged.user_ids.rows(part.user_ids.values), merged.item_ids.rows(part.item_ids.values)
    cells = users[part.by_user.row_numbers].astype(np.int64) * merged.n_items
    return np.asarray(cells + items[part.by_user.columns], dtype=np.int64)
