"""Fits on the cluster of entries that the driver holds: they are sent there in blocks, and kept there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.engine import LocalEngine
from recsys.factorization.entries import Entries
from recsys.factorization.neighbor_problem import NeighborProblem, Weights
from recsys.factorization.objective import Objective, Side, Units
from recsys.factorization.squared import SquaredObjective
from recsys.factorization.weighted import WeightedObjective
from recsys.spark.blocks import Block, array_in, cuts_of
from recsys.spark.entries import placed
from recsys.spark.session import collected
from recsys.spark.sweeps import DistributedSide, as_they_are, objective_on_blocks
from recsys.typing import Int32Array, Int64Array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark import Broadcast
    from pyspark.sql import DataFrame, SparkSession

LEAST = 100
"""Entries, or items to explain, of which fewer are a matter of this process: a job costs more."""
_SOLVED = "owners binary, explaining binary, weights binary"


class DriverEngine:
    """Sweeps and solves on the cluster what this process holds; see `recsys.factorization.engine.Engine`.

    Objectives that cannot be swept in blocks, and entries with weights of their own, are swept here.

    Parameters
    ----------
    spark : SparkSession
    n_blocks : int
        Blocks of users, of items, and parts of the items to explain.
    """

    def __init__(self, spark: SparkSession, n_blocks: int) -> None:
        self._spark, self._n_blocks = spark, n_blocks
        self._kept: list[DataFrame] = []
        self._sent: tuple[NeighborProblem, Broadcast[NeighborProblem]] | None = None

    def sides(self, objective: Objective, entries: Entries, units: Units) -> tuple[Side, Side]:
        """Return the users and the items of entries, ready to be swept; see `Engine`."""
        in_blocks = isinstance(objective, (SquaredObjective, WeightedObjective))
        if not in_blocks or entries.weights is not None or entries.by_user.nnz < LEAST:
            return LocalEngine().sides(objective, entries, units)
        self.release()
        on_blocks = objective_on_blocks(objective, entries)
        return (
            self._side(objective.side(entries.by_user, None, units), on_blocks, units),
            self._side(objective.transposed.side(entries.by_item, None, units), on_blocks.transposed, units),
        )

    def neighbors(self, problem: NeighborProblem, targets: Int32Array) -> Weights:
        """Return the weights by which other items explain some, each part of the items solved by a task."""
        if len(targets) < LEAST:
            return problem.solved(targets)
        if self._sent is None or self._sent[0] is not problem:
            self.release()
            self._sent = problem, self._spark.sparkContext.broadcast(problem)
        n_parts = min(self._n_blocks, len(targets))
        # Every n-th: those side by side cost alike, the first ones most.
        work = partial(_solve_parts, self._sent[1], targets, n_parts)
        parts = self._spark.range(0, n_parts, 1, numPartitions=n_parts)
        solved = collected(parts.mapInArrow(work, _SOLVED))

        def whole(name: str, dtype: Any) -> Any:
            return np.concatenate([array_in(solved.column(name), row, dtype) for row in range(len(solved))])

        return whole("owners", np.int32), whole("explaining", np.int32), whole("weights", np.float32)

    def release(self) -> None:
        """Let the cluster forget what was sent for an earlier fit."""
        for frame in self._kept:
            frame.unpersist()
        self._kept.clear()
        if self._sent is not None:
            self._sent[1].destroy()
            self._sent = None

    def _side(self, side: Side, on_blocks: Objective, units: Units) -> DistributedSide:
        cuts = cuts_of(side.rows.counts, self._n_blocks)
        frame = placed(self._spark.createDataFrame(_blocks(side.rows, cuts)), len(cuts) - 1)
        self._kept.append(frame)
        return DistributedSide(side, on_blocks, units, frame, cuts, as_they_are)


def _blocks(rows: CompressedRows, cuts: Int64Array) -> pa.Table:
    """Return the blocks of rows, each a row of a table."""
    blocks = []
    for part, (first, after) in enumerate(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)):
        start, end = int(rows.indptr[first]), int(rows.indptr[after])
        own = CompressedRows(
            rows.indptr[first : after + 1] - start,
            rows.columns[start:end],
            rows.values[start:end],
            rows.n_columns,
        )
        blocks.append(Block(part, first, own).table())
    return pa.concat_tables(blocks)


def _solve_parts(
    sent: Broadcast[NeighborProblem], targets: Int32Array, n_parts: int, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Solve parts of the items on a worker."""
    for batch in batches:
        for part in batch.column(0).to_pylist():
            with threads.use(1):
                arrays = sent.value.solved(np.ascontiguousarray(targets[part::n_parts]))
            yield pa.RecordBatch.from_pydict(
                {
                    name: pa.array([array.tobytes()], pa.binary())
                    for name, array in zip(("owners", "explaining", "weights"), arrays, strict=True)
                }
            )
