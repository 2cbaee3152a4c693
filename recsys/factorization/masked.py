"""Masked factorization: only observed entries count.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, b and a the biases.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.factorization.factors import UNBOUNDED, Factors, nonzero_share, predictions
from recsys.factorization.gradient import projected_squares
from recsys.factorization.sharing import row_blocks
from recsys.factorization.units import unit_of
from recsys.kernels.masked import sweep_masked
from recsys.kernels.masked_gram import sweep_masked_gram
from recsys.typing import Float32Array, Float64Array


@dataclass(frozen=True)
class MaskedObjective:
    """``1/2 sum_observed (x - mean - b_u - a_i - w_u . h_i)^2`` plus penalties.

    Attributes
    ----------
    l2 : float
        Weight of ``1/2 n^nu ||w||^2``, n being the row's number of entries.
    l2_exponent : float
        nu; 1 is ALS-WR (Zhou, Wilkinson, Schreiber & Pan 2008, section 3.1), 0 plain ridge.
    l1 : float
        Weight of the sum of the factors: of users, and of items unless ``item_l1`` says otherwise.
    bias_l2 : float
        Weight of ``1/2 b^2``.
    biases : bool
        Whether ``mean``, b and a are part of the model.
    nonnegative : bool
    n_inner : int
        Coordinate passes over a row in one sweep.
    item_l1 : float, optional
        Weight of the sum of the item factors, where it is another.
    warm_up : int
        Iterations in which ``l2`` falls from three times its value to it, evenly. Themes for which
        the data speaks loudest settle first; with all free at once, the first sweeps fit noise that
        later ones have to unlearn.
    l1_rise : int
        Iterations in which ``l1`` rises from nothing to its value, evenly: a start is too small and too
        even for themes to hold their own against the whole of it.
    """

    l2: float
    l2_exponent: float
    l1: float
    bias_l2: float
    biases: bool
    nonnegative: bool = True
    n_inner: int = 1
    item_l1: float | None = None
    warm_up: int = 0
    l1_rise: int = 0

    def __post_init__(self) -> None:
        if max(self.l1, self.item_l1 or 0) > 0 and not self.nonnegative:
            raise ParameterError("an l1 penalty needs non-negative factors here.")

    @property
    def of_items(self) -> MaskedObjective:
        """The same with the item side's ``l1``."""
        return self if self.item_l1 is None else replace(self, l1=self.item_l1, item_l1=None)


_HEAVIEST = 1e30  # weight of a penalty: more would leave single precision
_WARM_FACTOR = 3.0  # what l2 is multiplied by in the first iteration of a warm-up
_GRAM_RANK = 48  # up to here the Gram form is the faster one (tests/benchmarks)
_NO_WEIGHTS = np.empty(0, dtype=np.float32)


