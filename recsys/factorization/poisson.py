"""Poisson factorization: Kullback-Leibler divergence over the whole matrix, absent cells being zeros.

Legend: W (n_users, rank) and H (n_items, rank) are the factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors, nonzero_share, predictions
from recsys.factorization.folding import PASSES, settle
from recsys.factorization.gradient import projected_squares
from recsys.factorization.masked_kl import FLOOR
from recsys.factorization.sharing import row_blocks
from recsys.factorization.starts import drawn_start
from recsys.factorization.units import unit_of, units_of_rows
from recsys.kernels.poisson import sweep_poisson
from recsys.typing import Float32Array, Float64Array, Int64Array


@dataclass(frozen=True)
class PoissonObjective:
    """``sum_observed (x log(x / q) - x) + sum_all w_u . h_i`` plus penalties.

    ``q = w_u . h_i`` plus `FLOOR`. Without penalties this is the likelihood of Poisson counts, absent
    cells being counts of 0 (Lee & Seung 2001, section 2), and its minimum that of probabilistic latent
    semantic analysis (Hofmann 1999; Gaussier & Goutte 2005, on why these are one).

    Attributes
    ----------
    l2 : float
        Weight of ``1/2 n^nu ||w||^2``, n being the row's number of entries.
    l2_exponent : float
        nu.
    l1 : float
        Weight of the sum of the factors: of users, and of items unless ``item_l1`` says otherwise.
    item_l1 : float, optional
        Weight of the sum of the item factors, where it is another.
    n_inner : int
        Coordinate passes over a row in one sweep.
    """

    l2: float = 0.0
    l2_exponent: float = 0.0
    l1: float = 0.0
    item_l1: float | None = None
    n_inner: int = 1

    @property
    def of_items(self) -> PoissonObjective:
        """The same with the item side's ``l1``."""
        return self if self.item_l1 is None else replace(self, l1=self.item_l1, item_l1=None)


_HEAVIEST = 1e30  # weight of a penalty: more would leave single precision


class _Side:
    """One side's entries with all that its sweeps need.

    Values and products are in ``unit``, a number or one for each row, and the other side's factors in
    ``held``; those of this side are then in ``unit / held``, and the penalties are converted accordingly.
    """

    def __init__(
        self, rows: CompressedRows, objective: PoissonObjective, unit: float | Float64Array, held: float
    ) -> None:
        units = np.broadcast_to(unit, rows.n_rows)
        powers = np.maximum(rows.counts, 1).astype(np.float64) ** objective.l2_exponent
        # A value that leaves single precision on the way is as good as absent, but zero it must not be.
        values = np.maximum(rows.values / np.repeat(units, rows.counts), np.finfo(np.float32).tiny)
        self.rows = rows.with_values(values.astype(np.float32))
        self.blocks = row_blocks(rows.indptr)
        self.ridge = np.minimum(objective.l2 * powers * units / held**2, _HEAVIEST).astype(np.float32)
        self.l1 = np.float32(min(objective.l1 / held, _HEAVIEST))
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._n_inner = objective.n_inner

    def sweep(self, own: Float32Array, other: Float32Array, sums: Float64Array) -> None:
        sweep_poisson(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            own,
            other,
            sums,
            self.ridge,
            self.l1,
            np.float32(FLOOR),
            self._n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array) -> float:
        factors = own.astype(np.float64)
        return float(0.5 * np.sum(self.ridge * np.sum(factors**2, axis=1)) + self.l1 * np.sum(factors))


def _sums(factors: Float32Array) -> Float64Array:
    return np.asarray(factors.sum(axis=0, dtype=np.float64))


