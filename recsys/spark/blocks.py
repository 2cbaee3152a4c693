"""Blocks of rows of entries: what a partition of the cluster holds, as a record of Arrow.

A block is a run of users, or of items, with all their entries. It travels as one row whose columns are the
bytes of its arrays, so that a worker has them without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from recsys.data.rows import CompressedRows
from recsys.typing import AnyArray, Int64Array

BLOCK_SCHEMA = (
    "part int, first long, n_rows long, n_columns long, n_entries long, "
    "indptr binary, columns binary, values binary, times binary, repeat_user int, repeat_item int"
)
"""Columns of a block; ``repeat_user`` and ``repeat_item`` are a pair that has several events, or -1."""


@dataclass(frozen=True, eq=False)
class Block:
    """The entries of a run of rows.

    Attributes
    ----------
    part : int
        Number of the block.
    first : int
        Number of its first row.
    rows : CompressedRows, (n_rows, n_columns)
    times : int64, (nnz,), optional
    repeat : (int, int)
        A row and a column that met more than once, or -1 and -1.
    """

    part: int
    first: int
    rows: CompressedRows
    times: Int64Array | None = None
    repeat: tuple[int, int] = (-1, -1)

    @property
    def span(self) -> slice:
        """Its rows among all."""
        return slice(self.first, self.first + self.rows.n_rows)

    def record(self) -> dict[str, Any]:
        """Return the columns of `BLOCK_SCHEMA`."""
        return {
            "part": self.part,
            "first": self.first,
            "n_rows": self.rows.n_rows,
            "n_columns": self.rows.n_columns,
            "n_entries": self.rows.nnz,
            "indptr": self.rows.indptr.tobytes(),
            "columns": self.rows.columns.tobytes(),
            "values": self.rows.values.tobytes(),
            "times": None if self.times is None else self.times.tobytes(),
            "repeat_user": self.repeat[0],
            "repeat_item": self.repeat[1],
        }

    def table(self) -> pa.Table:
        """Return the block as a table of one row."""
        return pa.Table.from_pylist([self.record()], schema=ARROW_BLOCK)


ARROW_BLOCK = pa.schema(
    [
        ("part", pa.int32()),
        *((name, pa.int64()) for name in ("first", "n_rows", "n_columns", "n_entries")),
        *((name, pa.binary()) for name in ("indptr", "columns", "values", "times")),
        ("repeat_user", pa.int32()),
        ("repeat_item", pa.int32()),
    ]
)


def array_in(column: pa.Array | pa.ChunkedArray, row: int, dtype: Any) -> Any:
    """Return the array whose bytes a cell holds; it may not be written."""
    return np.frombuffer(column[row].as_buffer(), dtype=dtype)


def blocks_in(batches: Iterable[pa.RecordBatch | pa.Table]) -> Iterator[Block]:
    """Yield the blocks of batches of records."""
    for batch in batches:
        for row in range(batch.num_rows):

            def cell(name: str, batch: Any = batch, row: int = row) -> Any:
                return batch.column(name)[row].as_py()

            times = batch.column("times")
            rows = CompressedRows(
                array_in(batch.column("indptr"), row, np.int64),
                array_in(batch.column("columns"), row, np.int32),
                array_in(batch.column("values"), row, np.float32),
                cell("n_columns"),
            )
            yield Block(
                cell("part"),
                cell("first"),
                rows,
                array_in(times, row, np.int64) if times[row].is_valid else None,
                (cell("repeat_user"), cell("repeat_item")),
            )


def cuts_of(counts: Int64Array, n_parts: int) -> Int64Array:
    """Cut rows into runs of about as many events, none of them empty.

    Parameters
    ----------
    counts : int64, (n_rows,)
    n_parts : int
        Most runs to make.

    Returns
    -------
    int64, (n + 1,)
        Ascending from 0 to n_rows. A row that has more events than a run should is a run with its neighbours.
    """
    ends = np.r_[0, np.cumsum(counts)]
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], n_parts + 1))
    cuts[0], cuts[-1] = 0, len(counts)
    return np.unique(cuts).astype(np.int64)


def parts_of(cuts: Int64Array, rows: AnyArray) -> AnyArray:
    """Return the number of the run that each row is in."""
    return (np.searchsorted(cuts, rows, side="right") - 1).astype(np.int32)
