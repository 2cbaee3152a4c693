"""Logs as people give them: a path, a table, a log that is loaded, or how one is to be read."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import pandas as pd
import pyarrow as pa

from recsys.data.columns import IGNORE
from recsys.data.load import LoadedLog, load_log
from recsys.data.log import Feedback
from recsys.data.sources import ArrowTable
from recsys.progress import SILENT, Progress, task


@dataclass(frozen=True)
class LogPlan:
    """How a log is to be read; see `recsys.load_log`.

    Attributes
    ----------
    source : str, Path or table
    user, item, value, time : str, optional
        Names of columns.
    where : str, optional
        Rows to keep, as an SQL condition.
    feedback : {"explicit", "implicit"}, optional
    items : str or Path, optional
        A file with ids and names of items.
    item_id, item_name : str, optional
        Its columns.
    """

    source: Any
    user: str | None = None
    item: str | None = None
    value: str | None = None
    time: str | None = None
    where: str | None = None
    feedback: str | None = None
    items: str | Path | None = None
    item_id: str | None = None
    item_name: str | None = None

    def load(self, n_threads: int | None = None) -> LoadedLog:
        """Read the log; raises what `recsys.load_log` raises."""
        return load_log(
            self.source,
            user=self.user,
            item=self.item,
            value=self.value,
            time=self.time,
            where=self.where,
            feedback=cast("Feedback | None", self.feedback),
            items=self.items,
            item_id=self.item_id,
            item_name=self.item_name,
            n_threads=n_threads,
        )

    def like(self, loaded: LoadedLog) -> LogPlan:
        """Return this with the columns and the kind of feedback that another log was read with."""
        used = loaded.columns
        return replace(
            self,
            user=used.user,
            item=used.item,
            value=used.value or IGNORE,
            feedback=loaded.log.feedback,
            items=None,
            item_id=None,
            item_name=None,
        )


GivenLog: TypeAlias = str | Path | pd.DataFrame | pa.Table | ArrowTable | LoadedLog | LogPlan


def loaded_of(
    log: GivenLog, *, n_threads: int | None = None, progress: Progress = SILENT
) -> tuple[LoadedLog, float]:
    """Return a log, read if it is not, and the seconds that reading took.

    Raises
    ------
    RecsysError
        As `recsys.load_log`.
    """
    if isinstance(log, LoadedLog):
        return log, 0.0
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    began = time.perf_counter()
    name = Path(plan.source).name if isinstance(plan.source, (str, Path)) else "the table"
    with task(progress, f"load {name}"):
        loaded = plan.load(n_threads)
    return loaded, time.perf_counter() - began


def both_of(
    log: GivenLog, test: GivenLog | None, *, n_threads: int | None = None, progress: Progress = SILENT
) -> tuple[LoadedLog, LoadedLog | None, float]:
    """Return a log, a test log read as that was (same columns, same feedback), and the seconds it took."""
    loaded, seconds = loaded_of(log, n_threads=n_threads, progress=progress)
    if test is None:
        return loaded, None, seconds
    if not isinstance(test, (LoadedLog, LogPlan)):
        of_log = log if isinstance(log, LogPlan) else LogPlan(None)
        test = replace(of_log, source=test).like(loaded)
    held_out, more = loaded_of(test, n_threads=n_threads, progress=progress)
    return loaded, held_out, seconds + more
