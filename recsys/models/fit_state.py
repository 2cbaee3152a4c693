"""What a fit is of, and where it stands, as checkpoints keep it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.checkpoints import FitState
from recsys.data.interactions import Interactions
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.history import History
from recsys.models.stored_arrays import require
from recsys.models.stored_factors import matrix_from_arrays, matrix_to_arrays
from recsys.typing import AnyArray


def fit_of(
    name: str,
    params: Mapping[str, Any],
    data: Interactions,
    *,
    weights: AnyArray | None = None,
    start: Factors | None = None,
) -> dict[str, Any]:
    """Return what a fit is of, ready for JSON: fits that agree in it come to the same bits.

    Parameters
    ----------
    name : str
        Of the model.
    params : mapping
        Its parameters.
    data : Interactions
    weights : float32, (n_entries,), optional
    start : Factors, optional
        Where it begins, if that was given.
    """
    plain = {key: value.item() if isinstance(value, np.generic) else value for key, value in params.items()}
    return {
        "model": name,
        "parameters": plain,
        "data": data.digest,
        "times": None if data.time is None else _digest(data.time),
        "weights": None if weights is None else _digest(weights),
        "start": None if start is None else _digest(*factors_to_arrays(start).values()),
    }


def _digest(*arrays: AnyArray) -> str:
    state = hashlib.sha256()
    for array in arrays:
        state.update(f"{array.dtype} {array.shape}".encode())
        state.update(np.ascontiguousarray(array).tobytes())
    return state.hexdigest()


def factors_to_arrays(factors: Factors, prefix: str = "") -> dict[str, AnyArray]:
    """Return factors as named arrays."""
    return {
        f"{prefix}mean": np.array([factors.mean], dtype=np.float64),
        f"{prefix}rank": np.array([factors.rank], dtype=np.int64),
        f"{prefix}user_bias": factors.user_bias,
        f"{prefix}item_bias": factors.item_bias,
        **matrix_to_arrays(factors.users.factors, f"{prefix}user_factors"),
        **matrix_to_arrays(factors.items.factors, f"{prefix}item_factors"),
    }


def factors_from_arrays(arrays: Mapping[str, AnyArray], prefix: str = "") -> Factors:
    """Return what `factors_to_arrays` took apart, or raise ModelError if it does not fit together."""
    (mean,) = require(arrays, f"{prefix}mean", np.float64, 1)
    (rank,) = require(arrays, f"{prefix}rank", np.int64, 1)
    users, items = (
        SideFactors.of(
            matrix_from_arrays(arrays, f"{prefix}{side}_factors", int(rank), nonnegative=False),
            require(arrays, f"{prefix}{side}_bias", np.float32, 1),
        )
        for side in ("user", "item")
    )
    return Factors(float(mean), users, items)


def finished_state(factors: Factors, history: History) -> FitState:
    """Return what a descent came to."""
    return FitState(history.to_json(), factors_to_arrays(factors), is_final=True)


def finished_of(state: FitState) -> tuple[Factors, History]:
    """Return what `finished_state` took apart."""
    return factors_from_arrays(state.arrays), History.from_json(state.record)
