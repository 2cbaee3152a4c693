"""Scores of one user taken apart into what they are sums of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recsys.typing import AnyArray, Float64Array, Int32Array


@dataclass(frozen=True, eq=False)
class ScoreParts:
    """Scores of one user for some items, each the sum of its parts.

    Parts are kept in double precision; their sum is the model's score up to the rounding of a sum in single
    precision, which is below a millionth of what the parts come to in absolute value.

    Attributes
    ----------
    item_bias : float64, (n_items,)
        What is the item's alone, whoever the user is.
    base : float
        What is the same for every user and item.
    user_bias : float
        What is the user's alone.
    components : float64, (n_items, n_components)
        What each component adds; no columns for a model without components.
    past_items : int32, (n_past,)
        Row numbers of the items of the history that add a part of their own.
    from_past : float64, (n_items, n_past)
        What each of them adds.
    is_signed : bool
        Whether components or past items may add less than 0, so that parts may cancel.
    """

    item_bias: Float64Array
    base: float = 0.0
    user_bias: float = 0.0
    components: Float64Array | None = None
    past_items: Int32Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    from_past: Float64Array | None = None
    is_signed: bool = False

    @property
    def totals(self) -> Float64Array:
        """The sum of all parts of each item, (n_items,)."""
        totals = self.base + self.user_bias + self.item_bias
        for parts in (self.components, self.from_past):
            if parts is not None:
                totals = totals + parts.sum(axis=1)
        return totals

    @property
    def sizes(self) -> Float64Array:
        """The sum of the absolute values of all parts of each item, (n_items,)."""
        sizes = abs(self.base) + abs(self.user_bias) + np.abs(self.item_bias)
        for parts in (self.components, self.from_past):
            if parts is not None:
                sizes = sizes + np.abs(parts).sum(axis=1)
        return sizes


def parts_from_past(past: Int32Array, values: AnyArray, weights: AnyArray, *, is_signed: bool) -> ScoreParts:
    """Return scores that are sums over past items.

    Parameters
    ----------
    past : int32, (n_past,)
    values : float32, (n_past,)
        What each entry of the history counts.
    weights : float, (n_past, n_items)
        What an entry of 1 of each past item adds to each score.
    is_signed : bool
    """
    added = (np.asarray(weights, dtype=np.float64) * np.asarray(values, dtype=np.float64)[:, None]).T
    return ScoreParts(np.zeros(added.shape[0]), past_items=past, from_past=added, is_signed=is_signed)
