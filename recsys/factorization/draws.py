"""Draws of a chain: what is kept of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsys.typing import AnyArray, Float32Array, Float64Array


@dataclass
class Draws:
    """What is kept of the chain.

    Attributes
    ----------
    mean : float
        The constant part of a prediction.
    user_factors, item_factors : float32, (n_kept, n_users, rank), (n_kept, n_items, rank)
        Evenly spaced draws, each component of equal norm on both sides: what a product does not fix
        would otherwise wander from draw to draw, and means of factors would not multiply to means
        of products.
    user_bias, item_bias : float32, (n_kept, n_users), (n_kept, n_items)
    noise : float64, (n_users,)
        Variance of the noise in a user's values, its expectation averaged over the draws.
    """

    mean: float
    user_factors: Float32Array
    item_factors: Float32Array
    user_bias: Float32Array
    item_bias: Float32Array
    noise: Float64Array

    @property
    def largest_score(self) -> float:
        """A bound on the size of every score; infinite or not a number where a draw is."""
        tops = [
            np.abs(side).max(axis=(0, 1)).astype(np.float64)
            for side in (self.user_factors, self.item_factors)
        ]
        biases = sum(float(np.abs(side).max()) for side in (self.user_bias, self.item_bias))
        return float(np.sum(tops[0] * tops[1])) + biases + abs(self.mean)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return them as named arrays, for a checkpoint."""
        mean = np.array([self.mean], dtype=np.float64)
        return {"mean": mean, **{name: getattr(self, name) for name in _ARRAYS}}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, AnyArray]) -> Draws:
        """Take back what `to_arrays` gave."""
        fields: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
        return cls(float(arrays["mean"][0]), **fields)


_ARRAYS = ("user_factors", "item_factors", "user_bias", "item_bias", "noise")


def concatenate(chains: Sequence[Draws]) -> Draws:
    """Return the draws of several chains of the same model as one, chain after chain."""
    return Draws(
        mean=chains[0].mean,
        user_factors=np.concatenate([chain.user_factors for chain in chains]),
        item_factors=np.concatenate([chain.item_factors for chain in chains]),
        user_bias=np.concatenate([chain.user_bias for chain in chains]),
        item_bias=np.concatenate([chain.item_bias for chain in chains]),
        noise=np.mean([chain.noise for chain in chains], axis=0),
    )
