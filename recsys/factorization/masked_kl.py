"""Masked factorization for counts and amounts: generalized Kullback-Leibler divergence.

Legend: W (n_users, rank) and H (n_items, rank) are the factors, c the weights of the entries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.factorization.factors import Factors, nonzero_share, predictions
from recsys.factorization.folding import PASSES, settle
from recsys.factorization.gradient import projected_squares
from recsys.factorization.sharing import row_blocks
from recsys.factorization.units import unit_of
from recsys.kernels.masked_kl import sweep_masked_kl
from recsys.typing import Float32Array, Float64Array, Int64Array

FLOOR = 2.0**-20
"""Added to each product, in the unit of the data (`unit_of`): a millionth of the mean or less.

The divergence of a value above 0 from a prediction of 0 is infinite; with the floor it is finite
everywhere, a row may become all zero, and the objective stays smooth and convex in each row. The
price: predictions below about a millionth of the mean of the data are not told apart.
"""


@dataclass(frozen=True)
class MaskedKLObjective:
    """``sum_observed c (x log(x / q) - x + q)`` plus penalties; ``q = w_u . h_i`` plus the floor.

    Where x is 0, ``x log x`` is 0. Without penalties this is the likelihood of Poisson counts (Lee &
    Seung 2001, section 2), restricted to the observed entries.

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
    l2_exponent: float = 1.0
    l1: float = 0.0
    item_l1: float | None = None
    n_inner: int = 1

    @property
    def of_items(self) -> MaskedKLObjective:
        """The same with the item side's ``l1``."""
        return self if self.item_l1 is None else replace(self, l1=self.item_l1, item_l1=None)


class _Side:
    """One side's entries, in units of the data, with all that its sweeps need.

    With x and q in units of s and the weights in units of v the divergence has the unit s v, the
    squares of factors s, their sum sqrt(s): the penalties are converted accordingly.
    """

    def __init__(
        self, rows: CompressedRows, weights: Float32Array, objective: MaskedKLObjective, scale: _Scale
    ) -> None:
        counts = rows.counts.astype(np.float64)
        powers = np.where(counts > 0, counts, 1.0) ** objective.l2_exponent
        self.rows = rows.with_values(rows.values / np.float32(scale.value))
        self.weights = weights / np.float32(scale.weight)
        self.blocks = row_blocks(rows.indptr)
        self.ridge = (objective.l2 / scale.weight * powers).astype(np.float32)
        self.l1 = np.float32(objective.l1 / (scale.weight * np.sqrt(scale.value)))
        self.slots: Float64Array = np.zeros(rows.n_rows)
        self._n_inner = objective.n_inner

    def sweep(self, own: Float32Array, other: Float32Array) -> None:
        sweep_masked_kl(
            self.blocks,
            self.rows.indptr,
            self.rows.columns,
            self.rows.values,
            self.weights,
            own,
            other,
            self.ridge,
            self.l1,
            np.float32(FLOOR),
            self._n_inner,
            self.slots,
        )

    def penalty(self, own: Float32Array) -> float:
        factors = own.astype(np.float64)
        return float(0.5 * np.sum(self.ridge * np.sum(factors**2, axis=1)) + self.l1 * np.sum(factors))


@dataclass(frozen=True)
class _Scale:
    """The units in which the data are worked on."""

    value: float
    weight: float


def _scale_of(values: Float32Array, weights: Float32Array) -> _Scale:
    return _Scale(unit_of(values) if len(values) else 1.0, unit_of(weights) if len(weights) else 1.0)


def _checked(rows: CompressedRows, weights: Float32Array | None) -> Float32Array:
    """Return the weights as the kernel wants them: none at all for all ones."""
    if rows.nnz and float(rows.values.min()) < 0:
        raise InputError(
            f"found the value {float(rows.values.min()):g}; the Kullback-Leibler divergence is defined "
            f"for values of 0 or above. Drop or shift the negative ones, or use the squared loss."
        )
    if weights is None:
        return np.empty(0, dtype=np.float32)
    weights = np.ascontiguousarray(weights, dtype=np.float32)
    if weights.shape != (rows.nnz,):
        raise InputError(f"found weights of shape {weights.shape}; expected one an entry, ({rows.nnz},).")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise InputError("found a weight that is negative or not a finite number; expected 0 or above.")
    return weights


