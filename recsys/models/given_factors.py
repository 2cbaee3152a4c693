"""Factors and biases as callers give them."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.errors import InputError
from recsys.typing import Float32Array


def finite_array(values: Any, name: str, shape: tuple[int | None, ...]) -> Float32Array:
    """Return numbers in single precision, or raise InputError.

    Parameters
    ----------
    values : array-like
    name : str
        What to call them.
    shape : tuple of int or None
        None where any length will do.

    Raises
    ------
    InputError
        If they are no numbers, not finite in single precision, or of another shape.
    """
    try:
        with np.errstate(over="ignore"):  # refused below
            array = np.ascontiguousarray(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} is no array of numbers: {error}.") from None
    fits = array.ndim == len(shape) and all(
        length in (None, n) for length, n in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = ", ".join("any" if length is None else f"{length:,}" for length in shape)
        raise InputError(f"{name} has shape {array.shape}; expected ({expected}).")
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds a number that is not finite in single precision.")
    return array
