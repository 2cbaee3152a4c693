"""Masked factorization: only observed entries count.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, b and a the biases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.errors import ParameterError
from recsys.factorization.descent import History, descend
from recsys.factorization.factors import UNBOUNDED, nonzero_share
from recsys.factorization.sharing import row_blocks
from recsys.kernels.masked import sweep_masked
from recsys.progress import SILENT, Progress
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
        Weight of the sum of all factors.
    bias_l2 : float
        Weight of ``1/2 b^2``.
    biases : bool
        Whether ``mean``, b and a are part of the model.
    nonnegative : bool
    n_inner : int
        Coordinate passes over a row in one sweep.
    """

    l2: float
    l2_exponent: float
    l1: float
    bias_l2: float
    biases: bool
    nonnegative: bool = True
    n_inner: int = 1

    def __post_init__(self) -> None:
        if self.l1 > 0 and not self.nonnegative:
            raise ParameterError("an l1 penalty needs non-negative factors here.")


@dataclass
class MaskedFactors:
    """What is learned.

    Attributes
    ----------
    mean : float
    user_factors, item_factors : float32, (n_users, rank), (n_items, rank)
    user_bias, item_bias : float32, (n_users,), (n_items,)
    """

    mean: float
    user_factors: Float32Array
    item_factors: Float32Array
    user_bias: Float32Array
    item_bias: Float32Array


class _Side:
    """One side's entries with all that its sweeps need."""

    def __init__(self, rows: CompressedRows, objective: MaskedObjective, scale: float) -> None:
        counts = rows.counts.astype(np.float64)
        powers = np.where(counts > 0, counts, 1.0) ** objective.l2_exponent
        self.rows = rows
        self.blocks = row_blocks(rows.indptr)
        self.ridge = (objective.l2 / scale * powers).astype(np.float32)
        self.bias_ridge = np.full(rows.n_rows, objective.bias_l2, dtype=np.float32)
        self.l1 = np.float32(objective.l1 / scale**1.5)
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._objective = objective

    def sweep(
        self,
        mean: float,
        own: Float32Array,
        own_bias: Float32Array,
        other: Float32Array,
        other_bias: Float32Array,
    ) -> None:
        sweep_masked(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            np.float32(mean),
            own,
            own_bias,
            other,
            other_bias,
            self._objective.biases,
            self.ridge,
            self.bias_ridge,
            self.l1,
            np.float32(0.0 if self._objective.nonnegative else UNBOUNDED),
            self._objective.n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array, own_bias: Float32Array) -> float:
        factors = own.astype(np.float64)
        return float(
            0.5 * np.sum(self.ridge * np.sum(factors**2, axis=1))
            + self.l1 * np.sum(np.abs(factors))
            + 0.5 * np.sum(self.bias_ridge * own_bias.astype(np.float64) ** 2)
        )


_LEAST_POWER = -63  # below it single precision has no full numbers left


def unit_of(values: Float32Array) -> float:
    """Return the power of four at or below the mean of the values (1 if they are all zero).

    Working in this unit keeps squares within single precision for data of any scale, and dividing
    by a power of two loses no bit.
    """
    mean = float(np.mean(values, dtype=np.float64))
    if mean <= 0:
        return 1.0
    return float(4.0 ** max(np.floor(np.log2(mean) / 2), _LEAST_POWER))


