"""A start from users' profiles: each component begins as what one user took."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from recsys import rng
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors
from recsys.factorization.sparse_factors import SparseFactors
from recsys.factorization.starts import Start
from recsys.typing import Int64Array

# Components that begin with one user. What more of them share among themselves would be so little for each
# that the default l1 takes all of it, and a tiny log would be fitted by zeros.
_MOST_COPIES = 8
_CHUNK_BYTES = 16 * 2**20  # rows that are dense at a time


def profile_start(entries: Entries, rank: int, *, seed: int, number: int = 0) -> Start:
    """Let each component begin as what one user took, and each user's factor in it as what they share.

    Users are drawn without replacement, by the square root of their number of entries; where there are
    fewer users than components, further components are random halves of users' entries, up to
    `_MOST_COPIES` of a user, and the rest stay empty. An item's weight in a component shrinks with the
    root of its popularity; sides are scaled so that the products are about one half where there is an
    entry. Most factors are zero from the beginning, and components differ: a start at random spends its
    first sweeps on telling components apart.

    Parameters
    ----------
    entries : Entries
        Values do not count.
    rank : int
    seed : int
    number : int
        Another number gives another start.
    """
    rows = entries.by_user
    generator = rng.stream(seed, "baskets", *(("chain", number) if number else ()))
    seeds, n_drawn = _drawn_users(rows, rank, generator)
    counts = rows.counts[seeds]
    components = np.repeat(np.arange(len(seeds)), counts)
    items = rows.columns[rows.entries_of(seeds)].astype(np.int64)
    kept = (components < n_drawn) | (generator.random(len(components)) < 0.5)
    kept[np.cumsum(counts) - 1] = True  # one entry at least
    components, items = components[kept], items[kept]
    values = 1 / np.sqrt(entries.by_item.counts[items])
    values /= np.sqrt(np.bincount(components, values**2, minlength=rank))[components]
    order = np.lexsort((components, items))
    h = SparseFactors(
        np.r_[0, np.cumsum(np.bincount(items, minlength=rows.n_columns))],
        components[order].astype(np.uint16),
        values[order].astype(np.float32),
        rank,
    )
    w = _summed(rows, h)
    # Where w is the sum of the h of a user's entries, |w|^2 is the sum of the products at these entries.
    squares = float(np.sum(w.values.astype(np.float64) ** 2))
    level = 0.5 * rows.nnz / squares
    balance = np.sqrt(np.sqrt(np.sum(values**2) / (level**2 * squares)))
    w = w.times(np.full(len(w), level * balance, dtype=np.float32))
    h = h.times(np.full(len(h), 1 / balance, dtype=np.float32))
    return Start(Factors.unbiased(w, h), is_scaled=True)


def _drawn_users(rows: CompressedRows, rank: int, generator: np.random.Generator) -> tuple[Int64Array, int]:
    """Return the user of each component that is not to stay empty, and how many users were drawn."""
    active = np.flatnonzero(rows.counts)
    # Weighted draws without replacement: the largest u^(1/p) (Efraimidis & Spirakis 2006).
    keys = np.log(generator.random(len(active))) / np.sqrt(rows.counts[active])
    drawn = active[np.argsort(-keys, kind="stable")]
    n_components = min(rank, _MOST_COPIES * len(drawn))
    return drawn[np.arange(n_components) % len(drawn)], len(drawn)


def _summed(rows: CompressedRows, items: SparseFactors) -> SparseFactors:
    """Return for each user the sum of the factors of their items."""
    pattern = rows.with_values(np.ones(rows.nnz, dtype=np.float32)).to_scipy()
    factors = sparse.csr_array(
        (items.values, items.components.astype(np.int32), items.indptr), shape=(len(items), items.rank)
    )
    step = max(1, _CHUNK_BYTES // (4 * items.rank))
    parts = []
    for first in range(0, rows.n_rows, step):
        sums = (pattern[first : first + step] @ factors).tocsr()
        sums.sort_indices()
        parts.append(
            SparseFactors(sums.indptr.astype(np.int64), sums.indices.astype(np.uint16), sums.data, items.rank)
        )
    return SparseFactors.concatenated(parts)
