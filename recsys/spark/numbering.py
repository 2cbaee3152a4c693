"""From ids to row numbers: the numbers that one machine gives, and the block that each row is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys.data.id_column import numbered
from recsys.data.ids import Ids, encode
from recsys.remarks import Remark
from recsys.spark.blocks import cuts_of, parts_of
from recsys.spark.session import collected
from recsys.typing import Int64Array

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BROADCAST = 2_000_000  # ids of which a table goes to every worker; more of them are joined by a shuffle


@dataclass(frozen=True, eq=False)
class Numbering:
    """The ids of one side, and how many events each has.

    Attributes
    ----------
    ids : Ids
        In the order of `recsys.load_log`: integers by size, text by code points.
    counts : int64, (n_ids,)
        Events of each.
    cuts : int64, (n_blocks + 1,)
        The first row of each block, and the number of rows.
    spelled : pa.Array
        Each id as it is spelled in the log, which may be more than one for an id.
    numbers : int64, (n_spelled,)
        The row of each of these.
    remarks : tuple of Remark
    """

    ids: Ids
    counts: Int64Array
    cuts: Int64Array
    spelled: pa.Array
    numbers: Int64Array
    remarks: tuple[Remark, ...] = ()

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return len(self.cuts) - 1

    @classmethod
    def of(
        cls,
        events: DataFrame,
        role: str,
        n_blocks: int,
        *,
        is_text: bool,
        rules: Sequence[str],
        separator: str | None,
    ) -> Numbering:
        """Count the events of each id on the cluster, and number the ids here."""
        counted = collected(events.groupBy(role).count())
        spelled, n_events = counted.column(role).combine_chunks(), counted.column("count").to_numpy()
        if is_text:
            texts = spelled.cast(pa.large_string())
            rows, ids, remarks = numbered(texts, role, rules, separator)
        else:
            codes, ids = encode(spelled.to_numpy())
            rows, remarks = codes.astype(np.int32), ()
        counts = np.bincount(rows, n_events, minlength=len(ids)).astype(np.int64)
        return cls(ids, counts, cuts_of(counts, n_blocks), spelled, rows.astype(np.int64), remarks)

    def joined(self, spark: SparkSession, events: DataFrame, role: str) -> DataFrame:
        """Return events with the number of a row in place of its id, and the block of the row."""
        from pyspark.sql import functions as fn

        table = pa.table(
            {
                role: self.spelled,
                f"{role}_row": pa.array(self.numbers.astype(np.int32)),
                f"{role}_part": pa.array(parts_of(self.cuts, self.numbers)),
            }
        )
        numbers: Any = spark.createDataFrame(table)
        if len(self.spelled) <= _BROADCAST:
            numbers = fn.broadcast(numbers)
        return events.join(numbers, role).drop(role)
