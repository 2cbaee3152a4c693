"""The factors of one side as named arrays of a bundle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recsys.errors import ModelError
from recsys.factorization.factor_matrix import FactorMatrix
from recsys.factorization.factors import DenseFactors
from recsys.factorization.sparse_factors import SparseFactors
from recsys.models.stored_arrays import numbers_were_checked, require
from recsys.typing import AnyArray


def matrix_to_arrays(factors: FactorMatrix, name: str) -> dict[str, AnyArray]:
    """Return the arrays of one side under names that begin with ``name``."""
    if not factors.is_sparse:
        return {name: factors.dense()}
    sparse = factors.sparse()
    return {
        f"{name}_indptr": sparse.indptr,
        f"{name}_themes": sparse.components,  # the name of the format's first version
        f"{name}_values": sparse.values,
    }


def matrix_from_arrays(
    arrays: Mapping[str, AnyArray], name: str, rank: int, *, nonnegative: bool
) -> FactorMatrix:
    """Return what `matrix_to_arrays` took apart.

    Raises
    ------
    ModelError
        If the arrays do not fit together, or a factor is below 0 and may not be.
    """
    is_sparse = f"{name}_indptr" in arrays
    factors: SparseFactors | DenseFactors = (_sparse if is_sparse else _dense)(arrays, name, rank)
    if numbers_were_checked(arrays):
        return factors
    least = factors.values.min(initial=0)
    if nonnegative and least < 0:
        raise ModelError(f"array {name!r} holds {least:g}; the factors of this model are 0 or more.")
    return factors


def _dense(arrays: Mapping[str, AnyArray], name: str, rank: int) -> DenseFactors:
    dense = require(arrays, name, np.float32, 2)
    if dense.shape[1] != rank:
        raise ModelError(
            f"array {name!r} has shape {dense.shape}; expected {rank} columns: n_components is {rank}."
        )
    return DenseFactors(np.ascontiguousarray(dense))


def _sparse(arrays: Mapping[str, AnyArray], name: str, rank: int) -> SparseFactors:
    side = SparseFactors(
        require(arrays, f"{name}_indptr", np.int64, 1),
        require(arrays, f"{name}_themes", np.uint16, 1),
        require(arrays, f"{name}_values", np.float32, 1),
        rank,
    )
    fault = side.fault_of_lengths() if numbers_were_checked(arrays) else side.fault()
    if fault is not None:
        raise ModelError(f"array {name!r}, stored sparse: {fault}.")
    return side
