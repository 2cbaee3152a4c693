"""Items that may be no goods, such as postage, fees and corrections, and users who may be no people."""

from __future__ import annotations

import re

import numpy as np

from recsys.data.array_files import counts_of
from recsys.data.columns import Columns
from recsys.data.database import as_written, literal
from recsys.data.item_names import ItemNames
from recsys.data.ledger import Dropped
from recsys.data.log import Log
from recsys.data.preparation import selected
from recsys.remarks import Remark, RemarkCode
from recsys.typing import Int64Array

_USUAL_DIGITS = 4
_LEAST_SHARE = 0.9
_MOST_SUSPECTS = 0.05
_SHOWN = 8
_USUAL_USERS, _TIMES_USUAL, _LEAST_EVENTS = 0.99, 20, 1_000
_NONE: Int64Array = np.empty(0, dtype=np.int64)
_SERVICE = re.compile(
    r"postage|shipping|carriage|delivery|freight|bank charges?|.* commission|discount|coupon|voucher|"
    r"deposit|donation|manual|adjust(ment)?|adjust bad debt|.* fees?|samples?",
    re.IGNORECASE,
)


def services_in(log: Log, names: ItemNames) -> Int64Array:
    """Return the row numbers of items whose ids are unlike those of goods, or whose names are of services.

    Ids of goods mostly hold digits: where nine ids of ten hold four or more, one with fewer than two is a
    suspect. In a log of ratings nothing is, and suspects that are more than one item in twenty are none.
    """
    if log.feedback == "explicit" or log.item_ids.is_integer:
        return _NONE
    ids = [str(item) for item in log.item_ids.values]
    n_digits = np.array([sum(char.isdigit() for char in item) for item in ids])
    if np.mean(n_digits >= _USUAL_DIGITS) < _LEAST_SHARE:
        return _NONE
    is_service = np.array([bool(_SERVICE.fullmatch(names.get(item, "").strip())) for item in ids])
    suspect = np.flatnonzero((n_digits < 2) | is_service)
    return suspect if len(suspect) <= _MOST_SUSPECTS * len(ids) else _NONE


def without_services(log: Log, names: ItemNames) -> tuple[Log, tuple[Dropped, ...]]:
    """Return a log without the items that look like services, and how many events that takes away.

    Raises
    ------
    InputError
        If nothing is left.
    """
    suspect = services_in(log, names)
    if not len(suspect):
        return log, ()
    is_service = np.zeros(len(log.item_ids), dtype=bool)
    is_service[suspect] = True
    reason = f"items that look like services rather than goods ({_shown(log, suspect)})"
    kept = ~is_service[log.items]
    return selected(log, kept, reason), (Dropped(reason, int(np.count_nonzero(~kept))),)


def remarks_on_suspects(log: Log, columns: Columns, names: ItemNames) -> tuple[Remark, ...]:
    """Return remarks on items that may be no goods, and on users who may be no people."""
    return (*_on_services(log, names), *_on_active_users(log, columns))


def _on_services(log: Log, names: ItemNames) -> tuple[Remark, ...]:
    suspect = services_in(log, names)
    if not len(suspect):
        return ()
    n_events = int(counts_of(log.items, len(log.item_ids))[suspect].sum())
    text = (
        f"{len(suspect):,} items with {n_events:,} events look like services rather than goods "
        f"({_shown(log, suspect)}); leave them out with --services drop"
    )
    return (Remark(RemarkCode.SERVICE_CODES, text),)


def _on_active_users(log: Log, columns: Columns) -> tuple[Remark, ...]:
    n_events = counts_of(log.users, len(log.user_ids))
    usual = float(np.quantile(n_events, _USUAL_USERS))
    suspect = np.flatnonzero(n_events >= max(_LEAST_EVENTS, _TIMES_USUAL * usual))
    if not len(suspect):
        return ()
    suspect = suspect[np.argsort(-n_events[suspect], kind="stable")]
    ids = [log.user_ids[int(user)] for user in suspect[:_SHOWN]]
    listed = ", ".join(literal(user) if isinstance(user, str) else str(user) for user in ids)
    text = (
        f"{len(suspect):,} users with {int(n_events[suspect].sum()):,} events are so active that they may be "
        f"no people: up to {int(n_events.max()):,} events each, where 99 of 100 users have at most "
        f'{usual:,.0f}; leave them out with --where "{as_written(columns.user)} NOT IN ({listed})"'
    )
    return (Remark(RemarkCode.ACTIVE_ACCOUNTS, text),)


def _shown(log: Log, items: Int64Array) -> str:
    """Return the ids of items, those with most events first."""
    n_events = counts_of(log.items, len(log.item_ids))
    ordered = items[np.argsort(-n_events[items], kind="stable")]
    few = ", ".join(str(log.item_ids[int(item)]) for item in ordered[:_SHOWN])
    return few + ", ..." * (len(items) > _SHOWN)
