"""The named arrays that a model is stored as: those of a part of it, and the check of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from recsys.errors import ModelError
from recsys.typing import AnyArray


class CheckedArrays(dict[str, AnyArray]):
    """Arrays whose numbers were checked before: only their kinds and shapes are looked at again."""

    numbers_were_checked = True


class PartArrays(dict[str, AnyArray]):
    """The arrays of one part of a model, whose names in the whole begin with a prefix.

    Parameters
    ----------
    arrays : mapping of str to array
        Of the whole model.
    prefix : str
    """

    def __init__(self, arrays: Mapping[str, AnyArray], prefix: str) -> None:
        super().__init__(
            {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
        )
        self.prefix = prefix
        self.numbers_were_checked = numbers_were_checked(arrays)


def numbers_were_checked(arrays: Mapping[str, AnyArray]) -> bool:
    """Return whether the numbers in arrays need no second look, which would read all of them."""
    return bool(getattr(arrays, "numbers_were_checked", False))


def require(arrays: Mapping[str, AnyArray], name: str, dtype: Any, ndim: int) -> Any:
    """Return a named array of the wanted kind with finite numbers, or raise ModelError."""
    stored_name = arrays.prefix + name if isinstance(arrays, PartArrays) else name
    if name not in arrays:
        raise ModelError(f"array {stored_name!r} is missing.")
    array = arrays[name]
    if array.dtype != dtype or array.ndim != ndim:
        raise ModelError(
            f"array {stored_name!r} is {array.dtype} with {array.ndim} dimensions; "
            f"expected {np.dtype(dtype)} with {ndim}."
        )
    if array.dtype.kind != "f" or numbers_were_checked(arrays):
        return array
    if not np.all(np.isfinite(array)):
        raise ModelError(f"array {stored_name!r} holds a number that is not finite.")
    return array
