"""What a solver asks of an objective: everything that one loss answers otherwise than another.

A fit has two sides, users and items. An `Objective` is a frozen value; `Objective.side` makes of it and the
entries of one side a `Side`, whose rows are swept against the other side, held as it stands. Solvers are
written from the users' point of view: the items' is that of ``objective.transposed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.penalty import Penalty, PenaltySchedule, RowPenalty
from recsys.typing import Float32Array, Float64Array, Int64Array

if TYPE_CHECKING:
    from recsys.factorization.validation import HeldOutEntries


@dataclass(frozen=True, eq=False)
class Units:
    """The units in which values, factors and weights are worked on.

    In them no square leaves single precision. Powers of two, by which a division loses no bit.

    Attributes
    ----------
    values : float, or float64, (n_rows,)
        Of values and predictions; one a row where rows are not to depend on each other.
    factors : float
        Of the factors of the side that is held; those of the rows are then in ``values / factors``.
    weights : float
        Of the weights of entries.
    objective : float
        Of the objective.
    """

    values: float | Float64Array = 1.0
    factors: float = 1.0
    weights: float = 1.0
    objective: float = 1.0

    def of_rows(self, rows: Int64Array) -> Units:
        """Return the units of some rows."""
        values = self.values[rows] if isinstance(self.values, np.ndarray) else self.values
        return Units(values, self.factors, self.weights)


class Side(Protocol):
    """The rows of one side with all that sweeps over them need; factors are in the solver's scale.

    Attributes
    ----------
    rows : CompressedRows, (n_rows, n_columns)
    penalty : RowPenalty
    row_objectives : float64, (n_rows,)
        Loss and penalties of each row after a sweep.
    is_complete : bool
        Whether the last sweep examined every factor, those that were zero included: only then can it show
        that nothing moves any more.
    n_sweeps : int
        Sweeps over all rows that were done; what a sweep examines may go by it.
    """

    n_sweeps: int

    @property
    def rows(self) -> CompressedRows:
        """See above."""

    @property
    def penalty(self) -> RowPenalty:
        """See above."""

    @property
    def row_objectives(self) -> Float64Array:
        """See above."""

    @property
    def is_complete(self) -> bool:
        """See above."""

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return factors and biases in the units of the data as sweeps take them, in arrays of their own."""

    def unscaled(self, side: SideFactors) -> SideFactors:
        """Return what sweeps found in the units of the data."""

    def hold(self, side: SideFactors, mean: float) -> Any:
        """Return this side as the opposite one is swept against it, as it stands; ``mean`` is scaled."""

    def sweep(self, side: SideFactors, held: Any, penalty: RowPenalty) -> SideFactors:
        """Improve every row, in place or in new arrays; ``held`` is by the opposite side's `hold`."""

    def slopes(self, predictions: Float64Array, held: Any) -> Float64Array:
        """Return the slope of the loss by the prediction ``mean + b + a + w . h`` of each entry, (nnz,)."""

    def absent_gradient(self, side: SideFactors, held: Any) -> Float64Array | None:
        """Return what absent cells add to the gradient of the factors, (n_rows or 1, n_components)."""

    def bias_gradient(self, side: SideFactors, slope_sums: Float64Array) -> Float64Array | None:
        """Return the gradient of the biases, (n_rows,), given the slopes summed by row; None without any."""


class Objective(Protocol):
    """A loss over entries, or over all cells of the matrix, with its penalties; a frozen value."""

    @property
    def penalty(self) -> Penalty:
        """What factors cost."""

    @property
    def schedule(self) -> PenaltySchedule:
        """Sweeps at the beginning in which penalties do not have their values yet."""

    @property
    def nonnegative(self) -> bool:
        """Whether factors are to be 0 or more."""

    @property
    def stores_sparse(self) -> bool:
        """Whether a fit stores and sweeps factors by those that are not zero."""

    @property
    def covers_all_cells(self) -> bool:
        """Whether absent cells count: then a row's result depends on all rows of the side that is held."""

    @property
    def stays_empty(self) -> bool:
        """Whether a component that is zero on both sides stays so when a model is fitted further."""

    @property
    def draws_scaled(self) -> bool:
        """Whether a drawn start is in the solver's scale already, not in the units of the data."""

    @property
    def stream(self) -> str:
        """Name of the random numbers of a start."""

    @property
    def transposed(self) -> Self:
        """The same with the two sides exchanged."""

    def with_passes(self, n_inner: int) -> Self:
        """Return the same with another number of coordinate passes over a row in one sweep."""

    def units(self, entries: Entries) -> Units:
        """Return the units in which both sides of a fit are worked on."""

    def row_units(self, rows: CompressedRows, weights: Float32Array | None, held: Any) -> Units:
        """Return the units in which rows are fitted to a side that `hold_items` holds."""

    def side(self, rows: CompressedRows, weights: Float32Array | None, units: Units) -> Side:
        """Return the rows of the user side, ready to be swept."""

    def hold_items(self, items: SideFactors, mean: float) -> Any:
        """Return items, in the units of the data, as any rows of users are swept against them."""

    def start_mean(self, entries: Entries) -> float:
        """Return the constant part of predictions."""

    def start_level(self, rows: CompressedRows) -> float:
        """Return the mean product of factors to begin with."""

    def given_start(self, factors: Factors) -> Factors:
        """Return what of given factors, in the units of the data, a fit may begin with."""

    def held_out_error(self, factors: Factors, held_out: HeldOutEntries) -> float:
        """Return how far factors are from entries that a fit did not see; less is better."""
