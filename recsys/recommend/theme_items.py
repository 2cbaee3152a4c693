"""Which items a theme (component) is about: those it adds most to, and those that are particular to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from recsys.data.rows import CompressedRows
from recsys.models.factor_model import FactorModel
from recsys.typing import Float64Array, Int64Array

_RELEVANCE = 0.5  # how much the weight inside the component counts beside the lift
_LOOKED_THROUGH = 8  # times as many items as names are wanted, where several have one name
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

    def similarities(self) -> Float64Array:
        """Return the cosine of every two components' items, (n_components, n_components).

        An item counts as the root of what the component adds to it, divided by the fourth root of what all
        add: bestsellers, which are in all components, would else make all alike.
        """
        lengths = [len(rows) for rows in self.items]
        columns = np.concatenate([np.zeros(0, np.int64), *self.items])
        weights = np.concatenate([np.zeros(0), *self.masses]) ** 0.5
        weights /= np.maximum(self.totals[columns], np.finfo(np.float64).tiny) ** 0.25
        indptr = np.r_[0, np.cumsum(lengths, dtype=np.int64)]
        vectors = sparse.csr_array((weights, columns, indptr), shape=(len(lengths), len(self.totals)))
        norms = np.sqrt(vectors.power(2).sum(axis=1))
        scale = np.divide(1.0, norms, out=np.zeros(len(norms)), where=norms > 0)
        return np.asarray((vectors @ vectors.T).toarray() * np.outer(scale, scale))

    def joined(self, groups: Sequence[Sequence[int]]) -> ThemeItems:
        """Return the same of groups of components, each as if it were one."""
        size, masses, items = len(self.totals), [], []
        for group in groups:
            mass = np.zeros(size)
            for number in group:
                mass[self.items[number]] += self.masses[number]
            items.append(np.flatnonzero(mass))
            masses.append(mass[items[-1]])
        return ThemeItems(tuple(items), tuple(masses), self.totals)

    def strongest(self, number: int, n: int) -> tuple[Int64Array, Float64Array]:
        """Return the items to which a component adds most, and how much; at most n."""
        order = np.argsort(-self.masses[number], kind="stable")[:n]
        return self.items[number][order], self.masses[number][order]

    def concentration(self, number: int, n: int = 10) -> float:
        """Return the part of a component's n strongest items in all that it adds; 0 if it adds nothing."""
        whole = float(self.masses[number].sum())
        return float(self.strongest(number, n)[1].sum()) / whole if whole > 0 else 0.0

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

    def names(self, number: int, name_of: Callable[[int], str], n: int = 3) -> tuple[str, ...]:
        """Return different names of the items that are most particular to a component; at most n.

        Parameters
        ----------
        number : int
            Of the component, from 0.
        name_of : callable
            From the row number of an item to its name, which others may share.
        n : int
        """
        rows = self.particular(number, _LOOKED_THROUGH * n)
        return tuple(dict.fromkeys(name_of(int(row)) for row in rows))[:n]
