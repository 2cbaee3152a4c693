"""The arrays of a model that is made of others: each part's under a prefix of its own."""

from __future__ import annotations

from collections.abc import Mapping

from recsys.errors import ModelError
from recsys.models.base import Model
from recsys.models.stored_arrays import PartArrays
from recsys.typing import AnyArray


def parts_to_arrays(parts: Mapping[str, Model]) -> dict[str, AnyArray]:
    """Return all that parts learned; ``parts`` are by prefix."""
    return {
        prefix + name: array for prefix, part in parts.items() for name, array in part.to_arrays().items()
    }


def load_parts(parts: Mapping[str, Model], arrays: Mapping[str, AnyArray]) -> tuple[int, int]:
    """Let parts become what `parts_to_arrays` took apart, and return the numbers of users and items.

    Raises
    ------
    ModelError
        If an array is missing or has the wrong shape, or the parts are not of the same size.
    """
    sizes = {}
    for prefix, part in parts.items():
        part.load(PartArrays(arrays, prefix))
        sizes[prefix] = (part.n_users_, part.n_items_)
    if len(set(sizes.values())) > 1:
        raise ModelError(f"the parts are of different numbers of users and items: {sizes}.")
    return next(iter(sizes.values()))
