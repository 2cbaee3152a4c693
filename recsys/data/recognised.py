"""What was recognised of a log, not given: said in remarks, and kept as the flags that would say it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys.data.columns import IGNORE, Columns
from recsys.data.database import as_written
from recsys.data.log import Feedback, Log
from recsys.data.log_format import LISTS, MATRIX, LogFormat
from recsys.data.source import Source
from recsys.remarks import Remark, RemarkCode

_UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_MANY_ZEROS = 0.3


def on_times(written: str, log: Log, log_format: LogFormat) -> list[Remark]:
    """Say how times were read, where that was recognised rather than given."""
    span = log.span()
    if not written or span is None or log_format.time_unit is not None or log_format.time_format is not None:
        return []
    if written in _UNITS:
        how, other = f"are {_UNITS[written]} since 1970", "--time-unit none keeps them as numbers"
    else:
        how, other = f"are written as {written}", "--time-format says otherwise"
    ends = " to ".join(str(end).replace("T", " ") for end in span)
    return [Remark(RemarkCode.READ_AS, f"times {how}: {ends}; {other}")]


def on_values(log: Log, columns: Columns) -> list[Remark]:
    """Say if amounts are below 0, and if ratings of 0 are so many that they may stand for none."""
    n_negative = int(np.count_nonzero(log.values < 0))
    if log.feedback == "implicit" and n_negative and columns.value is not None:
        return [
            Remark(
                RemarkCode.NEGATIVE_AMOUNTS,
                f"{n_negative:,} of {len(log):,} amounts are below 0, which training refuses; if they are "
                f"returns, add --returns net (or drop), if these are ratings, --feedback explicit",
            )
        ]
    n_zero = len(log) - int(np.count_nonzero(log.values))
    if log.feedback != "explicit" or columns.value is None or not _MANY_ZEROS * len(log) <= n_zero < len(log):
        return []
    return [
        Remark(
            RemarkCode.ZERO_RATINGS,
            f"{n_zero:,} of {len(log):,} ratings are 0; if 0 stands for no rating, leave them out with "
            f"--where '{as_written(columns.value)} > 0'",
        )
    ]


def read_as(
    log_format: LogFormat, opened: Source, columns: Columns, written: str, feedback: Feedback
) -> LogFormat:
    """Return the description by which the same log would be read without guessing."""
    roles = dict.fromkeys(("user", "item", "value", "time"))
    if log_format.layout not in (LISTS, MATRIX):
        roles = {role: getattr(columns, role) or IGNORE for role in roles}
    recognised = replace(
        opened.read_as,
        **roles,
        feedback=feedback,
        time_unit=written if written in _UNITS else None,
        time_format=written if written and written not in _UNITS else None,
    )
    return log_format.over(recognised)
