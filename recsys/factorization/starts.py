"""Starts for masked factorization: at random, from singular vectors of the data, or a caller's own.

Legend: R (n_users, n_items) is what mean and biases leave of the observed entries, 0 where nothing is
observed; W and H are the factors.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ParameterError
from recsys.factorization.factors import Factors
from recsys.factorization.sharing import row_blocks
from recsys.factorization.units import unit_of
from recsys.kernels.products import multiply_residuals
from recsys.typing import AnyArray, Float32Array, Float64Array

# The numbers below were chosen on planted ratings (tests/benchmarks), by how few sweeps were left to do.
# Singular vectors used at most: each makes two themes. Beyond some sixteen they are mostly noise, which
# the sweeps would have to unlearn.
_MOST_VECTORS = 16
_EXTRA, _PASSES = 8, 6  # of the subspace iteration: columns beyond those asked for, passes over the data
# Added to the number of entries: so that a bias leans to zero, so that a row of few entries does not
# stand out among singular vectors, and so that the loadings of a rare item lean to zero.
_BIAS_DAMPING, _ROW_DAMPING, _LOADING_DAMPING = 5.0, 10.0, 50.0
# Of the mean loading of a vector: what all items have of its two themes; and of a theme without one.
_FLOOR, _REST = 1.0, 0.3
_ROUNDING = 1e-5

_BIASED_LEVEL = 0.1  # of the spread of the values
_EQUAL = 1e-12  # a variance below this share of the mean square is rounding


def start_width(rows: CompressedRows, rank: int, *, biases: bool, level: float = _BIASED_LEVEL) -> float:
    """Return the mean factor of a start: its square times the rank is the mean product of `random_start`."""
    mean = float(np.mean(rows.values, dtype=np.float64))
    if not biases:
        return float(np.sqrt(mean / rank))
    square = float(np.einsum("i,i->", rows.values, rows.values, dtype=np.float64)) / rows.nnz
    variance = square - mean**2
    if variance < _EQUAL * square:
        return 0.0  # all values are equal
    return float(np.sqrt(level * np.sqrt(variance) / rank))


def random_start(
    rows: CompressedRows,
    rank: int,
    *,
    biases: bool,
    seed: int,
    nonnegative: bool = True,
    level: float = _BIASED_LEVEL,
    chain: int = 0,
) -> Factors:
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
    width = start_width(rows, rank, biases=biases, level=level)
    at = drawn_start(rows, rank, width, "masked-factors", nonnegative=nonnegative, seed=seed, chain=chain)
    return replace(at, mean=float(np.mean(rows.values, dtype=np.float64)) if biases else 0.0)


def drawn_start(
    rows: CompressedRows,
    rank: int,
    width: float,
    name: str,
    *,
    nonnegative: bool = True,
    seed: int,
    chain: int = 0,
) -> Factors:
    """Draw factors evenly from a half to three halves of ``width``, or from minus to plus it.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
        Of which the sizes are used.
    rank : int
    width : float
        The mean factor, where factors are not negative.
    name : str
        What the random numbers are for.
    nonnegative : bool
    seed : int
    chain : int
        Another number gives another start.
    """
    sides = []
    for side, n_rows in (("users", rows.n_rows), ("items", rows.n_columns)):
        generator = rng.stream(seed, name, side, *(("chain", chain) if chain else ()))
        drawn = generator.random((n_rows, rank), dtype=np.float32)
        sides.append((drawn + np.float32(0.5) if nonnegative else 2 * drawn - 1) * np.float32(width))
    return Factors.unbiased(sides[0], sides[1])


def nndsvd_start(
    rows: CompressedRows, by_item: CompressedRows, rank: int, *, biases: bool, seed: int
) -> Factors:
    """Give themes the positive and the negative parts of leading singular vectors of the item side.

    NNDSVD (Boutsidis & Gallopoulos 2008) adapted to missing entries: the vectors are those of the rest
    that mean and damped biases leave, where a missing entry counts nothing, with rows and columns
    divided by the roots of their numbers of entries, since activity and popularity would otherwise be
    what the vectors tell. Both parts of a vector make a theme (Atif, Qazi & Gillis 2019). Remaining
    themes start small and at random, user factors all alike: the first sweep solves them.

    Parameters
    ----------
    rows, by_item : CompressedRows, (n_users, n_items), (n_items, n_users)
        The same entries from both sides, at least one.
    rank : int
        May be above the number of users or items.
    biases : bool
        Whether mean and biases are part of the model.
    seed : int

    Returns
    -------
    Factors
        Products have the mean that `random_start` gives them; biases start at zero.
    """
    mean = float(np.mean(rows.values, dtype=np.float64)) if biases else 0.0
    width = start_width(rows, rank, biases=biases)
    return replace(_vector_start(rows, by_item, rank, width, seed=seed), mean=mean)


def whole_nndsvd_start(
    rows: CompressedRows, by_item: CompressedRows, rank: int, *, level: float, seed: int
) -> Factors:
    """As `nndsvd_start`, of the whole matrix: what is absent is a zero, and nothing is left out before.

    Parameters
    ----------
    rows, by_item : CompressedRows, (n_users, n_items), (n_items, n_users)
    rank : int
    level : float
        The mean product.
    seed : int
    """
    return _vector_start(rows, by_item, rank, float(np.sqrt(level / rank)), seed=seed, whole=True)


def _vector_start(
    rows: CompressedRows,
    by_item: CompressedRows,
    rank: int,
    width: float,
    *,
    seed: int,
    whole: bool = False,
) -> Factors:
    chance = rng.stream(seed, "nndsvd", "items")
    n_vectors = min(_MOST_VECTORS, rank // 2, rows.n_rows, rows.n_columns)
    vectors = _item_vectors(rows, by_item, n_vectors, seed, whole=whole)
    both = np.hstack([np.maximum(vectors, 0), np.maximum(-vectors, 0)])
    h = _FLOOR * (0.5 + chance.random((rows.n_columns, rank)))
    h[:, : both.shape[1]] += both
    h[:, both.shape[1] :] *= _REST / _FLOOR * (np.mean(both) + _FLOOR if both.size else 1.0)
    return Factors.unbiased(
        np.full((rows.n_rows, rank), width, dtype=np.float32), (h * (width / np.mean(h))).astype(np.float32)
    )


def _item_vectors(
    rows: CompressedRows, by_item: CompressedRows, n_vectors: int, seed: int, *, whole: bool
) -> Float64Array:
    """Return loadings of the items on leading singular vectors, each of mean size 1.

    There are ``n_vectors``, or fewer where the rest is of lower rank.

    Randomized subspace iteration (Halko, Martinsson & Tropp 2011, algorithm 4.4).
    """
    scale = np.float32(1.0 / unit_of(rows.values))
    mean = np.float32(0.0 if whole else np.mean(rows.values, dtype=np.float64) * scale)
    blocks = row_blocks(rows.indptr), row_blocks(by_item.indptr)
    biases = [np.zeros(side.n_rows, dtype=np.float32) for side in (rows, by_item)]
    damped = [1.0 / np.sqrt(side.counts + _ROW_DAMPING) for side in (rows, by_item)]

    def product(side: int, other: Float64Array) -> Float64Array:
        """Return the rest times ``other``: by user (side 0) or by item (side 1)."""
        entries = (rows, by_item)[side]
        out = np.empty((entries.n_rows, other.shape[1]), dtype=np.float32)
        multiply_residuals(
            blocks[side], entries.indptr, entries.columns, entries.values, scale, mean,
            biases[side], biases[1 - side], np.ascontiguousarray(other, dtype=np.float32), out,
        )  # fmt: skip
        return out.astype(np.float64)

    def scaled(side: int, other: Float64Array) -> Float64Array:
        met: Float64Array = damped[side][:, None] * product(side, damped[1 - side][:, None] * other)
        return met

    with threads.launch():
        for side, entries in () if whole else ((1, by_item), (0, rows)):
            total = product(side, np.ones((entries.n_columns, 1)))[:, 0]
            biases[side] = (total / (entries.counts + _BIAS_DAMPING)).astype(np.float32)
        width = min(n_vectors + _EXTRA, rows.n_rows, rows.n_columns)
        basis: Float64Array = rng.stream(seed, "nndsvd", "sketch").standard_normal((rows.n_columns, width))
        for _ in range(_PASSES):
            basis = np.linalg.qr(scaled(1, scaled(0, basis)))[0]
        image = scaled(0, basis)
        squares, turns = np.linalg.eigh(image.T @ image)
    # The largest eigenvalue stands last. Values are near 1 in the unit: less than this is rounding.
    vectors = (basis @ turns)[:, squares > _ROUNDING**2][:, ::-1][:, :n_vectors]
    vectors = vectors / np.sqrt(by_item.counts + _LOADING_DAMPING)[:, None]
    loadings: Float64Array = vectors / np.mean(np.abs(vectors), axis=0)
    return loadings


def custom_start(
    rows: CompressedRows,
    rank: int,
    user_factors: AnyArray | None,
    item_factors: AnyArray | None,
    *,
    nonnegative: bool = True,
) -> Factors:
    """Take over a caller's factors, checked; the mean and the biases start at zero.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    rank : int
    user_factors, item_factors : array-like, (n_users, rank), (n_items, rank)
        In the units of the data; not changed. A theme that is zero on both sides stays zero.
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
        _checked_side(name, given, (n_rows, rank), nonnegative)
        for name, given, n_rows in (
            ("user_factors", user_factors, rows.n_rows),
            ("item_factors", item_factors, rows.n_columns),
        )
    ]
    if not any(side.any() for side in sides):
        raise InputError("the start is zero on both sides; no sweep can leave it. Give positive factors.")
    return Factors.unbiased(sides[0], sides[1])


def _checked_side(name: str, given: AnyArray, shape: tuple[int, int], nonnegative: bool) -> Float32Array:
    try:
        with np.errstate(over="ignore"):
            factors = np.array(given, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is not a matrix of numbers: {error}.") from error
    if factors.shape != shape:
        raise InputError(f"{name} has the shape {factors.shape}; expected {shape}.")
    if not np.isfinite(factors).all():
        raise InputError(f"{name} holds a number that is not finite in single precision.")
    if nonnegative and factors.size and float(factors.min()) < 0:
        raise InputError(f"{name} holds {float(factors.min()):g}; expected 0 or above everywhere.")
    return factors
