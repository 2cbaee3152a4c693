"""What an estimator needs of each loss, under the same names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from recsys.data.rows import CompressedRows
from recsys.factorization.factors import AnyFactors, densely
from recsys.factorization.held_out_errors import Bounds, mean_divergence, ranking_loss, rmse
from recsys.factorization.masked import MaskedObjective, MaskedProblem
from recsys.factorization.masked_kl import (
    MaskedKLObjective,
    MaskedKLProblem,
    MaskedKLRows,
    fold_in_masked_kl,
)
from recsys.factorization.masked_rows import MaskedRows, fold_in_masked
from recsys.factorization.poisson import PoissonObjective, PoissonProblem, PoissonRows, fold_in_poisson
from recsys.factorization.sparse_weighted import weighted_problem
from recsys.factorization.validation import FactorProblem, HeldOutEntries
from recsys.factorization.weighted import WeightedObjective
from recsys.factorization.weighted_rows import HeldItems, WeightedRows, fold_in_weighted
from recsys.typing import Float32Array


class Rows(Protocol):
    """Some users with all their entries, to be swept again and again."""

    def improve(self, held: Any, own: Float32Array, bias: Float32Array) -> None:
        """Sweep once over factors and biases of the rows, in place, against what `Loss.hold` made."""


@dataclass(frozen=True)
class _Solver:
    """What goes with one kind of objective."""

    problem: Callable[..., FactorProblem]
    rows: Callable[..., Rows]
    fold_in: Callable[..., tuple[Float32Array, Float32Array]]
    error: Callable[[AnyFactors, HeldOutEntries, Bounds], float]
    hold: Callable[[Any, AnyFactors], Any] = lambda objective, at: densely(at)


_SOLVERS: Mapping[type, _Solver] = {
    MaskedObjective: _Solver(MaskedProblem, MaskedRows, fold_in_masked, rmse),
    MaskedKLObjective: _Solver(MaskedKLProblem, MaskedKLRows, fold_in_masked_kl, mean_divergence),
    WeightedObjective: _Solver(weighted_problem, WeightedRows, fold_in_weighted, ranking_loss, HeldItems),
    PoissonObjective: _Solver(PoissonProblem, PoissonRows, fold_in_poisson, ranking_loss),
}


@dataclass(frozen=True)
class Loss:
    """A loss with its penalties.

    Attributes
    ----------
    objective : MaskedObjective, MaskedKLObjective, WeightedObjective or PoissonObjective
    """

    objective: Any

    @property
    def of_items(self) -> Loss:
        """The loss as it looks with the two sides exchanged."""
        return replace(self, objective=self.objective.of_items)

    @property
    def _solver(self) -> _Solver:
        return _SOLVERS[type(self.objective)]

    def problem(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        start: AnyFactors,
        weights: Float32Array | None = None,
    ) -> FactorProblem:
        """Return the problem of fitting entries."""
        return self._solver.problem(by_user, by_item, self.objective, start, weights)

    def rows(self, rows: CompressedRows, weights: Float32Array | None = None) -> Rows:
        """Return some users as what can be swept alone; ``rows`` holds one entry or more."""
        return self._solver.rows(rows, self.objective, weights)

    def hold(self, at: AnyFactors) -> Any:
        """Return the item side as `fold_in` and `Rows.improve` take it; made once, it serves many users."""
        return self._solver.hold(self.objective, at)

    def fold_in(self, rows: CompressedRows, held: Any) -> tuple[Float32Array, Float32Array]:
        """Return factors and biases of new users, the items as `hold` gave them."""
        return self._solver.fold_in(rows, self.objective, held)

    def error(self, at: AnyFactors, held_out: HeldOutEntries, bounds: Bounds = None) -> float:
        """Return how far factors are from entries held out; less is better."""
        return self._solver.error(at, held_out, bounds)