class PoissonProblem:
    """The two sides and the factors between them, in units of `unit_of`.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        The same entries from both sides, values above 0.
    objective : PoissonObjective
    start : Factors
        Without mean and biases; left as it is. A theme that is zero on both sides stays zero.
    weights : None
        They are part of the values.
    """

    looked_at_all = True

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: PoissonObjective,
        start: Factors,
        weights: None = None,
    ) -> None:
        self._unit = unit_of(by_user.values)
        self._root = np.float32(np.sqrt(self._unit))
        self._users = _Side(by_user, objective, self._unit, float(self._root))
        self._items = _Side(by_item, objective.of_items, self._unit, float(self._root))
        self._w, self._h = start.user_factors / self._root, start.item_factors / self._root

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        self._users.sweep(self._w, self._h, _sums(self._h))

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        self._items.sweep(self._h, self._w, _sums(self._w))
        return (float(np.sum(self._items.slots)) + self._users.penalty(self._w)) * self._unit

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self._w, self._h)

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides; see `projected_squares`."""
        rows, columns = self._users.rows.row_numbers, self._users.rows.columns
        predicted = predictions(Factors.unbiased(self._w, self._h), rows, columns) + FLOOR
        slopes = self._users.rows.to_scipy().astype(np.float64)
        slopes.data = -slopes.data / predicted
        total = 0.0
        for side, matrix, own, other in (
            (self._users, slopes, self._w, self._h),
            (self._items, slopes.T.tocsr(), self._h, self._w),
        ):
            ridge = np.where(side.rows.counts > 0, side.ridge, 0.0)
            total += projected_squares(matrix, own, other, ridge, float(side.l1), pull=_sums(other))
        return float(np.sqrt(total))

    def factors(self) -> Factors:
        """Return the factors in the units of the data; mean and biases are zero."""
        return Factors.unbiased(self._w * self._root, self._h * self._root)


class PoissonRows:
    """Some users with all their entries, to be swept again and again; as `PoissonProblem`."""

    def __init__(self, rows: CompressedRows, objective: PoissonObjective, weights: None = None) -> None:
        unit = unit_of(rows.values)
        self._root = np.float32(np.sqrt(unit))
        self._side = _Side(rows, objective, unit, float(self._root))

    def improve(self, at: Factors, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over the factors of the rows, in place and in the units of the data."""
        factors, items = own / self._root, at.item_factors / self._root
        self._side.sweep(factors, items, _sums(items))
        own[:] = factors * self._root


def fold_in_poisson(
    rows: CompressedRows,
    objective: PoissonObjective,
    fitted: Factors,
    *,
    tol: float = 1e-5,
    max_iter: int = 1000,
) -> tuple[Float32Array, Float32Array]:
    """Fit new users to fixed items, each until it no longer changes.

    The problem of one row is convex: what is found does not depend on a start, as far as the items
    determine it. Rows do not know of each other: a user gets the same bits alone and in a crowd.

    Parameters
    ----------
    rows : CompressedRows, (n_new_users, n_items)
        Values above 0.
    objective : PoissonObjective
    fitted : Factors
    tol : float
        A row is done when ten passes change no factor by more than this share of its largest.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
        Biases are zeros, and so are the factors of rows without entries.
    """
    own = np.zeros((rows.n_rows, fitted.item_factors.shape[1]), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    units, held = units_of_rows(rows), unit_of(fitted.item_factors)
    items = fitted.item_factors / np.float32(held)
    sums, passes = _sums(items), replace(objective, n_inner=PASSES)

    def sweep(some: Int64Array, factors: Float32Array, biases: Float32Array) -> None:
        _Side(rows.select(some), passes, units[some], held).sweep(factors, items, sums)

    settle(np.flatnonzero(rows.counts), own, bias, sweep, tol=tol, max_iter=max_iter)
    return (own * (units / held)[:, None]).astype(np.float32), bias


def poisson_level(rows: CompressedRows) -> float:
    """Return the mean of the whole matrix."""
    return float(np.sum(rows.values, dtype=np.float64)) / (rows.n_rows * rows.n_columns)


def poisson_start(rows: CompressedRows, rank: int, *, seed: int, chain: int = 0) -> Factors:
    """Draw factors whose products have, on average, the mean of the whole matrix.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    rank : int
    seed : int
    chain : int
        Another number gives another start.
    """
    width = float(np.sqrt(poisson_level(rows) / rank))
    return drawn_start(rows, rank, width, "poisson-factors", seed=seed, chain=chain)
