"""A new user of a weighted objective, without each of some entries: one matrix for all of them.

Legend: a user has ``n`` entries with weights c, targets p and item factors h_j; factors w are 0 or more. The
quadratic form of the problem is that of `recsys.kernels.left_out`, over the components that take part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys import threads
from recsys.data.rows import CompressedRows
from recsys.factorization.weighted import WeightedObjective
from recsys.factorization.weighted_sides import HeldWeighted
from recsys.kernels.left_out import solve_without
from recsys.typing import Float32Array, Float64Array, Int64Array

_TOL = 1e-7  # of one pass; `fold_in` looks at ten
_MAX_PASSES, _MAX_ROUNDS = 2_000, 50


def fold_in_without(
    objective: WeightedObjective, row: CompressedRows, left_out: Int64Array, held: HeldWeighted
) -> Float32Array:
    """Fit a new user to fixed items, and again without each of some entries.

    The same problems as `recsys.factorization.fold_in.fold_in` solves for such rows. The components that are
    not zero with all entries nearly solve the others, too: as linear equations, which differ by one entry
    and are solved by one inverse matrix (Sherman & Morrison 1950). From there coordinate descent goes on, and
    takes in what else has to be above zero.

    Parameters
    ----------
    objective : WeightedObjective
        Of non-negative factors.
    row : CompressedRows, (1, n_items)
        Confidences.
    left_out : int64, (n_left_out,)
        Which of its entries.
    held : HeldWeighted
        Of the items, as by ``objective.hold_items``.

    Returns
    -------
    float32, (1 + n_left_out, rank)
        The first is of all entries.
    """
    factors = np.zeros((1 + len(left_out), held.factors.shape[1]), dtype=np.float32)
    if row.nnz == 0:
        return factors
    items = held.factors.select(row.columns.astype(np.int64)).dense().astype(np.float64)
    with threads.launch_beside():  # BLAS rounds by its number of threads
        whole = _Problem.of(objective, row, items, held, n_fewer=0)
        strongest = np.argsort(-whole.linear, kind="stable")[: int(np.sqrt(len(whole.linear))) * 2]
        solved = whole.solve(np.array([-1]), np.zeros((1, len(whole.linear))), np.sort(strongest))
        factors[0, whole.present] = solved[0] / whole.target
        if len(left_out) and row.nnz > 1:
            without = _Problem.of(objective, row, items, held, n_fewer=1)
            support = np.flatnonzero(solved[0])
            solved = without.solve(left_out, without.start(left_out, solved[0], support), support)
            factors[1:, without.present] = solved / without.target
    return factors


@dataclass(frozen=True, eq=False)
class _Problem:
    """The problem of a user with so many entries.

    Attributes
    ----------
    present : int64, (n_present,)
        The components that an entry has.
    items : float64, (n, n_present)
        h.
    weights, targets : float64, (n,)
        c and p.
    gram : float32, (rank, rank)
    target, unobserved, ridge, l1 : float
        The user's part of targets, and the weights of unobserved cells and penalties.
    """

    present: Int64Array
    items: Float64Array
    weights: Float64Array
    targets: Float64Array
    gram: Float32Array
    target: float
    unobserved: float
    ridge: float
    l1: float

    @classmethod
    def of(
        cls,
        objective: WeightedObjective,
        row: CompressedRows,
        items: Float64Array,
        held: HeldWeighted,
        *,
        n_fewer: int,
    ) -> _Problem:
        """Return the problem of a user with so many entries fewer than the row has."""
        counts, present = row.counts - n_fewer, np.flatnonzero(items.any(axis=0))
        scales, penalty = objective.row_scales(counts), objective.penalty.on_users(counts)
        return cls(
            present,
            np.ascontiguousarray(items[:, present]),
            row.values.astype(np.float64),
            float(scales.target[0]) * held.target[row.columns].astype(np.float64),
            held.gram,
            float(scales.target[0]),
            float(np.float32(objective.unobserved_weight * scales.importance[0])),
            float(penalty.ridge[0]),
            float(penalty.l1),
        )

    @property
    def linear(self) -> Float64Array:
        """The vector b, (n_present,)."""
        return np.asarray((self.weights * self.targets) @ self.items - self.l1)

    def gram_of(self, some: Int64Array) -> Float64Array:
        """Return lines of a G, (n_some, n_present)."""
        return self.unobserved * self.gram[np.ix_(self.present[some], self.present)].astype(np.float64)

    def quadratic(self, some: Int64Array, gram: Float64Array) -> Float64Array:
        """Return the matrix A of some components, ``gram`` being their lines of a G."""
        items = self.items[:, some]
        matrix = (items * self.weights[:, None]).T @ items + gram[:, some]
        matrix[np.diag_indices(len(some))] += self.ridge
        return np.asarray(matrix)

    def start(self, left_out: Int64Array, whole: Float64Array, support: Int64Array) -> Float64Array:
        """Return where the factors come to without each entry, if the same ones are above zero."""
        start = np.repeat(whole[None], len(left_out), axis=0)
        own = self.items[left_out][:, support]
        try:
            inverse = np.linalg.inv(self.quadratic(support, self.gram_of(support)))
        except np.linalg.LinAlgError:  # without a penalty, components may be exchangeable
            return start
        moved, weights = own @ inverse, self.weights[left_out]
        same = inverse @ self.linear[support]
        left = 1 - weights * np.einsum("rf,rf->r", moved, own)
        step = weights * (own @ same - self.targets[left_out]) / np.maximum(left, np.finfo(np.float64).tiny)
        solution = same + step[:, None] * moved
        is_usable = (left > 0) & np.isfinite(solution).all(axis=1)
        start[np.ix_(is_usable, support)] = np.maximum(solution[is_usable], 0)
        return start

    def solve(self, left_out: Int64Array, factors: Float64Array, some: Int64Array) -> Float64Array:
        """Improve factors, (n_rows, n_present), which are above zero in ``some`` components at most.

        Components whose factor would grow from zero join until there are none.
        """
        gone, n_rows = left_out >= 0, len(left_out)
        own = np.where(gone[:, None], self.items[left_out], 0.0)
        weights = np.tile(self.weights, (n_rows, 1))
        weights[gone, left_out[gone]] = 0
        is_absent = np.count_nonzero(self.items, axis=0) - (own != 0) == 0
        linear = self.linear
        diagonal = weights @ self.items**2 + self.unobserved * self.gram.diagonal()[self.present] + self.ridge
        may_grow = ~is_absent & (diagonal > 0)
        for _ in range(_MAX_ROUNDS):
            solution, gram = np.ascontiguousarray(factors[:, some]), self.gram_of(some)
            solve_without(
                self.quadratic(some, gram),
                linear[some],
                np.ascontiguousarray(own[:, some]),
                self.weights[left_out] * gone,
                self.targets[left_out],
                np.ascontiguousarray(is_absent[:, some]),
                _TOL,
                _MAX_PASSES,
                solution,
            )
            factors[:, some] = solution
            residuals = weights * (self.targets - solution @ self.items[:, some].T)
            gradient = residuals @ self.items - solution @ gram - self.l1
            step = np.divide(gradient, diagonal, out=np.zeros_like(gradient), where=may_grow)
            joins = (step > _TOL * solution.max(axis=1, initial=0.0)[:, None]).any(axis=0)
            joins[some] = False
            if not joins.any():
                break
            some = np.union1d(some, np.flatnonzero(joins))
        return factors
