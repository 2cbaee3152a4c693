"""Entries held out of a fit, to tell when it is good enough and which start was best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from recsys import rng
from recsys.data.rows import CompressedRows
from recsys.errors import InputError
from recsys.factorization.descent import Problem
from recsys.factorization.factors import AnyFactors
from recsys.typing import Float32Array, Float64Array, Int64Array


class FactorProblem(Problem, Protocol):
    """A problem that shows its factors."""

    def factors(self) -> AnyFactors:
        """Return the factors in the units of the data, as arrays of their own."""

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient."""


@dataclass(frozen=True, eq=False)
class HeldOutEntries:
    """The entries that a fit does not see.

    Attributes
    ----------
    users, items : int64, (n,)
        By user, then by item.
    values : float64, (n,)
    seen : CompressedRows, (n_users, n_items)
        The entries that the fit does see.
    weights : float32, (n,), optional
    """

    users: Int64Array
    items: Int64Array
    values: Float64Array
    seen: CompressedRows
    weights: Float32Array | None = None

    @cached_property
    def by_user(self) -> CompressedRows:
        """The entries by user."""
        indptr = np.searchsorted(self.users, np.arange(self.seen.n_rows + 1))
        items, values = self.items.astype(np.int32), self.values.astype(np.float32)
        return CompressedRows(indptr, items, values, self.seen.n_columns)


Error = Callable[[AnyFactors, HeldOutEntries], float]
"""What a loss makes of factors and entries held out: less is better."""


def hold_out(
    rows: CompressedRows, share: float, *, seed: int, weights: Float32Array | None = None
) -> tuple[CompressedRows, Float32Array | None, HeldOutEntries]:
    """Set entries aside at random.

    Entries whose user or item has none left to learn from are set aside but not measured: what is
    predicted for them does not depend on how well the rest is fitted.

    Parameters
    ----------
    rows : CompressedRows, (n_users, n_items)
    share : float
        Of the entries, above 0 and below 1.
    seed : int
    weights : float32, (nnz,), optional

    Returns
    -------
    rest : CompressedRows
        The other entries, same shape.
    rest_weights : float32 or None
    held_out : HeldOutEntries

    Raises
    ------
    InputError
        If there are too few entries.
    """
    n_out = max(1, round(share * rows.nnz))
    chosen = rng.stream(seed, "validation").permutation(rows.nnz)[:n_out]
    inside = np.ones(rows.nnz, dtype=bool)
    inside[chosen] = False
    rest = rows.only(inside)
    item_counts = np.bincount(rest.columns, minlength=rows.n_columns)
    users, items = rows.row_numbers, rows.columns.astype(np.int64)
    measured = ~inside & (rest.counts[users] > 0) & (item_counts[items] > 0)
    if not measured.any():
        raise InputError(
            f"{rows.nnz} entries are too few to hold out a share of {share:g} and learn from the rest; "
            f"set validation_share=0 and n_init=1."
        )
    held_out = HeldOutEntries(
        users[measured],
        items[measured],
        rows.values[measured].astype(np.float64),
        rest,
        None if weights is None else weights[measured],
    )
    return rest, None if weights is None else weights[inside], held_out


class Monitor:
    """Held-out entries watching a problem; see `recsys.factorization.descent.Validation`.

    Parameters
    ----------
    problem : FactorProblem
    held_out : HeldOutEntries
    error : Error
    """

    def __init__(self, problem: FactorProblem, held_out: HeldOutEntries, error: Error) -> None:
        self._problem, self._held_out, self._error = problem, held_out, error
        self._scored: AnyFactors | None = None
        self.best: AnyFactors | None = None

    def score(self) -> float:
        """Return the error of the problem as it stands."""
        self._scored = self._problem.factors()
        return self._error(self._scored, self._held_out)

    def keep(self) -> None:
        """Keep the state scored last."""
        self.best = self._scored
