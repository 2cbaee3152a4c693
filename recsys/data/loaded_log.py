"""A log and where it came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from recsys.data.columns import Columns
from recsys.data.item_names import ItemNames
from recsys.data.ledger import Dropped
from recsys.data.log import Log
from recsys.data.log_format import LogFormat
from recsys.remarks import Remark


@dataclass(frozen=True, eq=False)
class LoadedLog:
    """A log and where it came from.

    Attributes
    ----------
    log : Log
    source : str
        The path, pattern or catalogue name.
    columns : Columns
        The columns used.
    n_read : int
        Rows of the source.
    dropped : tuple of Dropped
        Rows left out by condition; each counts under the first that drops it.
    item_names : mapping of item id to str
        Names of items of the log, as far as known.
    licence : str or None
    read_as : LogFormat
        Everything given or recognised of how the log is written: read with these options, it is the same log.
    remarks : tuple of Remark
        What was recognised where it may be wrong, and what is strange.
    files : tuple of Path
        The files that it was read from: an archive as it is, of a prepared log its record, which holds the
        hashes of its parts. None for tables, databases and standard input.

    Examples
    --------
    >>> import pandas as pd
    >>> import recsys
    >>> frame = pd.DataFrame(
    ...     {"user": [1, 1, 2, 2, 3, 3, 4, 4], "item": list("abacbcab"), "rating": [5, 3, 4, 1, 2, 5, 4, 2]}
    ... )
    >>> loaded = recsys.load_log(frame)
    >>> loaded.describe()["n_users"], loaded.log.feedback
    (4, 'explicit')
    """

    log: Log
    source: str
    columns: Columns
    n_read: int
    dropped: tuple[Dropped, ...]
    item_names: ItemNames
    licence: str | None = None
    read_as: LogFormat = field(default_factory=LogFormat)
    remarks: tuple[Remark, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def ledger(self) -> dict[str, Any]:
        """Rows read, rows dropped with the reason, and events kept, ready for JSON."""
        dropped = [{"reason": drop.reason, "n_rows": drop.n_rows} for drop in self.dropped]
        return {"n_read": self.n_read, "dropped": dropped, "n_events": len(self.log)}

    def describe(self) -> dict[str, Any]:
        """Return counts and ranges, ready for JSON."""
        log = self.log
        n_users, n_items = len(log.user_ids), len(log.item_ids)
        n_pairs = len(np.unique(log.pairs)) if log.views is None else log.views.n_entries
        first, last = log.span() or (None, None)
        return {
            "source": self.source,
            "columns": {role: getattr(self.columns, role) for role in ("user", "item", "value", "time")},
            "feedback": log.feedback,
            **self.ledger,
            "n_users": n_users,
            "n_items": n_items,
            "n_pairs": n_pairs,
            "density": n_pairs / (n_users * n_items),
            "value_min": float(log.values.min()),
            "value_max": float(log.values.max()),
            "value_mean": float(log.values.mean()),
            "time_kind": log.time_kind,
            "first_time": first,
            "last_time": last,
            "n_named_items": len(self.item_names),
            "licence": self.licence,
            "flags": self.read_as.flags(),
            "remarks": [{"code": str(remark.code), "text": str(remark)} for remark in self.remarks],
        }