class MaskedSide:
    """One side's entries with all that its sweeps need; values are divided by ``unit`` on the way.

    Factors and biases are in that unit: `MaskedProblem` converts them.
    """

    def __init__(
        self,
        rows: CompressedRows,
        objective: MaskedObjective,
        unit: float,
        weights: Float32Array | None = None,
    ) -> None:
        counts = rows.counts.astype(np.float64)
        powers = np.where(counts > 0, counts, 1.0) ** objective.l2_exponent
        self.rows = rows
        self.weights = _NO_WEIGHTS if weights is None else weights
        self.blocks = row_blocks(rows.indptr)
        self.ridge = np.minimum(objective.l2 / unit * powers, _HEAVIEST).astype(np.float32)
        self.bias_ridge = np.full(rows.n_rows, min(objective.bias_l2, _HEAVIEST), dtype=np.float32)
        self.l1 = np.float32(min(objective.l1 / unit**1.5, _HEAVIEST))
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._scale = np.float32(1.0 / unit)
        self._objective = objective

    def sweep(
        self,
        mean: float,
        own: Float32Array,
        own_bias: Float32Array,
        other: Float32Array,
        other_bias: Float32Array,
        strength: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Improve the rows; ``strength`` is what l2 and l1 are multiplied by."""
        form = sweep_masked_gram if own.shape[1] <= _GRAM_RANK else sweep_masked
        form(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.weights,
            self._scale,
            np.float32(mean),
            own,
            own_bias,
            other,
            other_bias,
            self._objective.biases,
            self.ridge * np.float32(strength[0]),
            self.bias_ridge,
            np.float32(self.l1 * strength[1]),
            np.float32(0.0 if self._objective.nonnegative else UNBOUNDED),
            self._objective.n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array, own_bias: Float32Array, strength: tuple[float, float]) -> float:
        """Return what factors and biases cost; ``strength`` as in `sweep`."""
        return float(
            0.5 * strength[0] * np.dot(self.ridge, np.einsum("rf,rf->r", own, own, dtype=np.float64))
            + strength[1] * self.l1 * np.sum(np.abs(own), dtype=np.float64)
            + 0.5 * np.sum(self.bias_ridge * own_bias.astype(np.float64) ** 2)
        )


class MaskedProblem:
    """The two sides and the factors between them, in units of `unit_of`.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        The same entries from both sides.
    objective : MaskedObjective
    start : Factors
        Left as it is.
    weights : float32, (nnz,), optional
        0 or more; the weight of each entry of ``by_user``.
    """

    looked_at_all = True

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: MaskedObjective,
        start: Factors,
        weights: Float32Array | None = None,
    ) -> None:
        self.unit = unit_of(by_user.values)
        self._root = np.float32(np.sqrt(self.unit))
        unit = np.float32(self.unit)
        self._objective, self._weights = objective, weights
        self._rows = by_user
        turned = None if weights is None else by_user.with_values(weights).transposed().values
        self._users = MaskedSide(by_user, objective, self.unit, weights)
        self._items = MaskedSide(by_item, objective.of_items, self.unit, turned)
        self._n_done = 0
        self._factors = Factors(
            start.mean / self.unit,
            start.user_factors / self._root,
            start.item_factors / self._root,
            start.user_bias / unit,
            start.item_bias / unit,
        )

    @property
    def n_settling(self) -> int:
        """Iterations at the beginning whose objectives do not compare: the penalties change."""
        return max(self._objective.warm_up, self._objective.l1_rise)

    @property
    def _strength(self) -> tuple[float, float]:
        """What ``l2`` and ``l1`` are multiplied by in this iteration."""
        warm_up, rise, n_done = self._objective.warm_up, self._objective.l1_rise, self._n_done
        left = (warm_up - n_done) / warm_up if n_done < warm_up else 0.0
        return 1.0 + (_WARM_FACTOR - 1.0) * left, n_done / rise if n_done < rise else 1.0

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        at = self._factors
        self._users.sweep(
            at.mean, at.user_factors, at.user_bias, at.item_factors, at.item_bias, self._strength
        )

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        at, strength = self._factors, self._strength
        self._items.sweep(at.mean, at.item_factors, at.item_bias, at.user_factors, at.user_bias, strength)
        total = float(np.sum(self._items.slots))
        total += self._users.penalty(at.user_factors, at.user_bias, strength)
        self._n_done += 1
        # A bound at zero turns what is no number into 0, but the user sweep's own objective shows it.
        return total * self.unit**2 if np.isfinite(np.sum(self._users.slots)) else float("nan")

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self._factors.user_factors, self._factors.item_factors)

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides; see `projected_squares`."""
        at, objective = self._factors, self._objective
        predicted = predictions(at, self._rows.row_numbers, self._rows.columns)
        slopes = self._rows.to_scipy().astype(np.float64)
        slopes.data = (predicted - slopes.data / self.unit) * (
            1.0 if self._weights is None else self._weights
        )
        total = 0.0
        for side, matrix, own, other, bias in (
            (objective, slopes, at.user_factors, at.item_factors, at.user_bias),
            (objective.of_items, slopes.T.tocsr(), at.item_factors, at.user_factors, at.item_bias),
        ):
            counts = np.diff(matrix.indptr).astype(np.float64)
            ridge = np.where(counts > 0, side.l2 / self.unit * np.maximum(counts, 1) ** side.l2_exponent, 0.0)
            l1 = side.l1 / self.unit**1.5
            total += projected_squares(matrix, own, other, ridge, l1, nonnegative=side.nonnegative)
            if side.biases:
                total += float(np.sum((matrix.sum(axis=1) + side.bias_l2 * bias) ** 2))
        return float(np.sqrt(total))

    def factors(self) -> Factors:
        """Return the factors in the units of the data."""
        at, unit = self._factors, np.float32(self.unit)
        return Factors(
            at.mean * self.unit,
            at.user_factors * self._root,
            at.item_factors * self._root,
            at.user_bias * unit,
            at.item_bias * unit,
        )
