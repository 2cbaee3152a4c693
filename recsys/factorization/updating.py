"""New entries taken into factors that are there already."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import AnyFactors
from recsys.factorization.losses import Loss
from recsys.typing import BoolArray, Float32Array, Int64Array


def extended(
    at: AnyFactors, by_user: CompressedRows, by_item: CompressedRows, loss: Loss, *, seed: int
) -> AnyFactors:
    """Return factors with rows for new users and items appended.

    New users are fitted to the known items, then new items to all users. A new user who has only
    new items starts at random, at the level of the known users.

    Parameters
    ----------
    at : Factors or SparsePair
        Of the known users and items.
    by_user, by_item : CompressedRows
        All entries: the known rows and columns first, then new ones.
    loss : Loss
    seed : int
    """
    n_users, n_items = at.n_users, at.n_items
    if by_user.n_rows > n_users:
        new = by_user.select(np.arange(n_users, by_user.n_rows))
        known = CompressedRows.from_scipy(new.to_scipy()[:, :n_items])
        at = _appended(at, known, loss, empty=new.counts == 0, seed=seed)
    if by_item.n_rows > n_items:
        new = by_item.select(np.arange(n_items, by_item.n_rows))
        at = _appended(at.swapped, new, loss.of_items, empty=new.counts == 0, seed=seed).swapped
    return at


def _appended(at: AnyFactors, new: CompressedRows, loss: Loss, *, empty: BoolArray, seed: int) -> AnyFactors:
    """Append users fitted to the items; those with nothing among these get a random start."""
    factors, bias = loss.fold_in(new, loss.hold(at))
    lonely = (new.counts == 0) & ~empty
    if lonely.any():
        level = at.mean_user()
        chance = rng.stream(seed, "partial-fit", at.n_users)
        drawn = chance.random((int(lonely.sum()), factors.shape[1])) + 0.5
        factors[lonely] = (drawn * level).astype(np.float32)
    return at.with_users(factors, bias)


def touch(
    at: AnyFactors,
    by_user: CompressedRows,
    by_item: CompressedRows,
    loss: Loss,
    *,
    users: Int64Array,
    items: Int64Array,
    passes: int,
    weights: Float32Array | None = None,
) -> AnyFactors:
    """Sweep some users and some items; all other rows keep their bits.

    Parameters
    ----------
    at : Factors or SparsePair
        Left as it is.
    by_user, by_item : CompressedRows
    loss : Loss
    users, items : int64
        Rows to sweep, each with all its entries.
    passes : int
        How often: these users, then these items.
    weights : float32, (nnz,), optional
        Of the entries of ``by_user``.
    """
    turned = None if weights is None else by_user.with_values(weights).transposed().values
    at, sides = at.copied(), []
    for rows, chosen, side_loss, side_weights in (
        (by_user, users, loss, weights),
        (by_item, items, loss.of_items, turned),
    ):
        entries = None if side_weights is None else side_weights[rows.entries_of(chosen)]
        taken = rows.select(chosen)
        sides.append((side_loss, chosen, side_loss.rows(taken, entries) if taken.nnz else None))
    # What each side is swept against stands until the opposite side is swept.
    held: list[Any] = [None, None]
    with threads.launch():
        for _ in range(passes):
            for side, (side_loss, chosen, part) in enumerate(sides):
                if part is not None:
                    if held[side] is None:
                        held[side] = side_loss.hold(at)
                    own, bias = at.users_at(chosen)
                    part.improve(held[side], own, bias)
                    at.put_users(chosen, own, bias)
                    held[1 - side] = None
                at = at.swapped
    return at