class MaskedKLProblem:
    """The two sides and the factors between them, in units of `unit_of`.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        The same entries from both sides, values 0 or above.
    objective : MaskedKLObjective
    start : Factors
        Without mean and biases; left as it is. A theme that is zero on both sides stays zero.
    weights : float32, (nnz,), optional
        0 or above; the weight of each entry of ``by_user``. Without, all weights are 1.

    Raises
    ------
    InputError
        If a value or a weight is negative, or the number of weights is not that of the entries.
    """

    looked_at_all = True

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: MaskedKLObjective,
        start: Factors,
        weights: Float32Array | None = None,
    ) -> None:
        given = _checked(by_user, weights)
        turned = by_user.with_values(given).transposed().values if len(given) else given
        self._scale = _scale_of(by_user.values, given)
        self._root = np.float32(np.sqrt(self._scale.value))
        self._users = _Side(by_user, given, objective, self._scale)
        self._items = _Side(by_item, turned, objective.of_items, self._scale)
        self._w = start.user_factors / self._root
        self._h = start.item_factors / self._root

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        self._users.sweep(self._w, self._h)

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        self._items.sweep(self._h, self._w)
        total = float(np.sum(self._items.slots)) + self._users.penalty(self._w)
        return total * self._scale.value * self._scale.weight

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return nonzero_share(self._w, self._h)

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides; see `projected_squares`."""
        rows, at = self._users.rows, self._at(np.float32(1))
        predicted = predictions(at, rows.row_numbers, rows.columns) + FLOOR
        slopes = rows.to_scipy().astype(np.float64)
        slopes.data = 1.0 - slopes.data / predicted
        if len(self._users.weights):
            slopes.data *= self._users.weights
        total = 0.0
        for side, matrix, own, other in (
            (self._users, slopes, self._w, self._h),
            (self._items, slopes.T.tocsr(), self._h, self._w),
        ):
            ridge = np.where(side.rows.counts > 0, side.ridge, 0.0)
            total += projected_squares(matrix, own, other, ridge, float(side.l1))
        return float(np.sqrt(total))

    def factors(self) -> Factors:
        """Return the factors in the units of the data; mean and biases are zero."""
        return self._at(self._root)

    def _at(self, root: np.float32) -> Factors:
        return Factors.unbiased(self._w * root, self._h * root)


class MaskedKLRows:
    """Some users with all their entries, to be swept again and again; as `MaskedKLProblem`."""

    def __init__(
        self, rows: CompressedRows, objective: MaskedKLObjective, weights: Float32Array | None = None
    ) -> None:
        given = _checked(rows, weights)
        scale = _scale_of(rows.values, given)
        # Only items that are met are converted: few users cost little, however many items there are.
        self._items, columns = np.unique(rows.columns, return_inverse=True)
        near = CompressedRows(rows.indptr, columns.astype(np.int32), rows.values, len(self._items))
        self._side = _Side(near, given, objective, scale)
        self._root = np.float32(np.sqrt(scale.value))

    def improve(self, at: Factors, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over the factors of the rows, in place and in the units of the data."""
        factors = own / self._root
        self._side.sweep(factors, at.item_factors[self._items] / self._root)
        own[:] = factors * self._root


def fold_in_masked_kl(
    rows: CompressedRows,
    objective: MaskedKLObjective,
    fitted: Factors,
    *,
    tol: float = 1e-5,
    max_iter: int = 1000,
) -> tuple[Float32Array, Float32Array]:
    """Fit new users to fixed items, each until it no longer changes.

    The problem of one row is convex: what is found does not depend on a start, as far as the items
    determine it. Rows do not know of each other: a user gets the same bits alone and in a crowd
    with data of the same unit.

    Parameters
    ----------
    rows : CompressedRows, (n_new_users, n_items)
    objective : MaskedKLObjective
    fitted : Factors
    tol : float
        A row is done when ten passes change no coordinate by more than this share of its largest.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    factors, biases : float32, (n_new_users, rank), (n_new_users,)
        Biases are zeros, and so are the factors of rows without entries.

    Raises
    ------
    InputError
        If a value is negative.
    ParameterError
        If ``tol`` is not above 0.
    """
    if not tol > 0:
        raise ParameterError(f"tol is {tol}; expected a number above 0.")
    none = _checked(rows, None)
    scale = _scale_of(rows.values, none)
    root = np.float32(np.sqrt(scale.value))
    items = fitted.item_factors / root
    found = np.zeros((rows.n_rows, items.shape[1]), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    passes = replace(objective, n_inner=PASSES)

    def sweep(some: Int64Array, factors: Float32Array, biases: Float32Array) -> None:
        _Side(rows.select(some), none, passes, scale).sweep(factors, items)

    settle(np.flatnonzero(rows.counts), found, bias, sweep, tol=tol, max_iter=max_iter)
    return found * root, bias
