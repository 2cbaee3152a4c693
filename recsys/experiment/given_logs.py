"""Logs as people give them: a path, a table, a log that is loaded, or how one is to be read."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa

from recsys.data import formats
from recsys.data.columns import IGNORE
from recsys.data.load import read_log
from recsys.data.loaded_log import LoadedLog
from recsys.data.log_format import LogFormat
from recsys.data.tables import ArrowTable
from recsys.errors import ParameterError
from recsys.progress import SILENT, Progress, task


@dataclass(frozen=True, init=False)
class LogPlan:
    """A log and how it is to be read; see `recsys.load_log`.

    Parameters
    ----------
    source : str, Path or table
    read_as : LogFormat, optional
    items : str or Path, optional
        A file with ids and names of items.
    **options
        Fields of `LogFormat`, by name: user, item, where, delimiter ...; they win over ``read_as``.

    Examples
    --------
    >>> from recsys import LogPlan
    >>> LogPlan("log.csv", user="CustomerID").read_as.user
    'CustomerID'
    """

    source: Any
    read_as: LogFormat
    items: str | Path | None

    def __init__(
        self,
        source: Any,
        read_as: LogFormat | None = None,
        items: str | Path | None = None,
        **options: Any,
    ) -> None:
        log_format = LogFormat.of(**options).over(read_as or LogFormat())
        for name, value in (("source", source), ("read_as", log_format), ("items", items)):
            object.__setattr__(self, name, value)

    def load(self, n_threads: int | None = None, *, looks: bool = False) -> LoadedLog:
        """Read the log; raises what `recsys.load_log` raises.

        ``looks`` is for looking at a log; see `recsys.data.load.read_log`.
        """
        if self.items is None and self.read_as.item_name is not None:
            raise ParameterError("item_name names a column of the items file; give items too.")
        log_format = formats.filled(self.read_as)
        return read_log(self.source, log_format, items=self.items, n_threads=n_threads, looks=looks)

    def like(self, loaded: LoadedLog) -> LogPlan:
        """Return this with the columns and the kind of feedback that another log was read with."""
        used = loaded.columns
        read_as = replace(
            self.read_as,
            user=used.user,
            item=used.item,
            value=used.value or IGNORE,
            feedback=loaded.log.feedback,
            bad_rows=None,  # those of the first log are in that file
        )
        return LogPlan(self.source, read_as)


GivenLog: TypeAlias = str | Path | pd.DataFrame | pa.Table | ArrowTable | LoadedLog | LogPlan


def loaded_of(
    log: GivenLog,
    *,
    n_threads: int | None = None,
    progress: Progress = SILENT,
    looks: bool = False,
) -> tuple[LoadedLog, float]:
    """Return a log, read if it is not, and the seconds that reading took; see `LogPlan.load`.

    Raises
    ------
    RecsysError
        As `recsys.load_log`.
    """
    if isinstance(log, LoadedLog):
        return log, 0.0
    plan = log if isinstance(log, LogPlan) else LogPlan(log)
    began = time.perf_counter()
    is_path = isinstance(plan.source, (str, Path))
    name = Path(plan.source).name if is_path else "files" if isinstance(plan.source, list) else "the table"
    with task(progress, f"load {name}"):
        loaded = plan.load(n_threads, looks=looks)
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
