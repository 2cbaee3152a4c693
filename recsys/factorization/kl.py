"""Generalized Kullback-Leibler divergence: for counts and amounts, observed entries or the whole matrix.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, c the weights of the entries.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.factorization.entries import Entries, row_blocks, unit_of, units_of_rows
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.held_out_errors import KL_FLOOR, Bounds, mean_divergence, ranking_loss
from recsys.factorization.objective import Units
from recsys.factorization.penalty import Penalty, PenaltySchedule, RowPenalty
from recsys.factorization.validation import HeldOutEntries
from recsys.kernels.kl import sweep_kl
from recsys.typing import Float32Array, Float64Array

_NO_WEIGHTS = np.empty(0, dtype=np.float32)
_NO_SUMS = np.empty(0, dtype=np.float64)


@dataclass(frozen=True)
class KLObjective:
    """``sum_observed c (x log(x / q) - x + q)`` plus penalties; ``q = w_u . h_i`` plus `KL_FLOOR`.

    Where x is 0, ``x log x`` is 0. With ``all_cells`` an absent cell is a count of 0, and
    ``sum_all w_u . h_i`` takes the place of the observed ``q``. Without penalties this is the likelihood of
    Poisson counts (Lee & Seung 2001, section 2), and over all cells its minimum is that of probabilistic
    latent semantic analysis (Hofmann 1999; Gaussier & Goutte 2005, on why these are one).

    Attributes
    ----------
    penalty : Penalty
    all_cells : bool
        Whether absent cells count as zeros. Values are then above 0, and weights part of them.
    n_inner : int
        Coordinate passes over a row in one sweep.
    bounds : tuple of float, optional
        Least and largest value, inside which predictions are kept when held-out entries are measured.
    """

    penalty: Penalty = field(default_factory=Penalty)
    all_cells: bool = False
    n_inner: int = 1
    bounds: Bounds = None

    nonnegative = True
    stores_sparse = False
    stays_empty = False
    draws_scaled = False
    schedule = PenaltySchedule()

    @property
    def covers_all_cells(self) -> bool:
        """Whether absent cells count."""
        return self.all_cells

    @property
    def stream(self) -> str:
        """Name of the random numbers of a start."""
        return "poisson-factors" if self.all_cells else "masked-factors"

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
        weights = _weight_unit(entries.weights)
        return Units(unit, float(np.sqrt(unit)), weights, objective=unit * weights)

    def row_units(self, rows: CompressedRows, weights: Float32Array | None, held: HeldKL) -> Units:
        """Return a unit for each row: neither it nor the floor then depends on the other rows."""
        return Units(units_of_rows(rows), held.unit, _weight_unit(weights))

    def side(self, rows: CompressedRows, weights: Float32Array | None, units: Units) -> KLSide:
        """Return the rows of the user side, ready to be swept.

        Raises
        ------
        InputError
            If a value or a weight is negative, or the number of weights is not that of the entries.
        """
        return KLSide(self, rows, _checked_weights(rows, weights), units)

    def hold_items(self, items: SideFactors, mean: float) -> HeldKL:
        """Return items, in the units of the data, as any rows of users are swept against them."""
        factors = items.factors.dense()
        unit = unit_of(factors)
        return self.held(factors / np.float32(unit), unit)

    def held(self, factors: Float32Array, unit: float) -> HeldKL:
        """Return scaled factors of a side as the opposite one is swept against it."""
        sums = factors.sum(axis=0, dtype=np.float64) if self.all_cells else _NO_SUMS
        return HeldKL(factors, np.asarray(sums), unit)

    def start_mean(self, entries: Entries) -> float:
        """Return 0: predictions are products alone."""
        return 0.0

    def start_level(self, rows: CompressedRows) -> float:
        """Return the mean of the values that count."""
        if not self.all_cells:
            return float(np.mean(rows.values, dtype=np.float64))
        return float(np.sum(rows.values, dtype=np.float64)) / (rows.n_rows * rows.n_columns)

    def given_start(self, factors: Factors) -> Factors:
        """Return given factors without biases."""
        return factors.without_bias()

    def held_out_error(self, factors: Factors, held_out: HeldOutEntries) -> float:
        """Return the mean divergence or, where all cells count, `ranking_loss`."""
        if self.all_cells:
            return ranking_loss(factors, held_out)
        return mean_divergence(factors, held_out, self.bounds)


@dataclass(frozen=True, eq=False)
class HeldKL:
    """A side held: its factors in ``unit``, (n_rows, rank), and their sums, (rank,) or (0,)."""

    factors: Float32Array
    sums: Float64Array
    unit: float


class KLSide:
    """The rows of one side; see `recsys.factorization.objective.Side`."""

    is_complete = True
    n_sweeps = 0

    def __init__(
        self, objective: KLObjective, rows: CompressedRows, weights: Float32Array, units: Units
    ) -> None:
        of_values = np.broadcast_to(np.asarray(units.values, dtype=np.float64), rows.n_rows)
        values = rows.values / np.repeat(of_values, rows.counts)
        # A value that leaves single precision on the way is as good as absent, but zero it must not be.
        values = np.where(rows.values > 0, np.maximum(values, np.finfo(np.float32).tiny), 0.0)
        self.rows = rows.with_values(values.astype(np.float32))
        self.penalty = objective.penalty.on_users(
            rows.counts,
            l2_unit=units.factors**2 * units.weights / of_values,
            l1_unit=units.factors * units.weights,
        )
        self.row_objectives: Float64Array = np.zeros(rows.n_rows)
        self._objective, self._units = objective, units
        self._weights = weights / np.float32(units.weights)
        self._blocks = row_blocks(rows.indptr)
        self._scale = of_values / units.factors

    def scaled(self, side: SideFactors) -> SideFactors:
        """Return factors in the units of the side; biases are zero."""
        return SideFactors.of((side.factors.dense() / self._scale[:, None]).astype(np.float32))

    def unscaled(self, side: SideFactors) -> SideFactors:
        """Return factors in the units of the data."""
        return SideFactors.of((side.factors.dense() * self._scale[:, None]).astype(np.float32))

    def hold(self, side: SideFactors, mean: float) -> HeldKL:
        """Return this side as the opposite one is swept against it."""
        return self._objective.held(side.factors.dense(), self._units.factors)

    def sweep(self, side: SideFactors, held: HeldKL, penalty: RowPenalty) -> SideFactors:
        """Improve every row in place."""
        sweep_kl(
            self._blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self._weights,
            side.factors.dense(),
            held.factors,
            held.sums,
            penalty.ridge,
            penalty.l1,
            np.float32(KL_FLOOR),
            self._objective.n_inner,
            self.row_objectives,
        )
        return side

    def slopes(self, predictions: Float64Array, held: HeldKL) -> Float64Array:
        """Return ``c (1 - x / q)``, or ``-x / q`` where all cells count, of each entry, (nnz,)."""
        slopes = np.asarray(-self.rows.values / (predictions + KL_FLOOR), dtype=np.float64)
        if not self._objective.all_cells:
            slopes += 1.0
        return slopes * self._weights if len(self._weights) else slopes

    def absent_gradient(self, side: SideFactors, held: HeldKL) -> Float64Array | None:
        """Return the sums of the side that is held, where all cells count, (1, rank)."""
        return held.sums[None, :] if self._objective.all_cells else None

    def bias_gradient(self, side: SideFactors, slope_sums: Float64Array) -> None:
        """Return None: there are no biases."""


def _weight_unit(weights: Float32Array | None) -> float:
    return 1.0 if weights is None or len(weights) == 0 else unit_of(weights)


def _checked_weights(rows: CompressedRows, weights: Float32Array | None) -> Float32Array:
    """Return the weights as the kernel takes them: none at all for all ones."""
    if rows.nnz and float(rows.values.min()) < 0:
        raise InputError(
            f"found the value {float(rows.values.min()):g}; the Kullback-Leibler divergence is defined "
            f"for values of 0 or above. Drop or shift the negative ones, or use the squared loss."
        )
    if weights is None:
        return _NO_WEIGHTS
    weights = np.ascontiguousarray(weights, dtype=np.float32)
    if weights.shape != (rows.nnz,):
        raise InputError(f"found weights of shape {weights.shape}; expected one an entry, ({rows.nnz},).")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError("found a weight that is negative or not a finite number; expected 0 or above.")
    return weights