class MaskedProblem:
    """The two sides and the factors between them, in units of `unit_of`."""

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: MaskedObjective,
        start: MaskedFactors,
    ) -> None:
        self.unit = unit_of(by_user.values)
        self._root = np.float32(np.sqrt(self.unit))
        unit = np.float32(self.unit)
        self._users = _Side(by_user.with_values(by_user.values / unit), objective, self.unit)
        self._items = _Side(by_item.with_values(by_item.values / unit), objective, self.unit)
        self._factors = MaskedFactors(
            start.mean / self.unit,
            start.user_factors / self._root,
            start.item_factors / self._root,
            start.user_bias / unit,
            start.item_bias / unit,
        )

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        at = self._factors
        self._users.sweep(at.mean, at.user_factors, at.user_bias, at.item_factors, at.item_bias)

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        at = self._factors
        self._items.sweep(at.mean, at.item_factors, at.item_bias, at.user_factors, at.user_bias)
        total = float(np.sum(self._items.slots)) + self._users.penalty(at.user_factors, at.user_bias)
        return total * self.unit**2

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self._factors.user_factors, self._factors.item_factors)

    def factors(self) -> MaskedFactors:
        """Return the factors in the units of the data."""
        at, unit = self._factors, np.float32(self.unit)
        return MaskedFactors(
            at.mean * self.unit,
            at.user_factors * self._root,
            at.item_factors * self._root,
            at.user_bias * unit,
            at.item_bias * unit,
        )


_BIASED_LEVEL = 0.1  # of the spread of the values


def random_start(
    rows: CompressedRows,
    rank: int,
    *,
    biases: bool,
    seed: int,
    nonnegative: bool = True,
    level: float = _BIASED_LEVEL,
    chain: int = 0,
) -> MaskedFactors:
    """Draw factors whose products are, on average, the mean of the observed values.

    With biases the products start small beside the spread of the values, for the biases carry the
    level. Without the bound at zero the factors are drawn around it.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    rank : int
    biases : bool
    seed : int
    nonnegative : bool
    level : float
        With biases: the mean product, in standard deviations of the values.
    chain : int
        Another number gives another start.
    """
    values = rows.values.astype(np.float64)
    mean = float(np.mean(values))
    width = np.sqrt((level * float(np.std(values)) if biases else mean) / rank)
    sides = []
    for side, n_rows in (("users", rows.n_rows), ("items", rows.n_columns)):
        generator = rng.stream(seed, "masked-factors", side, *(("chain", chain) if chain else ()))
        drawn = generator.random((n_rows, rank), dtype=np.float32)
        sides.append(((drawn + 0.5 if nonnegative else 2 * drawn - 1) * np.float32(width)).astype(np.float32))
    return MaskedFactors(
        mean if biases else 0.0,
        sides[0],
        sides[1],
        np.zeros(rows.n_rows, dtype=np.float32),
        np.zeros(rows.n_columns, dtype=np.float32),
    )


def fit_masked(
    by_user: CompressedRows,
    by_item: CompressedRows,
    objective: MaskedObjective,
    start: MaskedFactors,
    *,
    max_iter: int,
    tol: float,
    name: str = "masked-nmf",
    progress: Progress = SILENT,
) -> tuple[MaskedFactors, History]:
    """Descend from a start; see `recsys.factorization.descent.descend`."""
    problem = MaskedProblem(by_user, by_item, objective, start)
    history = descend(problem, max_iter=max_iter, tol=tol, name=name, progress=progress)
    return problem.factors(), history


def fold_in_masked(
    rows: CompressedRows,
    objective: MaskedObjective,
    fitted: MaskedFactors,
    *,
    n_iter: int,
) -> tuple[Float32Array, Float32Array]:
    """Fit new users to fixed items.

    The problem of one row is convex, so the result does not depend on the start.

    Parameters
    ----------
    rows : CompressedRows, (n_new_users, n_items)
    objective : MaskedObjective
    fitted : MaskedFactors
    n_iter : int
        Sweeps over the rows.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
    """
    unit = np.float32(unit_of(rows.values))
    root = np.sqrt(unit)
    side = _Side(rows.with_values(rows.values / unit), objective, float(unit))
    items, item_bias = fitted.item_factors / root, fitted.item_bias / unit
    own = np.zeros((rows.n_rows, items.shape[1]), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    with threads.launch():
        for _ in range(n_iter):
            side.sweep(fitted.mean / float(unit), own, bias, items, item_bias)
    return own * root, bias * unit
