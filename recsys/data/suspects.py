"""Items that may be no goods: postage, fees, corrections."""

from __future__ import annotations

import re

import numpy as np

from recsys.data.array_files import counts_of
from recsys.data.columns import Columns
from recsys.data.database import as_written, literal
from recsys.data.item_names import ItemNames
from recsys.data.log import Log
from recsys.remarks import Remark, RemarkCode

_USUAL_DIGITS = 4
_LEAST_SHARE = 0.9
_MOST_SUSPECTS = 0.05
_SHOWN = 8
_SERVICE = re.compile(
    r"postage|shipping|carriage|delivery|freight|bank charges?|.* commission|discount|coupon|voucher|"
    r"deposit|donation|manual|adjust(ment)?|adjust bad debt|.* fees?|samples?",
    re.IGNORECASE,
)


def service_codes(log: Log, columns: Columns, names: ItemNames) -> tuple[Remark, ...]:
    """Return a remark on items whose ids are unlike those of goods, or whose names are those of services.

    Ids of goods mostly hold digits: where nine ids of ten hold four or more, one with fewer than two is a
    suspect. In a log of ratings nothing is.
    """
    if log.feedback == "explicit" or log.item_ids.is_integer:
        return ()
    ids = [str(item) for item in log.item_ids.values]
    n_digits = np.array([sum(char.isdigit() for char in item) for item in ids])
    if np.mean(n_digits >= _USUAL_DIGITS) < _LEAST_SHARE:
        return ()
    is_service = np.array([bool(_SERVICE.fullmatch(names.get(item, "").strip())) for item in ids])
    suspect = np.flatnonzero((n_digits < 2) | is_service)
    if not 0 < len(suspect) <= _MOST_SUSPECTS * len(ids):
        return ()
    n_events = counts_of(log.items, len(ids))
    suspect = suspect[np.argsort(-n_events[suspect], kind="stable")]
    shown = ", ".join(ids[item] for item in suspect[:_SHOWN]) + ", ..." * (len(suspect) > _SHOWN)
    listed = ", ".join(literal(ids[item]) for item in sorted(suspect.tolist()))
    text = (
        f"{len(suspect):,} items with {int(n_events[suspect].sum()):,} events look like services rather than "
        f'goods ({shown}); leave them out with --where "{as_written(columns.item)} NOT IN ({listed})"'
    )
    return (Remark(RemarkCode.SERVICE_CODES, text),)
