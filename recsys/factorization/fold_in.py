"""Rows fitted to a side that is held: new users, new rows of a model, or some rows with new entries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.factorization.entries import Entries
from recsys.factorization.factors import Factors, SideFactors
from recsys.factorization.objective import Objective
from recsys.typing import BoolArray, Float32Array, Int64Array

_FEW = 64  # users whose factors are kept until somebody else is folded in
_PASSES = 10  # coordinate passes between two looks at which rows have converged


def fold_in(
    objective: Objective,
    rows: CompressedRows,
    held: Any,
    rank: int,
    *,
    tol: float = 1e-5,
    max_iter: int = 2000,
) -> SideFactors:
    """Fit new users to fixed items, each until it no longer changes.

    The problem of one row is convex: its solution does not depend on a start, as far as the items
    determine it. Rows do not depend on each other: a user gets the same bits alone and in a crowd.

    Parameters
    ----------
    objective : Objective
    rows : CompressedRows, (n_new_users, n_items)
    held : as by ``objective.hold_items``
        Made once, it serves many users.
    rank : int
        Number of components.
    tol : float
        A row has converged when ten passes change no factor by more than this share of its largest, nor
        the bias by more than this share of the row's largest value.
    max_iter : int
        Most passes over a row.

    Returns
    -------
    SideFactors, (n_new_users, rank)
        In the units of the data; zeros for rows without entries.
    """
    passes, units = objective.with_passes(_PASSES), objective.row_units(rows, None, held)
    factors = np.zeros((rows.n_rows, rank), dtype=np.float32)
    bias = np.zeros(rows.n_rows, dtype=np.float32)
    active = np.flatnonzero(rows.counts)
    largest = _largest_values(rows) / np.float32(units.values)  # of each row, in its unit
    with threads.launch_or_alone():
        for _ in range(0, max_iter, _PASSES):
            if len(active) == 0:
                break
            side = passes.side(rows.select(active), None, units.of_rows(active))
            state = SideFactors.of(factors[active], bias[active])
            improved = side.sweep(state, held, side.penalty)
            now, now_bias = improved.factors.dense(), improved.bias
            moved: BoolArray = np.abs(now - factors[active]).max(axis=1) > tol * np.abs(now).max(axis=1)
            moved |= np.abs(now_bias - bias[active]) > tol * largest[active]
            factors[active], bias[active] = now, now_bias
            active = active[moved]
    everyone = objective.side(rows, None, units)
    return everyone.unscaled(SideFactors.of(factors, bias))


@dataclass(eq=False)
class FoldIn:
    """New users of a fitted model: its items are prepared once, and serve many calls.

    Attributes
    ----------
    factors : Factors
    """

    factors: Factors
    _prepared: tuple[Objective, Any] | None = field(default=None, init=False)  # for the objective asked last
    _last: tuple[Objective, CompressedRows, SideFactors] | None = field(default=None, init=False)

    def __call__(self, objective: Objective, rows: CompressedRows) -> SideFactors:
        """Return factors and biases of new users; see `fold_in`.

        Scores and components of somebody are asked for one after the other: few users asked for again are
        not fitted again. Copies are kept and returned, for a caller may change what it owns.
        """
        last = self._last
        if last is not None and last[0] == objective and last[1].equals(rows):
            return last[2].copy()
        folded = fold_in(objective, rows, self.held(objective), self.factors.rank)
        if rows.n_rows <= _FEW:
            self._last = objective, rows.copy(), folded.copy()
        return folded

    def held(self, objective: Objective) -> Any:
        """Return the items as new users are fitted to them; see ``Objective.hold_items``."""
        if self._prepared is None or self._prepared[0] != objective:
            self._prepared = objective, objective.hold_items(self.factors.items, self.factors.mean)
        return self._prepared[1]


def _largest_values(rows: CompressedRows) -> Float32Array:
    """Return the largest value of each row, (n_rows,); zeros for rows without entries."""
    largest = np.zeros(rows.n_rows, dtype=np.float32)
    filled = np.flatnonzero(rows.counts)
    if len(filled):
        largest[filled] = np.maximum.reduceat(rows.values, rows.indptr[filled])
    return largest


def append_new_rows(objective: Objective, factors: Factors, entries: Entries, *, seed: int) -> Factors:
    """Return factors with rows for new users and items appended.

    New users are fitted to the known items, then new items to all users. A new user who has only
    new items starts at random, at the level of the known users.

    Parameters
    ----------
    objective : Objective
    factors : Factors
        Of the known users and items.
    entries : Entries
        All of them: the known rows and columns first, then new ones.
    seed : int
    """
    n_users, n_items = len(factors.users), len(factors.items)
    by_user, by_item = entries.by_user, entries.by_item
    if by_user.n_rows > n_users:
        new = by_user.select(np.arange(n_users, by_user.n_rows))
        known = CompressedRows.from_scipy(new.to_scipy()[:, :n_items])
        factors = _append_users(objective, factors, known, new.counts > 0, seed=seed)
    if by_item.n_rows > n_items:
        new = by_item.select(np.arange(n_items, by_item.n_rows))
        turned = _append_users(objective.transposed, factors.transposed, new, new.counts > 0, seed=seed)
        factors = turned.transposed
    return factors


def _append_users(
    objective: Objective, factors: Factors, new: CompressedRows, has_entries: BoolArray, *, seed: int
) -> Factors:
    """Append users fitted to the items; who has entries, but none of these, gets random factors."""
    fitted = fold_in(objective, new, objective.hold_items(factors.items, factors.mean), factors.rank)
    unmatched = (new.counts == 0) & has_entries
    if unmatched.any():
        level = factors.users.factors.mean_row()
        generator = rng.stream(seed, "partial-fit", len(factors.users))
        drawn = generator.random((int(unmatched.sum()), factors.rank)) + 0.5
        random = SideFactors.of((drawn * level).astype(np.float32))
        fitted = fitted.replace_rows(np.flatnonzero(unmatched), random)
    return replace(factors, users=factors.users.append(fitted))


def update_rows(
    objective: Objective,
    factors: Factors,
    entries: Entries,
    *,
    users: Int64Array,
    items: Int64Array,
    passes: int,
) -> Factors:
    """Sweep some users and some items, each with all its entries; all other rows keep their bits.

    Parameters
    ----------
    objective : Objective
    factors : Factors
        Left as they are.
    entries : Entries
    users, items : int64
        Rows to sweep.
    passes : int
        How often: these users, then these items.
    """
    sides = [
        _RowUpdate(objective, entries, users),
        _RowUpdate(objective.transposed, entries.transposed, items),
    ]
    for _ in range(passes):
        for update in sides:
            factors = update.improved(factors).transposed
    return factors


class _RowUpdate:
    """Some users with all their entries, to be swept again and again."""

    def __init__(self, objective: Objective, entries: Entries, users: Int64Array) -> None:
        self._objective, self._users = objective, users
        rows, self._weights = entries.of_users(users)
        self._items: Int64Array | None = None
        if not objective.covers_all_cells:
            # Only items that are met are converted: few users cost little, however many items there are.
            self._items, columns = np.unique(rows.columns, return_inverse=True)
            rows = CompressedRows(rows.indptr, columns.astype(np.int32), rows.values, len(self._items))
        self._rows = rows
        self._held: tuple[SideFactors, Any] | None = None  # of items that have not changed since

    def improved(self, factors: Factors) -> Factors:
        """Return the factors after one sweep over these users."""
        if self._rows.nnz == 0:
            return factors
        if self._held is None or self._held[0] is not factors.items:
            items = factors.items if self._items is None else factors.items.select(self._items)
            self._held = factors.items, self._objective.hold_items(items, factors.mean)
        held = self._held[1]
        units = self._objective.row_units(self._rows, self._weights, held)
        side = self._objective.side(self._rows, self._weights, units)
        dense = factors.users.select(self._users).as_dense()
        improved = side.unscaled(side.sweep(side.scaled(dense), held, side.penalty))
        return replace(factors, users=factors.users.replace_rows(self._users, improved))
