"""The rows of a log that are kept, batch after batch: in memory, or on disk where they may not fit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.data import times
from recsys.data.array_files import Collected, GrowingArray, blocks
from recsys.data.cells import IdKind
from recsys.data.id_column import IdColumn, IdColumnOnDisk
from recsys.data.ids import Ids
from recsys.data.log import TimeKind
from recsys.data.log_format import LogFormat
from recsys.data.times import TimeReading
from recsys.errors import InputError
from recsys.remarks import Remark
from recsys.typing import Float64Array, Int32Array, Int64Array

HASH = {"user": "user hash", "item": "item hash"}
"""The columns of a batch that hold hashes of ids that are text."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """Columns of the rows that are kept, in the order of the source; see `recsys.data.log.Log`."""

    users: Int32Array
    items: Int32Array
    values: Float64Array
    times: Int64Array | None
    time_kind: TimeKind | None
    user_ids: Ids
    item_ids: Ids
    time_written: str
    remarks: tuple[Remark, ...]


class Gathering:
    """Takes rows in batches, and counts those that conditions drop.

    Parameters
    ----------
    kinds : (str, str)
        Kinds of the ids of users and items.
    time : TimeReading or None
        How times were read, if there are any.
    n_drops : int
        Number of conditions.
    log_format : LogFormat
    delimiter : str or None
        What stands between fields, for remarks on ids.
    scratch : Path, optional
        A folder for the columns, which are then mapped and hold nothing in memory but the ids.
    n_threads : int
        With more than one, ids are encoded while further rows are read.
    """

    def __init__(
        self,
        kinds: tuple[IdKind, IdKind],
        time: TimeReading | None,
        n_drops: int,
        log_format: LogFormat,
        delimiter: str | None,
        scratch: Path | None = None,
        n_threads: int = 1,
    ) -> None:
        self.n_read = 0
        self.n_kept = 0
        self._is_filtered = n_drops > 0
        self._n_dropped = np.zeros(n_drops + 1, dtype=np.int64)
        self._time = time
        self._time_unit = log_format.time_unit
        self._scratch = scratch
        self._last_row = -1
        self._rows: list[Int64Array] = []
        self._executor = ThreadPoolExecutor(2) if n_threads > 1 else None
        rules = log_format.id_rules
        self._users, self._items = (
            IdColumn(role, kind, rules, delimiter, self._executor)
            if scratch is None
            else IdColumnOnDisk(role, kind, rules, delimiter, scratch)
            for role, kind in zip(("user", "item"), kinds, strict=True)
        )
        self._values = self._column("values", np.float64)
        self._times = self._column("times", np.int64)

    def _column(self, name: str, dtype: type) -> Collected | GrowingArray:
        return Collected() if self._scratch is None else GrowingArray(self._scratch / f"{name}.npy", dtype)

    @property
    def n_dropped(self) -> tuple[int, ...]:
        """How many rows each condition dropped."""
        return tuple(self._n_dropped[1:].tolist())

    def filtered(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Int64Array]:
        """Count a batch; return what is kept of it, and the number of each row in the source."""
        before, self.n_read = self.n_read, self.n_read + batch.num_rows
        if not self._is_filtered:
            return batch, np.arange(before, self.n_read)
        number = batch.column("drop").to_numpy()
        self._n_dropped += np.bincount(number, minlength=len(self._n_dropped))
        kept = batch.filter(pa.array(number == 0))
        return kept, kept.column("row").to_numpy()

    def add(self, kept: pa.RecordBatch, rows: Int64Array) -> None:
        """Take rows that are kept.

        Raises
        ------
        InputError
            If they come in another order than in the source, and are to be kept on disk.
        """
        self.n_kept += kept.num_rows
        if self._is_filtered:  # else rows come in their order
            self._note_order(rows)
        for role, ids in (("user", self._users), ("item", self._items)):
            hashes = kept.column(HASH[role]).to_numpy() if HASH[role] in kept.schema.names else None
            ids.add(kept.column(role), hashes)
        has_values = "value" in kept.schema.names
        self._values.append(kept.column("value").to_numpy() if has_values else np.ones(kept.num_rows))
        if "time" in kept.schema.names:
            self._times.append(kept.column("time").to_numpy())

    def _note_order(self, rows: Int64Array) -> None:
        if self._scratch is None:
            self._rows.append(rows)
        elif len(rows):
            if rows[0] <= self._last_row or np.any(rows[1:] < rows[:-1]):
                raise InputError(
                    "the condition mixes the order of the rows, as long lists and queries inside of one do; "
                    "with a limit of memory it must look at a row alone."
                )
            self._last_row = int(rows[-1])

    def close(self) -> None:
        """End the threads that encode ids."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def finish(self) -> Gathered:
        """Return the columns."""
        each = map if self._executor is None else self._executor.map
        of_roles = each(lambda column: column.finish(), (self._users, self._items))
        (users, user_ids, of_users), (items, item_ids, of_items) = of_roles
        values, moments = self._values.finish(), None
        kind: TimeKind | None = None
        written = ""
        if self._time is not None:
            moments = self._times.finish()
            kind, written = self._time.kind, self._time.written
            if kind == "number":
                moments, kind, written = self._recognised(moments)
        rows = np.concatenate(self._rows) if self._rows else np.empty(0, dtype=np.int64)
        if np.any(rows[1:] < rows[:-1]):
            order = np.argsort(rows)
            users, items, values = users[order], items[order], values[order]
            moments = None if moments is None else moments[order]
        remarks = (*of_users, *of_items)
        return Gathered(users, items, values, moments, kind, user_ids, item_ids, written, remarks)

    def _recognised(self, moments: Int64Array) -> tuple[Int64Array, TimeKind, str]:
        """Return numbers as times where all of them look like times; on disk, in place."""
        if self._scratch is None:
            return times.recognised(moments, self._time_unit)
        unit = self._time_unit
        _, _, written = times.recognised(np.array([moments.min(), moments.max()]), unit)
        parts = list(blocks(len(moments)))
        if not written or any(times.recognised(moments[part], unit)[2] != written for part in parts):
            return moments, "number", ""
        for part in parts:
            moments[part] = times.recognised(moments[part], unit)[0]
        return moments, "timestamp", written
