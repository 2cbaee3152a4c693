"""What a reader asks of a split before believing a number: what leaked, who is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.ids import Ids
from recsys.data.log import Log
from recsys.typing import Int64Array

_FEW = 0.5  # share of users evaluated below which a remark is due


def audit(
    log: Log,
    train: Int64Array,
    test: Log,
    rows: Int64Array,
    held_out: HeldOut,
    user_ids: Ids,
    *,
    history: Int64Array | None = None,
) -> dict[str, Any]:
    """Audit a split.

    Parameters
    ----------
    log : Log
    train : int64
        The events trained on.
    test : Log
        The log with the held-out events, perhaps the same one.
    rows : int64
        The held-out events.
    held_out : HeldOut
    user_ids : Ids
        The users behind the row numbers of ``held_out``.
    history : int64, optional
        The events told of held-out users.

    Returns
    -------
    dict
        Ready for JSON. Counts are of (user, item) pairs and of events, as the names say; what needs
        times is None without them, or where those of the parts are of two kinds.
        ``n_future_events`` are training events (or told ones) later than the same user's first
        held-out event, ``n_future_events_global`` training events later than the earliest held-out
        event; ``window`` and ``train_window`` are the first and last times of the held-out and of
        the training part.
    """
    n_evaluated = int(np.count_nonzero(held_out.n_held_out))
    n_with = n_evaluated + held_out.n_cold_users
    has_times = log.times is not None and test.times is not None and log.time_kind == test.time_kind
    of_user, overall = None, None
    if has_times:
        of_user, overall = _future(log, train if history is None else history, train, test, rows)
    found: dict[str, Any] = {
        "n_pairs_on_both_sides": held_out.n_repeated,
        "n_future_events": of_user,
        "n_future_events_global": overall,
        "n_cold_users": held_out.n_cold_users,
        "n_cold_items": held_out.n_cold_items,
        "n_held_out_pairs_of_cold_users": int(np.count_nonzero(held_out.users < 0)),
        "n_held_out_pairs_of_cold_items": int(np.count_nonzero(held_out.items < 0)),
        "n_users_with_held_out": n_with,
        "n_users_evaluated": n_evaluated,
        "share_evaluated": n_evaluated / n_with if n_with else 0.0,
        "n_history_users": None if history is None else len(user_ids),
        "n_history_events": None if history is None else len(history),
        "window": _span(test, rows),
        "train_window": _span(log, train),
    }
    return found


def remarks(found: dict[str, Any]) -> list[str]:
    """Return what is worth saying of an audit in words."""
    said = []
    if found["n_future_events"] is None and found["window"] and found["train_window"]:
        said.append(
            f"times of the held-out part ({found['window'][0]} ...) are of another kind than those of the "
            f"training part ({found['train_window'][0]} ...), so that it cannot be told what leaked"
        )
    if found["n_future_events"]:
        said.append(
            f"training holds {found['n_future_events']:,} events later than the same user's first held-out "
            f"one: this measures filling in, not prediction of the future"
        )
    elif found["n_future_events_global"]:
        said.append(
            f"training holds {found['n_future_events_global']:,} events later than the first held-out one, "
            f"none of the same user's: trends may leak, a time: split would not let them"
        )
    if 0 < found["share_evaluated"] < _FEW:
        said.append(
            f"only {found['n_users_evaluated']:,} of {found['n_users_with_held_out']:,} users with held-out "
            f"items are evaluated; the others have nothing in training"
        )
    return said


def _future(log: Log, known: Int64Array, train: Int64Array, test: Log, rows: Int64Array) -> tuple[int, int]:
    """Count known events later than their user's first held-out one, and training events later than any."""
    assert log.times is not None
    assert test.times is not None
    first = np.full(len(test.user_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, test.users[rows], test.times[rows])
    first_of = np.full(len(log.user_ids), np.iinfo(np.int64).max)
    same = np.arange(len(log.user_ids)) if test is log else test.user_ids.rows(log.user_ids.values)
    first_of[same >= 0] = first[same[same >= 0]]
    of_user = int(np.count_nonzero(log.times[known] > first_of[log.users[known]]))
    return of_user, int(np.count_nonzero(log.times[train] > first.min()))


def _span(log: Log, rows: Int64Array) -> list[str | int] | None:
    span = log.span(rows)
    return None if span is None else list(span)
