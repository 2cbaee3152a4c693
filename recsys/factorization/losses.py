"""What an estimator needs of each loss, under the same names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.masked import (
    MaskedFactors,
    MaskedObjective,
    MaskedProblem,
    fold_in_masked,
    unit_of,
)
from recsys.factorization.masked_kl import FLOOR, MaskedKLObjective, MaskedKLProblem, fold_in_masked_kl
from recsys.factorization.validation import FactorProblem
from recsys.typing import Float32Array, Float64Array


class Loss(Protocol):
    """A loss with its penalties."""

    @property
    def of_items(self) -> Loss:
        """The loss as it looks with the two sides exchanged."""

    def problem(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        start: MaskedFactors,
        weights: Float32Array | None = None,
    ) -> FactorProblem:
        """Return the problem of fitting entries."""

    def fold_in(self, rows: CompressedRows, fitted: MaskedFactors) -> tuple[Float32Array, Float32Array]:
        """Return factors and biases of new users, items held."""

    def error(self, values: Float64Array, predicted: Float64Array, weights: Float32Array | None) -> float:
        """Return how far predictions are from values; less is better."""


@dataclass(frozen=True)
class SquaredLoss:
    """Half the squared error; the error is its root mean (rmse)."""

    objective: MaskedObjective

    @property
    def of_items(self) -> SquaredLoss:
        """The loss as it looks with the two sides exchanged."""
        return SquaredLoss(self.objective.of_items)

    def problem(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        start: MaskedFactors,
        weights: Float32Array | None = None,
    ) -> MaskedProblem:
        """Return the problem of fitting entries."""
        return MaskedProblem(by_user, by_item, self.objective, start, weights)

    def fold_in(self, rows: CompressedRows, fitted: MaskedFactors) -> tuple[Float32Array, Float32Array]:
        """Return factors and biases of new users, items held."""
        return fold_in_masked(rows, self.objective, fitted)

    def error(self, values: Float64Array, predicted: Float64Array, weights: Float32Array | None) -> float:
        """Return the root of the mean squared error."""
        return float(np.sqrt(np.average((values - predicted) ** 2, weights=weights)))


@dataclass(frozen=True)
class KLLoss:
    """The generalized Kullback-Leibler divergence; the error is its mean."""

    objective: MaskedKLObjective

    @property
    def of_items(self) -> KLLoss:
        """The loss as it looks with the two sides exchanged."""
        return KLLoss(self.objective.of_items)

    def problem(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        start: MaskedFactors,
        weights: Float32Array | None = None,
    ) -> MaskedKLProblem:
        """Return the problem of fitting entries."""
        return MaskedKLProblem(by_user, by_item, self.objective, start, weights)

    def fold_in(self, rows: CompressedRows, fitted: MaskedFactors) -> tuple[Float32Array, Float32Array]:
        """Return factors of new users, items held, and zeros for their biases."""
        return fold_in_masked_kl(rows, self.objective, fitted), np.zeros(rows.n_rows, dtype=np.float32)

    def error(self, values: Float64Array, predicted: Float64Array, weights: Float32Array | None) -> float:
        """Return the mean of ``x log(x / q) - x + q``, q being the prediction plus the solver's floor."""
        q = predicted + FLOOR * unit_of(values.astype(np.float32))
        logs = np.zeros_like(values)
        np.log(values / q, out=logs, where=values > 0)
        return float(np.average(values * logs - values + q, weights=weights))
