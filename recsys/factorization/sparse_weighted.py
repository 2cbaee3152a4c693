"""Weighted factorization with factors of which most are zero, as a bound at zero makes them.

Legend as in `recsys.factorization.weighted`.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recsys import rng
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import AnyFactors, Factors, SparsePair, densely
from recsys.factorization.sharing import row_blocks
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.weighted import WeightedObjective, WeightedProblem, WeightedSide
from recsys.kernels.weighted_sparse import sweep_weighted_sparse
from recsys.kernels.weighted_support import sweep_weighted_support

# Themes that begin with one user. What more of them share among themselves would be so little for each
# that the default l1 takes all of it, and a tiny log would be fitted by zeros.
_MOST_COPIES = 8
_PERIOD = 3  # of whole sweeps: on Gowalla, eight sweeps ranked as well as eight whole ones (0.1075, 0.1077)
_CHUNK_BYTES = 16 * 2**20  # rows that are dense at a time: their factors are improved, then stored sparse


def _swept(
    side: WeightedSide, own: SparseFactors, opposite: WeightedSide, other: SparseFactors
) -> SparseFactors:
    """Return the factors of a side improved, zeros included, those of the opposite one held."""
    gram = other.gram(opposite.terms.importance)
    step = max(1, _CHUNK_BYTES // (4 * own.rank))
    parts = []
    for first in range(0, len(own), step):
        last = min(first + step, len(own))
        factors = own.dense(first, last)
        sweep_weighted_sparse(
            row_blocks(side.rows.indptr[first : last + 1] - side.rows.indptr[first]),
            side.rows.indptr[first : last + 1],
            side.rows.columns,
            side.rows.values,
            side.terms.target[first:last],
            opposite.terms.target,
            factors,
            other.indptr,
            other.themes,
            other.values,
            gram,
            side.absent[first:last],
            side.ridge[first:last],
            np.float32(side.l1),
            side.n_inner,
            side.slots[first:last],
        )
        parts.append(SparseFactors.of(factors))
    return SparseFactors.joined(parts)


def _tightened(
    side: WeightedSide, own: SparseFactors, opposite: WeightedSide, other: SparseFactors
) -> SparseFactors:
    """Return the non-zero factors of a side improved, those of the opposite one held."""
    values = own.values.copy()
    sweep_weighted_support(
        side.blocks,
        side.rows.indptr,
        side.rows.columns,
        side.rows.values,
        side.terms.target,
        opposite.terms.target,
        own.indptr,
        own.themes,
        values,
        other.indptr,
        other.themes,
        other.values,
        other.gram(opposite.terms.importance),
        side.absent,
        side.ridge,
        np.float32(side.l1),
        side.n_inner,
        side.slots,
    )
    kept = values > 0
    return SparseFactors(np.r_[0, np.cumsum(kept)][own.indptr], own.themes[kept], values[kept], own.rank)


class SparseWeightedProblem:
    """The two sides and the factors between them; a twin of `WeightedProblem` for ``nonnegative``.

    A sweep costs what the non-zeros ask for, and no array of all factors is made: rows are spread
    out, improved and stored again a chunk at a time. The first two sweeps and every third one from
    there look at all coordinates; those between them only at the ones that are not zero, for about
    half the time. What they leave out the next whole sweep finds: nearly all zeros stay zero.

    Attributes
    ----------
    looked_at_all : bool
        Whether the last sweep was a whole one.

    Parameters
    ----------
    by_user, by_item : CompressedRows
        Values are the confidences ``c`` of the observed entries, above 0.
    objective : WeightedObjective
        ``nonnegative``.
    start : SparsePair or Factors
        Times the scale of the targets, as `basket_start` and `scaled` give them.
    """

    def __init__(
        self,
        by_user: CompressedRows,
        by_item: CompressedRows,
        objective: WeightedObjective,
        start: AnyFactors,
    ) -> None:
        assert objective.nonnegative
        self._objective, self._sides = objective, (by_user, by_item)
        self._users = WeightedSide(by_user, objective)
        self._items = WeightedSide(by_item, objective.of_items)
        if isinstance(start, Factors):
            start = SparsePair(SparseFactors.of(start.user_factors), SparseFactors.of(start.item_factors))
        self._w, self._h = start.users, start.items
        self.looked_at_all = True
        self._n_sweeps = 0

    def sweep_users(self) -> None:
        """Improve the user side, the item side held."""
        self.looked_at_all = self._n_sweeps == 0 or self._n_sweeps % _PERIOD == 1
        self._n_sweeps += 1
        improve = _swept if self.looked_at_all else _tightened
        self._w = improve(self._users, self._w, self._items, self._h)

    def sweep_items(self) -> float:
        """Improve the item side, the user side held, and return the objective."""
        improve = _swept if self.looked_at_all else _tightened
        self._h = improve(self._items, self._h, self._users, self._w)
        squares = np.bincount(
            self._w.row_numbers, self._w.values.astype(np.float64) ** 2, minlength=len(self._w)
        )
        penalty = 0.5 * float(squares @ self._users.ridge) + self._users.l1 * float(
            np.sum(self._w.values, dtype=np.float64)
        )
        total = float(np.sum(self._items.slots)) + penalty
        # A bound at zero turns what is no number into 0, but the user sweep's own objective shows it.
        return total if np.isfinite(np.sum(self._users.slots)) else float("nan")

    def nonzero_share(self) -> float:
        """Return the share of factor entries that are not zero."""
        return SparsePair(self._w, self._h).nonzero_share

    def projected_gradient(self) -> float:
        """Return the norm of the projected gradient over both sides, by way of dense factors."""
        at = SparsePair(self._w, self._h).dense
        return WeightedProblem(*self._sides, self._objective, at).projected_gradient()

    def factors(self) -> SparsePair:
        """Return the factors in units of preference."""
        return SparsePair(
            self._w.scaled(np.reciprocal(self._users.terms.target)),
            self._h.scaled(np.reciprocal(self._items.terms.target)),
        )


def weighted_problem(
    by_user: CompressedRows,
    by_item: CompressedRows,
    objective: WeightedObjective,
    start: AnyFactors,
    weights: None = None,
) -> SparseWeightedProblem | WeightedProblem:
    """Return the problem of fitting entries, as suits the objective."""
    if objective.nonnegative:
        return SparseWeightedProblem(by_user, by_item, objective, start)
    return WeightedProblem(by_user, by_item, objective, densely(start))


def basket_start(
    rows: CompressedRows, by_item: CompressedRows, rank: int, *, seed: int, chain: int = 0
) -> SparsePair:
    """Let each theme begin as what one user took, and each user's part in it as what they share.

    Users are drawn without return, by the square root of their number of entries; where there are
    fewer users than themes, further themes are random halves of users' entries, up to `_MOST_COPIES`
    of a user, and the rest stay empty. An item's weight in
    a theme shrinks with the root of its popularity; sides are scaled so that the products are about
    one half where there is an entry. Most factors are zero from the beginning, and themes differ: a
    start at random spends its first sweeps on telling themes apart.

    Parameters
    ----------
    rows, by_item : CompressedRows, (n_users, n_items) and (n_items, n_users)
        The same entries; values do not count.
    rank : int
    seed : int
    chain : int
        Another number gives another start.
    """
    generator = rng.stream(seed, "baskets", *(("chain", chain) if chain else ()))
    taken = np.flatnonzero(rows.counts)
    # Weighted draws without return: the largest u^(1/p) (Efraimidis & Spirakis 2006).
    keys = np.log(generator.random(len(taken))) / np.sqrt(rows.counts[taken])
    drawn = taken[np.argsort(-keys, kind="stable")]
    live = min(rank, _MOST_COPIES * len(drawn))
    seeds = drawn[np.arange(live) % len(drawn)]
    counts = rows.counts[seeds]
    themes, items = np.repeat(np.arange(live), counts), rows.columns[rows.entries_of(seeds)].astype(np.int64)
    kept = (themes < len(drawn)) | (generator.random(len(themes)) < 0.5)
    kept[np.cumsum(counts) - 1] = True  # one entry at least
    themes, items = themes[kept], items[kept]
    values = 1 / np.sqrt(by_item.counts[items])
    values /= np.sqrt(np.bincount(themes, values**2, minlength=rank))[themes]
    order = np.lexsort((themes, items))
    h = SparseFactors(
        np.r_[0, np.cumsum(np.bincount(items, minlength=rows.n_columns))],
        themes[order].astype(np.uint16),
        values[order].astype(np.float32),
        rank,
    )
    w = _summed(rows, h)
    # Where w is the sum of the h of a user's entries, |w|^2 is the sum of the products at these entries.
    squares = float(np.sum(w.values.astype(np.float64) ** 2))
    level = 0.5 * rows.nnz / squares
    balance = np.sqrt(np.sqrt(np.sum(values**2) / (level**2 * squares)))
    return SparsePair(_times(w, level * balance), _times(h, 1 / balance))


def _times(side: SparseFactors, number: float) -> SparseFactors:
    return side.scaled(np.full(len(side), number, dtype=np.float32))


def _summed(rows: CompressedRows, items: SparseFactors) -> SparseFactors:
    """Return for each user the sum of the factors of their items."""
    pattern = rows.with_values(np.ones(rows.nnz, dtype=np.float32)).to_scipy()
    factors = sparse.csr_array(
        (items.values, items.themes.astype(np.int32), items.indptr), shape=(len(items), items.rank)
    )
    step = max(1, _CHUNK_BYTES // (4 * items.rank))
    parts = []
    for first in range(0, rows.n_rows, step):
        met = (pattern[first : first + step] @ factors).tocsr()
        met.sort_indices()
        parts.append(
            SparseFactors(met.indptr.astype(np.int64), met.indices.astype(np.uint16), met.data, items.rank)
        )
    return SparseFactors.joined(parts)
