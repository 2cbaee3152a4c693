"""Starts: at random, from singular vectors of the data, or a caller's own.

Legend: R (n_users, n_items) is what mean and biases leave of the observed entries, 0 where nothing is
observed; W and H are the factors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys import rng, threads
from recsys.errors import InputError, ParameterError
from recsys.factorization.entries import Entries, row_blocks, unit_of
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.objective import Objective
from recsys.kernels.products import multiply_residuals
from recsys.typing import AnyArray, Float32Array, Float64Array

# The numbers below were chosen on planted ratings (tests/benchmarks), by how few sweeps were left to do.
# Singular vectors used at most: each makes two components. Beyond some sixteen they are mostly noise, which
# the sweeps would have to unlearn.
_MOST_VECTORS = 16
_EXTRA, _PASSES = 8, 6  # of the subspace iteration: columns beyond those asked for, passes over the data
# Added to the number of entries: so that a bias leans to zero, so that a row of few entries does not
# stand out among singular vectors, and so that the loadings of a rare item lean to zero.
_BIAS_DAMPING, _ROW_DAMPING, _LOADING_DAMPING = 5.0, 10.0, 50.0
# Of the mean loading of a vector: what all items have of its two components; and of a component without one.
_FLOOR, _REST = 1.0, 0.3
_ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class Start:
    """Where a fit begins.

    Attributes
    ----------
    factors : Factors
    is_scaled : bool
        See `recsys.factorization.problem.AlternatingProblem`.
    n_sweeps : int
        Sweeps that these factors have behind them.
    """

    factors: Factors
    is_scaled: bool = False
    n_sweeps: int = 0


def random_start(objective: Objective, entries: Entries, rank: int, *, seed: int, number: int = 0) -> Start:
    """Draw factors whose products have, on average, the objective's `Objective.start_level`.

    Without the bound at zero the factors are drawn around it.

    Parameters
    ----------
    objective : Objective
    entries : Entries
    rank : int
    seed : int
    number : int
        Another number gives another start.
    """
    # The square of the mean factor times the rank is the mean product.
    width = float(np.sqrt(objective.start_level(entries.by_user) / rank))
    sides = []
    for side, n_rows in (("users", entries.by_user.n_rows), ("items", entries.by_user.n_columns)):
        generator = rng.stream(seed, objective.stream, side, *(("chain", number) if number else ()))
        drawn = generator.random((n_rows, rank), dtype=np.float32)
        centred = drawn + np.float32(0.5) if objective.nonnegative else 2 * drawn - 1
        sides.append(centred * np.float32(width))
    factors = Factors(objective.start_mean(entries), SideFactors.of(sides[0]), SideFactors.of(sides[1]))
    return Start(factors, objective.draws_scaled)


def nndsvd_start(objective: Objective, entries: Entries, rank: int, *, seed: int) -> Start:
    """Give components the positive and the negative parts of leading singular vectors of the item side.

    NNDSVD (Boutsidis & Gallopoulos 2008) adapted to missing entries: the vectors are those of the rest
    that mean and damped biases leave, where a missing entry counts nothing, with rows and columns
    divided by the roots of their numbers of entries, since activity and popularity would otherwise be
    what the vectors tell. Where all cells count, an absent one is a zero, and nothing is left out before.
    Both parts of a vector make a component (Atif, Qazi & Gillis 2019). Remaining components start small
    and at random, user factors all alike: the first sweep solves them.

    Parameters
    ----------
    objective : Objective
    entries : Entries
        At least one.
    rank : int
        May be above the number of users or items.
    seed : int

    Returns
    -------
    Start
        Products have the mean that `random_start` gives them; biases start at zero.
    """
    width = float(np.sqrt(objective.start_level(entries.by_user) / rank))  # as of a random start
    factors = _vector_start(entries, rank, width, seed=seed, all_cells=objective.covers_all_cells)
    return Start(replace(factors, mean=objective.start_mean(entries)), objective.draws_scaled)


def _vector_start(entries: Entries, rank: int, width: float, *, seed: int, all_cells: bool) -> Factors:
    rows = entries.by_user
    generator = rng.stream(seed, "nndsvd", "items")
    n_vectors = min(_MOST_VECTORS, rank // 2, rows.n_rows, rows.n_columns)
    vectors = _item_vectors(entries, n_vectors, seed, all_cells=all_cells)
    both = np.hstack([np.maximum(vectors, 0), np.maximum(-vectors, 0)])
    h = _FLOOR * (0.5 + generator.random((rows.n_columns, rank)))
    h[:, : both.shape[1]] += both
    h[:, both.shape[1] :] *= _REST / _FLOOR * (np.mean(both) + _FLOOR if both.size else 1.0)
    return Factors.unbiased(
        np.full((rows.n_rows, rank), width, dtype=np.float32), (h * (width / np.mean(h))).astype(np.float32)
    )


def _item_vectors(entries: Entries, n_vectors: int, seed: int, *, all_cells: bool) -> Float64Array:
    """Return loadings of the items on leading singular vectors, each of mean size 1.

    There are ``n_vectors``, or fewer where the rest is of lower rank.

    Randomized subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).
    """
    rows, by_item = entries.by_user, entries.by_item
    scale = np.float32(1.0 / unit_of(rows.values))
    mean = np.float32(0.0 if all_cells else np.mean(rows.values, dtype=np.float64) * scale)
    blocks = row_blocks(rows.indptr), row_blocks(by_item.indptr)
    biases = [np.zeros(side.n_rows, dtype=np.float32) for side in (rows, by_item)]
    damping = [1.0 / np.sqrt(side.counts + _ROW_DAMPING) for side in (rows, by_item)]

    def product(side: int, other: Float64Array) -> Float64Array:
        """Return the rest times ``other``: by user (side 0) or by item (side 1)."""
        own = (rows, by_item)[side]
        out = np.empty((own.n_rows, other.shape[1]), dtype=np.float32)
        multiply_residuals(
            blocks[side], own.indptr, own.columns, own.values, scale, mean,
            biases[side], biases[1 - side], np.ascontiguousarray(other, dtype=np.float32), out,
        )  # fmt: skip
        return out.astype(np.float64)

    def damped_product(side: int, other: Float64Array) -> Float64Array:
        result: Float64Array = damping[side][:, None] * product(side, damping[1 - side][:, None] * other)
        return result

    with threads.launch():
        for side, own in () if all_cells else ((1, by_item), (0, rows)):
            total = product(side, np.ones((own.n_columns, 1)))[:, 0]
            biases[side] = (total / (own.counts + _BIAS_DAMPING)).astype(np.float32)
        n_sketch = min(n_vectors + _EXTRA, rows.n_rows, rows.n_columns)
        basis: Float64Array = rng.stream(seed, "nndsvd", "sketch").standard_normal((rows.n_columns, n_sketch))
        for _ in range(_PASSES):
            basis = np.linalg.qr(damped_product(1, damped_product(0, basis)))[0]
        image = damped_product(0, basis)
        squares, turns = np.linalg.eigh(image.T @ image)
    # The largest eigenvalue stands last. Values are near 1 in the unit: less than this is rounding.
    vectors = (basis @ turns)[:, squares > _ROUNDING**2][:, ::-1][:, :n_vectors]
    vectors = vectors / np.sqrt(by_item.counts + _LOADING_DAMPING)[:, None]
    loadings: Float64Array = vectors / np.mean(np.abs(vectors), axis=0)
    return loadings


def custom_start(
    shape: tuple[int, int],
    rank: int,
    user_factors: AnyArray | None,
    item_factors: AnyArray | None,
    *,
    nonnegative: bool = True,
) -> Factors:
    """Take over a caller's factors, checked; the mean and the biases start at zero.

    Parameters
    ----------
    shape : (n_users, n_items)
    rank : int
    user_factors, item_factors : array-like, (n_users, rank), (n_items, rank)
        In the units of the data; not changed. A component that is zero on both sides stays zero.
    nonnegative : bool
        Whether factors below 0 are refused.

    Raises
    ------
    InputError
        If the factors are not numbers, have another shape, are not finite in single precision, are
        negative, or are all zero on both sides.
    ParameterError
        If a side is None.
    """
    if user_factors is None or item_factors is None:
        missing = "user_factors" if user_factors is None else "item_factors"
        raise ParameterError(f"{missing} is missing; a custom start needs the factors of both sides.")
    sides = [
        _checked_side(name, matrix, (n_rows, rank), nonnegative)
        for name, matrix, n_rows in (
            ("user_factors", user_factors, shape[0]),
            ("item_factors", item_factors, shape[1]),
        )
    ]
    if not any(side.any() for side in sides):
        raise InputError("the start is zero on both sides; no sweep can leave it. Give positive factors.")
    return Factors.unbiased(sides[0], sides[1])


def _checked_side(name: str, matrix: AnyArray, shape: tuple[int, int], nonnegative: bool) -> Float32Array:
    try:
        with np.errstate(over="ignore"):
            factors = np.array(matrix, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not a matrix of numbers: {error}.") from error
    if factors.shape != shape:
        raise InputError(f"{name} has the shape {factors.shape}; expected {shape}.")
    if not np.isfinite(factors).all():
        raise InputError(f"{name} holds a number that is not finite in single precision.")
    if nonnegative and factors.size and float(factors.min()) < 0:
        raise InputError(f"{name} holds {float(factors.min()):g}; expected 0 or above everywhere.")
    return factors
