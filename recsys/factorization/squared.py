"""Squared errors over the observed entries: for ratings, with or without biases.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, b and a the biases, c the entries' weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries, row_blocks, unit_of
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.held_out_errors import Bounds, rmse
from recsys.factorization.objective import Units
from recsys.factorization.penalty import Penalty, PenaltySchedule, RowPenalty
from recsys.factorization.validation import HeldOutEntries
from recsys.kernels.masked import sweep_masked
from recsys.typing import Float32Array, Float64Array

_LARGEST_ROOT = 4.0**31  # its square, the unit of values and biases, is still in single precision
_NO_WEIGHTS = np.empty(0, dtype=np.float32)
# Of the spread of the values: with biases the products start small, for the biases carry the level.
_BIASED_LEVEL = 0.1
_EQUAL = 1e-12  # a variance below this share of the mean square is rounding


@dataclass(frozen=True)
class SquaredObjective:
    """``1/2 sum_observed c (x - mean - b_u - a_i - w_u . h_i)^2`` plus penalties.

    Attributes
    ----------
    penalty : Penalty
    biases : bool
        Whether ``mean``, b and a are part of the model.
    bias_l2 : float
        Weight of ``1/2 b^2``.
    nonnegative : bool
    n_inner : int
        Coordinate passes over a row in one sweep.
    schedule : PenaltySchedule
    bounds : tuple of float, optional
        Least and largest value, inside which predictions are kept when held-out entries are measured.
    start_spread : float
        With biases: the mean product of a random start, in standard deviations of the values.
    """

    penalty: Penalty = field(default_factory=Penalty)
    biases: bool = False
    bias_l2: float = 0.0
    nonnegative: bool = True
    n_inner: int = 1
    schedule: PenaltySchedule = field(default_factory=PenaltySchedule)
    bounds: Bounds = None
    start_spread: float = _BIASED_LEVEL

    stores_sparse = False
    covers_all_cells = False
    stays_empty = False
    draws_scaled = False
    stream = "masked-factors"

    def __post_init__(self) -> None:
        self.penalty.check_bound(nonnegative=self.nonnegative)

    @property
    def transposed(self) -> Self:
        """The same with the two sides exchanged."""
        return replace(self, penalty=self.penalty.transposed)

    def with_passes(self, n_inner: int) -> Self:
        """Return the same with another number of coordinate passes."""
        return replace(self, n_inner=n_inner)

    def units(self, entries: Entries) -> Units:
        """Return the mean value's power of four, and its root for the factors."""
        unit = unit_of(entries.by_user.values)
        return Units(unit, float(np.sqrt(unit)), objective=unit**2)

    def row_units(self, rows: CompressedRows, weights: Float32Array | None, held: HeldSquared) -> Units:
        """Return the units of the side that is held."""
        return held.units

    def side(self, rows: CompressedRows, weights: Float32Array | None, units: Units) -> SquaredSide:
        """Return the rows of the user side, ready to be swept."""
        return SquaredSide(self, rows, weights, units)

    def hold_items(self, items: SideFactors, mean: float) -> HeldSquared:
        """Return items, in the units of the data, as any rows of users are swept against them."""
        factors = items.factors.dense()
        root = min(unit_of(np.abs(factors)), _LARGEST_ROOT)
        unit = root * root
        return HeldSquared(
            np.float32(mean / unit),
            factors / np.float32(root),
            items.bias / np.float32(unit),
            Units(unit, root),
        )

    def start_mean(self, entries: Entries) -> float:
        """Return the weighted mean of the values, or 0 without biases."""
        if not self.biases:
            return 0.0
        return float(np.average(entries.by_user.values.astype(np.float64), weights=entries.weights))

    def start_level(self, rows: CompressedRows) -> float:
        """Return the mean value, or with biases a tenth of the spread of the values."""
        mean = float(np.mean(rows.values, dtype=np.float64))
        if not self.biases:
            return mean
        square = float(np.einsum("i,i->", rows.values, rows.values, dtype=np.float64)) / len(rows.values)
        variance = square - mean**2
        if variance < _EQUAL * square:
            return 0.0  # all values are equal
        return self.start_spread * float(np.sqrt(variance))

    def given_start(self, factors: Factors) -> Factors:
        """Return given factors, without biases where the model has none."""
        return factors if self.biases else factors.without_bias()

    def held_out_error(self, factors: Factors, held_out: HeldOutEntries) -> float:
        """Return the root of the weighted mean squared error."""
        return rmse(factors, held_out, self.bounds)


@dataclass(frozen=True, eq=False)
class HeldSquared:
    """A side held: what a sweep of the opposite one needs of it, in ``units``."""

    mean: np.float32
    factors: Float32Array
    bias: Float32Array
    units: Units


class SquaredSide:
    """The rows of one side; see `recsys.factorization.objective.Side`."""

    is_complete = True
    n_sweeps = 0

    def __init__(
        self,
        objective: SquaredObjective,
        rows: CompressedRows,
        weights: Float32Array | None,
        units: Units,
    ) -> None:
        values = float(units.values)
        self.rows, self._units, self._objective = rows, units, objective
        self.penalty = objective.penalty.on_users(
            rows.counts,
            l2_unit=units.factors**2,
            l1_unit=values * units.factors,
            bias_l2=objective.bias_l2,
        )
        self.row_objectives: Float64Array = np.zeros(len(self.penalty.ridge))
        self._weights = _NO_WEIGHTS if weights is None else weights
        self._blocks = row_blocks(rows.indptr)
        self._value, self._factor = np.float32(values), np.float32(values / units.factors)

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return factors and biases in the units of the side."""
        return SideFactors.of(side.factors.dense() / self._factor, side.bias / self._value)

    def unscaled(self, side: SideFactors) -> SideFactors:
        """Return factors and biases in the units of the data."""
        return SideFactors.of(side.factors.dense() * self._factor, side.bias * self._value)

    def hold(self, side: SideFactors, mean: float) -> HeldSquared:
        """Return this side as the opposite one is swept against it."""
        return HeldSquared(np.float32(mean), side.factors.dense(), side.bias, self._units)

    def sweep(self, side: SideFactors, held: HeldSquared, penalty: RowPenalty) -> SideFactors:
        """Improve every row in place."""
        factors = side.factors.dense()
        sweep_masked(
            self._blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self._weights,
            np.float32(1.0 / float(self._units.values)),
            held.mean,
            factors,
            side.bias,
            held.factors,
            held.bias,
            self._objective.biases,
            penalty.ridge,
            penalty.bias_ridge,
            penalty.l1,
            np.float32(0.0 if self._objective.nonnegative else -np.inf),
            self._objective.n_inner,
            self.row_objectives,
        )
        return side

    def slopes(self, predictions: Float64Array, held: HeldSquared) -> Float64Array:
        """Return ``c (q - x)`` of each entry, (nnz,)."""
        errors = predictions - self.rows.values / float(self._units.values)
        return errors * self._weights if len(self._weights) else errors

    def absent_gradient(self, side: SideFactors, held: HeldSquared) -> None:
        """Return None: absent cells do not count."""

    def bias_gradient(self, side: SideFactors, slope_sums: Float64Array) -> Float64Array | None:
        """Return the gradient of the biases, (n_rows,); None without any."""
        if not self._objective.biases:
            return None
        return np.asarray(slope_sums + self.penalty.bias_ridge * side.bias.astype(np.float64))
