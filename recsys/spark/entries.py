"""The entries of a log in blocks on the cluster, repeats joined: once by user, once by item."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys.data import times
from recsys.data.duplicates import JoinedPairs
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.spark.blocks import BLOCK_SCHEMA, Block, blocks_in, parts_of
from recsys.spark.numbering import Numbering
from recsys.typing import Int64Array

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_PIECE_SCHEMA = "part int, origin int, rows binary, columns binary, values binary"


@dataclass(frozen=True, eq=False)
class BlockedEntries:
    """The entries of a log on the cluster, kept there.

    Attributes
    ----------
    users, items : Numbering
    by_user, by_item : DataFrame
        Blocks, each a row of `recsys.spark.blocks.BLOCK_SCHEMA`; one for each partition.
    """

    users: Numbering
    items: Numbering
    by_user: DataFrame
    by_item: DataFrame

    @classmethod
    def of(
        cls,
        spark: SparkSession,
        events: DataFrame,
        users: Numbering,
        items: Numbering,
        *,
        rule: str,
        time_unit: str | None,
        is_number: bool,
    ) -> BlockedEntries:
        """Join the events of each pair into one entry, and lay the entries out by user and by item.

        Parameters
        ----------
        spark : SparkSession
        events : DataFrame
            As of `recsys.spark.reading.EventFrame`, numbered.
        users, items : Numbering
        rule : str
            Of `recsys.data.duplicates`.
        time_unit : str, optional
        is_number : bool
            Whether times are numbers that may be recognised as times.
        """
        wanted = ("user_part", "user_row", "item_row", "value", "time", "file", "block", "line")
        kept = events.select(*(name for name in wanted if name in events.columns))
        join = partial(_joined, users.cuts, len(items.ids), rule, time_unit, is_number)
        by_user = placed(
            kept.groupBy("user_part").applyInArrow(_on_group(join), BLOCK_SCHEMA), users.n_blocks
        )
        split = partial(_pieces, items.cuts)
        gather = partial(_gathered, items.cuts, len(users.ids))
        by_item = placed(
            by_user.mapInArrow(split, _PIECE_SCHEMA)
            .groupBy("part")
            .applyInArrow(_on_group(gather), BLOCK_SCHEMA),
            items.n_blocks,
        )
        return cls(users, items, by_user, by_item)

    def release(self) -> None:
        """Let the cluster forget the blocks."""
        self.by_item.unpersist()
        self.by_user.unpersist()

    def check_no_repeats(self) -> None:
        """Raise InputError if a pair has several events."""
        repeated = (
            self.by_user.filter("repeat_user >= 0").select("repeat_user", "repeat_item").limit(1).collect()
        )
        if repeated:
            user, item = self.users.ids[repeated[0][0]], self.items.ids[repeated[0][1]]
            raise InputError(
                f"user {user!r} and item {item!r} meet more than once, and duplicates is 'error'; choose "
                f"last, sum, mean, max or count."
            )

    def interactions(self, feedback: Feedback, folder: Path, *, has_times: bool) -> Interactions:
        """Return the entries for a bundle, mapped from files of a folder, which take no memory here.

        The files may be deleted while they are mapped.
        """
        sizes = self.by_user.select("part", "n_entries").toArrow().sort_by("part")
        n_entries = sizes.column("n_entries").to_numpy()
        starts = np.r_[0, np.cumsum(n_entries)]
        n_users = len(self.users.ids)
        indptr = np.zeros(n_users + 1, dtype=np.int64)
        arrays = {
            name: np.lib.format.open_memmap(
                folder / f"{name}.npy", mode="w+", dtype=dtype, shape=(int(starts[-1]),)
            )
            for name, dtype in (("columns", np.int32), ("values", np.float32), ("times", np.int64))
            if name != "times" or has_times
        }
        for row in self.by_user.toLocalIterator():
            span = slice(starts[row["part"]], starts[row["part"] + 1])
            first = row["first"]
            indptr[first + 1 : first + row["n_rows"] + 1] = (
                starts[row["part"]] + np.frombuffer(row["indptr"], np.int64)[1:]
            )
            for name, array in arrays.items():
                array[span] = np.frombuffer(row[name], array.dtype)
        rows = CompressedRows(indptr, arrays["columns"], arrays["values"], len(self.items.ids))
        return Interactions(rows, self.users.ids, self.items.ids, feedback, arrays.get("times"))


def placed(blocks: DataFrame, n_blocks: int) -> DataFrame:
    """Return blocks one to a partition, kept in memory and on disk."""
    from pyspark.storagelevel import StorageLevel

    by_id = getattr(blocks, "repartitionById", None)  # of Spark 4.1; before, two blocks may share a partition
    placed = by_id(n_blocks, "part") if by_id is not None else blocks.repartition(n_blocks, "part")
    kept: DataFrame = placed.persist(StorageLevel.MEMORY_AND_DISK)
    return kept


def _on_group(work: Callable[[pa.Table], pa.Table]) -> Callable[[pa.Table], pa.Table]:
    """Return work on a group as Spark takes it, which looks at the types of parameters."""

    def applied(group: pa.Table) -> pa.Table:
        return work(group)

    return applied


def _numpy(table: pa.Table, name: str) -> Any:
    return table.column(name).to_numpy()


def _joined(
    cuts: Int64Array, n_items: int, rule: str, time_unit: str | None, is_number: bool, events: pa.Table
) -> pa.Table:
    """Return the block of the events of a run of users."""
    order = np.lexsort([_numpy(events, name) for name in ("line", "block", "file")])
    users, items = _numpy(events, "user_row")[order], _numpy(events, "item_row")[order]
    part = int(parts_of(cuts, users[:1])[0])
    first, last = int(cuts[part]), int(cuts[part + 1])
    names = events.column_names
    values = _numpy(events, "value")[order] if "value" in names else np.ones(len(order))
    moments = _numpy(events, "time")[order] if "time" in names else None
    if moments is not None and is_number:
        moments = times.recognised(moments, time_unit)[0]
    keys = (users.astype(np.int64) - first) * n_items + items
    joined = JoinedPairs.of(keys, values, moments, rule)
    of_user, of_item = np.divmod(joined.keys, n_items)
    indptr = np.r_[0, np.cumsum(np.bincount(of_user, minlength=last - first))]
    repeats = np.flatnonzero(joined.n_events > 1)[:1]
    repeat = (int(of_user[repeats[0]]) + first, int(of_item[repeats[0]])) if len(repeats) else (-1, -1)
    rows = CompressedRows(indptr, of_item.astype(np.int32), joined.values, n_items)
    return Block(part, first, rows, joined.times, repeat).table()


def _pieces(cuts: Int64Array, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield of each block of users what belongs to each block of items."""
    for block in blocks_in(batches):
        part = parts_of(cuts, block.rows.columns)
        order = np.argsort(part, kind="stable")
        users = (block.rows.row_numbers + block.first).astype(np.int32)[order]
        items, values = block.rows.columns[order], block.rows.values[order]
        ends = np.r_[0, np.cumsum(np.bincount(part, minlength=len(cuts) - 1))]
        for number in np.flatnonzero(np.diff(ends)):
            span = slice(ends[number], ends[number + 1])
            yield pa.RecordBatch.from_pydict(
                {
                    "part": pa.array([number], pa.int32()),
                    "origin": pa.array([block.part], pa.int32()),
                    "rows": pa.array([items[span].tobytes()], pa.binary()),
                    "columns": pa.array([users[span].tobytes()], pa.binary()),
                    "values": pa.array([values[span].tobytes()], pa.binary()),
                }
            )


def _gathered(cuts: Int64Array, n_users: int, pieces: pa.Table) -> pa.Table:
    """Return the block of a run of items, of its pieces from all blocks of users."""
    pieces = pieces.sort_by("origin")  # users ascend from block to block, and inside of each

    def whole(name: str, dtype: Any) -> Any:
        return np.concatenate([np.frombuffer(part.as_py(), dtype) for part in pieces.column(name)])

    items, users, values = whole("rows", np.int32), whole("columns", np.int32), whole("values", np.float32)
    part = int(pieces.column("part")[0].as_py())
    first, last = int(cuts[part]), int(cuts[part + 1])
    order = np.argsort(items, kind="stable")
    indptr = np.r_[0, np.cumsum(np.bincount(items - first, minlength=last - first))]
    rows = CompressedRows(indptr, users[order], values[order], n_users)
    return Block(part, first, rows).table()
