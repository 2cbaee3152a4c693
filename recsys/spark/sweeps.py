"""Sweeps on the cluster: each block of rows is swept by the kernels of one machine, where the block lies.

A sweep is one job. What it needs goes out as broadcasts: the side that is held, to every worker that sweeps;
the rows' own factors and penalties in pieces, of which a worker opens that of its block. The factors come
back to the driver, which makes the Gram matrix and the objective of all of them in the order of one machine.
Rows do not depend on each other, so that the result has the same bits, however many blocks there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.factorization.entries import Entries
from recsys.factorization.factors import SideFactors
from recsys.factorization.neighbor_problem import NeighborProblem, Weights
from recsys.factorization.objective import Objective, Side, Units
from recsys.factorization.penalty import RowPenalty
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.weighted import WeightedObjective, WeightedScale
from recsys.factorization.weighted_sides import SparseWeightedSide
from recsys.spark.blocks import array_in, blocks_in
from recsys.spark.entries import BlockedEntries
from recsys.spark.session import collected
from recsys.typing import Float64Array, Int32Array, Int64Array

if TYPE_CHECKING:
    from pyspark import Broadcast
    from pyspark.sql import DataFrame

Counting = Callable[[CompressedRows], CompressedRows]
"""Makes of rows of the log the rows that a model is fitted to; each row on its own."""

_SWEPT = "first long, rank int, indptr binary, components binary, factors binary, bias binary, objectives binary, is_complete boolean"  # noqa: E501


@dataclass(frozen=True, eq=False)
class _Piece:
    """What a sweep begins with, of one block."""

    factors: SideFactors
    penalty: RowPenalty


class SparkEngine:
    """Sweeps the blocks of a log; see `recsys.factorization.engine.Engine`.

    Parameters
    ----------
    blocked : BlockedEntries
        The entries of the log that models are fitted to.
    counting : callable
        What the model makes of rows of the log.
    """

    def __init__(self, blocked: BlockedEntries, counting: Counting) -> None:
        self._blocked, self._counting = blocked, counting

    def sides(self, objective: Objective, entries: Entries, units: Units) -> tuple[Side, Side]:
        """Return the users and the items of entries, which must be those of the blocks."""
        if entries.weights is not None:
            raise ModelError("the Spark engine fits entries without weights.")
        on_blocks, both = objective_on_blocks(objective, entries), self._blocked
        return (
            DistributedSide(
                objective.side(entries.by_user, None, units),
                on_blocks, units, both.by_user, both.users.cuts, self._counting,
            ),
            DistributedSide(
                objective.transposed.side(entries.by_item, None, units),
                on_blocks.transposed, units, both.by_item, both.items.cuts, self._counting,
            ),
        )  # fmt: skip

    def neighbors(self, problem: NeighborProblem, targets: Int32Array) -> Weights:
        """Return the weights by which other items explain some, computed here."""
        return problem.solved(targets)


def as_they_are(rows: CompressedRows) -> CompressedRows:
    """Return rows unchanged."""
    return rows


def objective_on_blocks(objective: Objective, entries: Entries) -> Objective:
    """Return an objective for blocks of entries: they are swept relative to the activity of all users."""
    if isinstance(objective, WeightedObjective) and objective.scale is None:
        return replace(objective, scale=WeightedScale.of(entries))
    return objective


class DistributedSide:
    """The rows of one side in blocks on the cluster; see `recsys.factorization.objective.Side`.

    Parameters
    ----------
    side : Side
        The same rows here, by which all but sweeps is answered.
    objective : Objective
        From the point of view of the side, for blocks of it.
    units : Units
    blocks : DataFrame
    cuts : int64, (n_blocks + 1,)
        The first row of each block, and the number of rows.
    counting : callable
    """

    def __init__(
        self,
        side: Side,
        objective: Objective,
        units: Units,
        blocks: DataFrame,
        cuts: Int64Array,
        counting: Counting,
    ) -> None:
        self._side, self._objective, self._units = side, objective, units
        self._blocks, self._cuts, self._counting = blocks, cuts, counting
        self.rows, self.penalty = side.rows, side.penalty
        self.row_objectives: Float64Array = np.zeros(side.rows.n_rows)
        self.is_complete = True
        self.n_sweeps = 0

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return factors as sweeps take them."""
        return self._side.scaled(side)

    def unscaled(self, side: SideFactors) -> SideFactors:
        """Return factors in the units of the data."""
        return self._side.unscaled(side)

    def hold(self, side: SideFactors, mean: float) -> Any:
        """Return this side as the opposite one is swept against it."""
        return self._side.hold(side, mean)

    def slopes(self, predictions: Float64Array, held: Any) -> Float64Array:
        """Return the slope of the loss of each entry."""
        return self._side.slopes(predictions, held)

    def absent_gradient(self, side: SideFactors, held: Any) -> Float64Array | None:
        """Return what absent cells add to the gradient."""
        return self._side.absent_gradient(side, held)

    def bias_gradient(self, side: SideFactors, slope_sums: Float64Array) -> Float64Array | None:
        """Return the gradient of the biases."""
        return self._side.bias_gradient(side, slope_sums)

    def sweep(self, side: SideFactors, held: Any, penalty: RowPenalty) -> SideFactors:
        """Improve every row where it lies, and return all of them."""
        context = self._blocks.sparkSession.sparkContext
        sent: list[Broadcast[Any]] = [context.broadcast(held)]
        for first, last in zip(self._cuts[:-1], self._cuts[1:], strict=True):
            sent.append(context.broadcast(_piece(side, penalty, int(first), int(last))))
        work = partial(
            sweep_blocks, self._objective, self._units, self._counting, self.n_sweeps, self._cuts[:-1], *sent
        )
        try:
            swept = collected(self._blocks.mapInArrow(work, _SWEPT))
        finally:
            for broadcast in sent:
                broadcast.destroy()
        self.n_sweeps += 1
        self.is_complete = all(swept.column("is_complete").to_pylist())
        return self._collected(swept, side)

    def _collected(self, swept: pa.Table, before: SideFactors) -> SideFactors:
        order = np.argsort(swept.column("first").to_numpy(), kind="stable")

        def parts(name: str, dtype: Any) -> list[Any]:
            column = swept.column(name)
            return [array_in(column, int(row), dtype) for row in order]

        self.row_objectives = np.concatenate(parts("objectives", np.float64))
        bias = np.concatenate(parts("bias", np.float32))
        rank = before.factors.shape[1]
        if before.factors.is_sparse:
            factors: Any = SparseFactors.concatenated(
                [
                    SparseFactors(indptr, components, values, rank)
                    for indptr, components, values in zip(
                        parts("indptr", np.int64),
                        parts("components", np.uint16),
                        parts("factors", np.float32),
                        strict=True,
                    )
                ]
            )
        else:
            factors = np.concatenate(parts("factors", np.float32)).reshape(-1, rank)
        return SideFactors.of(factors, bias)


