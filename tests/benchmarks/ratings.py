"""The ratings that all contenders are given, and the error they are judged by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from recsys import rng
from recsys.typing import AnyArray, BoolArray, Float32Array, Int32Array

Predict: TypeAlias = Callable[[Int32Array, Int32Array], AnyArray]
"""Users and items, by row number, to predicted ratings."""


@dataclass(frozen=True)
class Ratings:
    """Ratings as three columns of equal length.

    Attributes
    ----------
    users, items : int32, (n,)
        Row numbers.
    values : float32, (n,)
    n_users, n_items : int
        Of the whole log; some may have no rating here.
    """

    users: Int32Array
    items: Int32Array
    values: Float32Array
    n_users: int
    n_items: int

    def __len__(self) -> int:
        return len(self.values)

    def where(self, mask: BoolArray) -> Ratings:
        """Return the ratings that a mask keeps."""
        return Ratings(self.users[mask], self.items[mask], self.values[mask], self.n_users, self.n_items)

    def split(self, share: float, *names: str | int) -> tuple[Ratings, Ratings]:
        """Hold out a share at random, the same one for the same names."""
        held_out = rng.stream(0, "benchmark-split", *names).random(len(self)) < share
        return self.where(~held_out), self.where(held_out)

    def coo(self) -> sparse.coo_matrix:
        """Return a SciPy matrix of the same entries."""
        return sparse.coo_matrix((self.values, (self.users, self.items)), shape=(self.n_users, self.n_items))

    @property
    def csr_bytes(self) -> int:
        """Size of the entries as CSR: 4 bytes a value, 4 a column, 8 a row pointer."""
        return 8 * len(self) + 8 * (self.n_users + 1)


def errors(predict: Predict, held_out: Ratings) -> tuple[float, float]:
    """Return RMSE and MAE of predictions clipped to the scale 1 to 5."""
    predicted = np.asarray(predict(held_out.users, held_out.items), dtype=np.float64)
    missed = np.clip(predicted, 1, 5) - held_out.values
    return float(np.sqrt(np.mean(missed**2))), float(np.mean(np.abs(missed)))


def products(
    user_factors: Any, item_factors: Any, user_bias: Any = None, item_bias: Any = None, mean: float = 0.0
) -> Predict:
    """Return predictions ``mean + b_u + a_i + w_u . h_i`` of factors, by NumPy."""

    def predict(users: Int32Array, items: Int32Array) -> AnyArray:
        scores = np.einsum("ij,ij->i", user_factors[users], item_factors[items]) + mean
        if user_bias is not None and len(user_bias):
            scores += user_bias[users]
        if item_bias is not None and len(item_bias):
            scores += item_bias[items]
        return scores

    return predict


def falling_back(predict: Predict, train: Ratings) -> Predict:
    """Answer the mean of the training values for users and items that training does not know."""
    known_users = np.bincount(train.users, minlength=train.n_users) > 0
    known_items = np.bincount(train.items, minlength=train.n_items) > 0
    mean = float(train.values.mean(dtype=np.float64))

    def guarded(users: Int32Array, items: Int32Array) -> AnyArray:
        return np.where(known_users[users] & known_items[items], predict(users, items), mean)

    return guarded
