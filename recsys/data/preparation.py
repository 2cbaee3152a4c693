"""What is made of a log before anything is learned from it, each step with the rows it takes away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.duplicates import renumbered
from recsys.data.ledger import Dropped
from recsys.data.log import Log
from recsys.data.log_format import LogFormat
from recsys.data.option_checks import HALF_LIFE
from recsys.data.returns import net_returns
from recsys.errors import InputError
from recsys.typing import BoolArray, Int64Array

_MICROSECONDS = {"h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000, "y": 31_557_600_000_000}


def prepare(log: Log, log_format: LogFormat) -> tuple[Log, tuple[Dropped, ...]]:
    """Apply the steps that a description asks for, in this order.

    Returns of goods, values that are too low, users and items with too few events; then the values
    that are left: capped, transformed, and weighed by how long ago they are.

    Parameters
    ----------
    log : Log
        May hold values below 0, if it is said what becomes of returns.
    log_format : LogFormat

    Returns
    -------
    log : Log
    dropped : tuple of Dropped

    Raises
    ------
    InputError
        If nothing is left, or a step needs times or values that the log has not.
    """
    dropped: list[Dropped] = []
    if log_format.returns == "drop":
        log = _kept(log, log.values >= 0, "returns, whose value is below 0", dropped)
    elif log_format.returns == "net":
        log = _netted(log, dropped)
    if log_format.min_value is not None:
        log = _kept(
            log, log.values >= log_format.min_value, f"values below {log_format.min_value:g}", dropped
        )
    if log_format.core is not None:
        reason = f"users or items with fewer than {log_format.core} of the other kind"
        log = _kept(log, core_of(log, log_format.core), reason, dropped)
    return _with_values(log, log_format), tuple(dropped)


def core_of(log: Log, least: int) -> BoolArray:
    """Return which events are of the k-core: users with k or more different items, items with as many users.

    Leaving one out may take support from another, so that both are looked at in turn until none is left to
    go.
    """
    pairs, of_event = np.unique(log.pairs, return_inverse=True)
    users, items = np.divmod(pairs, max(len(log.item_ids), 1))
    kept = np.ones(len(pairs), dtype=bool)
    while True:
        enough = kept.copy()
        for side in (users, items):
            counts = np.bincount(side[enough], minlength=int(side.max(initial=-1)) + 1)
            enough &= counts[side] >= least
        if np.array_equal(enough, kept):
            return np.asarray(kept[of_event])
        kept = enough


def _microseconds(half_life: str) -> float:
    match = HALF_LIFE.fullmatch(half_life)
    assert match is not None
    return float(match[1]) * _MICROSECONDS[match[2]]


def _netted(log: Log, dropped: list[Dropped]) -> Log:
    netted = net_returns(log.pairs, log.values, log.times)
    if not netted.n_returns:
        return log
    unmatched = f", {netted.n_unmatched:,} of them of more than was bought before" * bool(netted.n_unmatched)
    dropped.append(Dropped(f"returns, taken off what was bought before{unmatched}", netted.n_returns))
    dropped.append(Dropped("purchases that were returned", netted.n_returned))
    return selected(replace(log, values=netted.values), netted.kept, "returns are netted")


def _kept(log: Log, kept: BoolArray, reason: str, dropped: list[Dropped]) -> Log:
    n_gone = len(kept) - int(np.count_nonzero(kept))
    if not n_gone:
        return log
    dropped.append(Dropped(reason, n_gone))
    return selected(log, kept, reason)


def selected(log: Log, kept: BoolArray, reason: str) -> Log:
    """Return the events that are kept, with the users and items that still have some.

    Raises
    ------
    InputError
        If none is kept; ``reason`` says why.
    """
    rows: Int64Array = np.flatnonzero(kept)
    if not len(rows):
        raise InputError(f"no events are left: all of the {len(kept):,} are dropped ({reason}).")
    users, user_codes = renumbered(log.users[rows], len(log.user_ids))
    items, item_codes = renumbered(log.items[rows], len(log.item_ids))
    return replace(
        log,
        users=user_codes.astype(np.int32),
        items=item_codes.astype(np.int32),
        values=log.values[rows],
        times=None if log.times is None else log.times[rows],
        user_ids=log.user_ids.select(users),
        item_ids=log.item_ids.select(items),
    )


def _with_values(log: Log, log_format: LogFormat) -> Log:
    values = log.values
    if log_format.clip is not None:
        values = np.minimum(values, log_format.clip)
    if log_format.transform == "binary":
        values = (values > 0).astype(np.float64)
    elif log_format.transform == "log":
        if values.min(initial=0) < 0:
            raise InputError(
                f"transform 'log' needs values of 0 or more; the least is {values.min():g}. Leave it out: "
                f"ratings below 0 are taken as they are."
            )
        values = np.log1p(values)
    if log_format.half_life is not None:
        if log.times is None or log.time_kind != "timestamp":
            raise InputError("half_life needs times, and this log has none; name their column by --time.")
        age = (log.times.max() - log.times) / _microseconds(log_format.half_life)
        values = values * np.exp2(-age)
    return log if values is log.values else replace(log, values=values)