def _piece(side: SideFactors, penalty: RowPenalty, first: int, last: int) -> _Piece:
    """Return what a sweep of some rows begins with."""
    rows = np.arange(first, last)
    return _Piece(
        side.select(rows), RowPenalty(penalty.ridge[first:last], penalty.l1, penalty.bias_ridge[first:last])
    )


def sweep_blocks(
    objective: Objective,
    units: Units,
    counting: Counting,
    n_sweeps: int,
    firsts: Any,
    held: Broadcast[Any],
    *arguments: Any,
) -> Iterator[pa.RecordBatch]:
    """Sweep blocks on a worker; the arguments are pieces, and at last the batches of blocks."""
    *pieces, batches = arguments
    for block in blocks_in(batches):
        number = int(np.searchsorted(firsts, block.first))
        piece: _Piece = pieces[number].value
        side = objective.side(counting(block.rows), None, units)
        if isinstance(side, SparseWeightedSide):
            side.n_sweeps = n_sweeps
        # What a broadcast holds is there for the next task, too: it is not to be changed.
        with threads.use(1):
            swept = side.sweep(piece.factors.copy(), held.value, piece.penalty)
        factors = swept.factors
        yield pa.RecordBatch.from_pydict(
            {
                "first": pa.array([block.first], pa.int64()),
                "rank": pa.array([factors.shape[1]], pa.int32()),
                "indptr": _bytes(factors.indptr if isinstance(factors, SparseFactors) else None),
                "components": _bytes(factors.components if isinstance(factors, SparseFactors) else None),
                "factors": _bytes(factors.values if isinstance(factors, SparseFactors) else factors.dense()),
                "bias": _bytes(swept.bias),
                "objectives": _bytes(side.row_objectives),
                "is_complete": pa.array([side.is_complete], pa.bool_()),
            }
        )


def _bytes(array: Any) -> pa.Array:
    return pa.array([None if array is None else array.tobytes()], pa.binary())
