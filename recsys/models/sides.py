"""One side's factors as named arrays of a bundle."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from recsys.errors import ModelError
from recsys.factorization.sides import Side
from recsys.factorization.sparse_factors import SparseFactors
from recsys.models.base import require
from recsys.typing import AnyArray, Float32Array


def side_to_arrays(side: Side, name: str) -> dict[str, AnyArray]:
    """Return the arrays of one side under names that begin with ``name``."""
    if not isinstance(side, SparseFactors):
        return {name: side}
    return {f"{name}_indptr": side.indptr, f"{name}_themes": side.themes, f"{name}_values": side.values}


def side_from_arrays(arrays: Mapping[str, AnyArray], name: str, rank: int, *, nonnegative: bool) -> Side:
    """Return what `side_to_arrays` took apart.

    Raises
    ------
    ModelError
        If the arrays do not fit together, or a factor is below 0 and may not be.
    """
    is_sparse = f"{name}_indptr" in arrays
    side: Side = _sparse(arrays, name, rank) if is_sparse else _dense(arrays, name, rank)
    values = side.values if isinstance(side, SparseFactors) else side
    if nonnegative and values.min(initial=0) < 0:
        raise ModelError(f"array {name!r} holds {values.min():g}; the factors of this model are 0 or more.")
    return side


def _dense(arrays: Mapping[str, AnyArray], name: str, rank: int) -> Float32Array:
    dense: Float32Array = require(arrays, name, np.float32, 2)
    if dense.shape[1] != rank:
        raise ModelError(
            f"array {name!r} has shape {dense.shape}; expected {rank} columns: n_components is {rank}."
        )
    return dense


def _sparse(arrays: Mapping[str, AnyArray], name: str, rank: int) -> SparseFactors:
    side = SparseFactors(
        require(arrays, f"{name}_indptr", np.int64, 1),
        require(arrays, f"{name}_themes", np.uint16, 1),
        require(arrays, f"{name}_values", np.float32, 1),
        rank,
    )
    if (fault := side.fault()) is not None:
        raise ModelError(f"array {name!r}, stored sparse: {fault}.")
    return side
