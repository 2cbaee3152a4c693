"""Which items a theme (component) is about: those it adds most to, and those that are particular to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.models.factor_model import FactorModel
from recsys.typing import Float64Array, Int64Array

_RELEVANCE = 0.5  # how much the weight inside the component counts beside the lift
_LEAST_OF_STRONGEST = 0.05  # an item of less than this part of the strongest one says nothing of a component


@dataclass(frozen=True, eq=False)
class ThemeItems:
    """What each component adds to each item over all observed entries.

    Attributes
    ----------
    items : tuple of int64 arrays
        Of each component the row numbers of the items it adds something to.
    masses : tuple of float64 arrays
        How much: ``h_if sum_u w_uf`` over the users who have the item. A large factor that few met is no
        sign of what a component is about.
    totals : float64, (n_items,)
        What all components add to each item.
    """

    items: tuple[Int64Array, ...]
    masses: tuple[Float64Array, ...]
    totals: Float64Array

    @classmethod
    def of(cls, model: FactorModel, seen: CompressedRows) -> ThemeItems:
        """Measure the components of a non-negative model over its training entries."""
        by_item = seen.with_values(np.ones(seen.nnz, dtype=np.float32)).to_scipy().T.tocsr()
        items, masses, totals = [], [], np.zeros(seen.n_columns)
        for number in range(len(model.shares_)):
            users, factors = model.component(number)
            rows = np.flatnonzero(factors)
            mass = factors[rows] * (by_item[rows] @ users.astype(np.float64))
            rows, mass = rows[mass > 0], mass[mass > 0]
            totals[rows] += mass
            items.append(rows)
            masses.append(mass)
        return cls(tuple(items), tuple(masses), totals)

    def strongest(self, number: int, n: int) -> tuple[Int64Array, Float64Array]:
        """Return the items to which a component adds most, and how much; at most n."""
        order = np.argsort(-self.masses[number], kind="stable")[:n]
        return self.items[number][order], self.masses[number][order]

    def particular(self, number: int, n: int) -> Int64Array:
        """Return the items that are most particular to a component; at most n.

        They are ranked by relevance, ``a log p(i | f) + (1 - a) log(p(i | f) / p(i))`` with a = 0.5 (Sievert
        & Shirley 2014, section 3.1): p(i | f) is an item's share of what the component adds, p(i) its share
        of what all components add. The first term alone would name bestsellers, the second alone what hardly
        anybody has; items of less than a twentieth of the strongest are left out.
        """
        mass, rows = self.masses[number], self.items[number]
        if len(mass) == 0:
            return rows
        inside = np.log(mass / mass.sum())
        lift = inside - np.log(self.totals[rows] / self.totals.sum())
        relevance = _RELEVANCE * inside + (1 - _RELEVANCE) * lift
        relevance[mass < _LEAST_OF_STRONGEST * mass.max()] = -np.inf
        order = np.argsort(-relevance, kind="stable")[:n]
        return np.asarray(rows[order[np.isfinite(relevance[order])]])
