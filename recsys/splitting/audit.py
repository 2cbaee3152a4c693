"""What a reader asks of a split before believing a number: what leaked, who is missing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recsys.data.held_out import HeldOut
from recsys.data.ids import Ids
from recsys.data.log import Log
from recsys.remarks import Remark, RemarkCode
from recsys.splitting.split import Split
from recsys.splitting.support import FilterCounts
from recsys.typing import Int64Array

_FEW = 0.5  # share of users evaluated below which a remark is due


@dataclass(frozen=True, kw_only=True)
class SplitAudit:
    """What leaked, who is missing. Counts are of (user, item) pairs and of events, as the names say.

    Attributes
    ----------
    n_pairs_on_both_sides : int
        Held-out pairs that are also in training, and set aside.
    n_future_events : int or None
        Training events (or those of histories) later than the same user's first held-out event. None
        without times, or where those of the parts are of two kinds; so is the next one.
    n_future_events_global : int or None
        Training events later than the earliest held-out event of anyone.
    n_cold_users, n_cold_items : int
        Held out and not in training.
    n_held_out_pairs_of_cold_users, n_held_out_pairs_of_cold_items : int
    n_users_with_held_out, n_users_evaluated : int
    share_evaluated : float
    n_history_users, n_history_events : int or None
        Where whole users are held out: of whose histories the model is given how many events.
    window, train_window : tuple of two, or None
        First and last time of the held-out and of the training part.
    n_left_out_events : int
        Events in neither part, since they came after what is held out.
    filters : FilterCounts or None
        What a filter of least support removed.
    remarks : tuple of Remark
    """

    n_pairs_on_both_sides: int
    n_future_events: int | None
    n_future_events_global: int | None
    n_cold_users: int
    n_cold_items: int
    n_held_out_pairs_of_cold_users: int
    n_held_out_pairs_of_cold_items: int
    n_users_with_held_out: int
    n_users_evaluated: int
    share_evaluated: float
    n_history_users: int | None
    n_history_events: int | None
    window: tuple[str | int, str | int] | None
    train_window: tuple[str | int, str | int] | None
    n_left_out_events: int
    filters: FilterCounts | None
    remarks: tuple[Remark, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the audit as JSON knows it: the attributes by name, remarks as text."""
        record = asdict(self)
        for name in ("window", "train_window"):
            record[name] = None if record[name] is None else list(record[name])
        return record | {"remarks": [str(remark) for remark in self.remarks]}


def audit(
    log: Log,
    split: Split,
    test: Log,
    held_out: HeldOut,
    user_ids: Ids,
    *,
    filters: FilterCounts | None = None,
) -> SplitAudit:
    """Audit a split.

    Parameters
    ----------
    log : Log
    split : Split
    test : Log
        The log with the held-out events, perhaps the same one.
    held_out : HeldOut
        The held-out pairs.
    user_ids : Ids
        The users behind the row numbers of ``held_out``.
    filters : FilterCounts, optional
    """
    train, rows, history = split.train, split.held_out, split.history
    n_evaluated = int(np.count_nonzero(held_out.n_held_out))
    n_with = n_evaluated + held_out.n_cold_users
    has_times = log.times is not None and test.times is not None and log.time_kind == test.time_kind
    of_user, overall = None, None
    if has_times:
        of_user, overall = _future(log, train if history is None else history, train, test, rows)
    share = n_evaluated / n_with if n_with else 0.0
    window, train_window = test.span(rows), log.span(train)
    return SplitAudit(
        n_pairs_on_both_sides=held_out.n_repeated,
        n_future_events=of_user,
        n_future_events_global=overall,
        n_cold_users=held_out.n_cold_users,
        n_cold_items=held_out.n_cold_items,
        n_held_out_pairs_of_cold_users=int(np.count_nonzero(held_out.users < 0)),
        n_held_out_pairs_of_cold_items=int(np.count_nonzero(held_out.items < 0)),
        n_users_with_held_out=n_with,
        n_users_evaluated=n_evaluated,
        share_evaluated=share,
        n_history_users=None if history is None else len(user_ids),
        n_history_events=None if history is None else len(history),
        window=window,
        train_window=train_window,
        n_left_out_events=split.n_left_out,
        filters=filters,
        remarks=(
            *split.remarks,
            *_on_times(of_user, overall, window, train_window),
            *_on_users(n_evaluated, n_with, share),
        ),
    )


def _on_times(
    of_user: int | None,
    overall: int | None,
    window: tuple[str | int, str | int] | None,
    train_window: tuple[str | int, str | int] | None,
) -> list[Remark]:
    if of_user is None and window and train_window:
        return [
            Remark(
                RemarkCode.TIMES_OF_TWO_KINDS,
                f"times of the held-out part ({window[0]} ...) are of another kind than those of the "
                f"training part ({train_window[0]} ...), so that it cannot be told what leaked",
            )
        ]
    if of_user:
        return [
            Remark(
                RemarkCode.FUTURE_OF_SAME_USERS,
                f"training holds {of_user:,} events later than the same user's first held-out one: this "
                f"measures filling in, not prediction of the future",
            )
        ]
    if overall:
        return [
            Remark(
                RemarkCode.FUTURE_OF_OTHER_USERS,
                f"training holds {overall:,} events later than the first held-out one, none of the same "
                f"user's: trends may leak, a time: split would not let them",
            )
        ]
    return []


def _on_users(n_evaluated: int, n_with: int, share: float) -> list[Remark]:
    if not 0 < share < _FEW:
        return []
    return [
        Remark(
            RemarkCode.FEW_USERS_EVALUATED,
            f"only {n_evaluated:,} of {n_with:,} users with held-out items are evaluated; the others have "
            f"nothing in training",
        )
    ]


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
