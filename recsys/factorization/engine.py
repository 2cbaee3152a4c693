"""Where the sweeps of a fit are computed: in this process, or by another engine that is set for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from recsys.factorization.entries import Entries
from recsys.factorization.neighbor_problem import NeighborProblem, Weights
from recsys.factorization.objective import Objective, Side, Units
from recsys.typing import Int32Array


class Engine(Protocol):
    """Makes the two sides of a fit, and solves what is a problem for each item."""

    def sides(self, objective: Objective, entries: Entries, units: Units) -> tuple[Side, Side]:
        """Return the users and the items of entries, ready to be swept.

        Sweeps over them come to the same factors whatever the engine is.
        """

    def neighbors(self, problem: NeighborProblem, targets: Int32Array) -> Weights:
        """Return the weights by which other items explain some, in any order."""


class LocalEngine:
    """The kernels of this process."""

    def sides(self, objective: Objective, entries: Entries, units: Units) -> tuple[Side, Side]:
        """Return the users and the items of entries; see `Engine`."""
        return (
            objective.side(entries.by_user, entries.weights, units),
            objective.transposed.side(entries.by_item, entries.item_weights, units),
        )

    def neighbors(self, problem: NeighborProblem, targets: Int32Array) -> Weights:
        """Return the weights by which other items explain some; see `Engine`."""
        return problem.solved(targets)


_engine: ContextVar[Engine] = ContextVar("recsys_engine", default=LocalEngine())  # noqa: B039 - holds nothing


def current() -> Engine:
    """Return the engine of fits that begin now."""
    return _engine.get()


@contextmanager
def use(engine: Engine) -> Iterator[None]:
    """Let fits inside the body be swept by an engine."""
    token = _engine.set(engine)
    try:
        yield
    finally:
        _engine.reset(token)
