"""New entries taken into factors that are there already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recsys import rng, threads
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors
from recsys.factorization.losses import Loss
from recsys.typing import BoolArray, Float32Array, Int64Array


def extended(
    at: Factors, by_user: CompressedRows, by_item: CompressedRows, loss: Loss, *, seed: int
) -> Factors:
    """Return factors with rows for new users and items appended.

    New users are fitted to the known items, then new items to all users. A new user who has only
    new items starts at random, at the level of the known users.

    Parameters
    ----------
    at : Factors
        Of the known users and items.
    by_user, by_item : CompressedRows
        All entries: the known rows and columns first, then new ones.
    loss : Loss
    seed : int
    """
    n_users, n_items = len(at.user_factors), len(at.item_factors)
    if by_user.n_rows > n_users:
        new = by_user.select(np.arange(n_users, by_user.n_rows))
        known = CompressedRows.from_scipy(new.to_scipy()[:, :n_items])
        at = _appended(at, known, loss, empty=new.counts == 0, seed=seed)
    if by_item.n_rows > n_items:
        new = by_item.select(np.arange(n_items, by_item.n_rows))
        at = _appended(at.swapped, new, loss.of_items, empty=new.counts == 0, seed=seed).swapped
    return at


def _appended(at: Factors, new: CompressedRows, loss: Loss, *, empty: BoolArray, seed: int) -> Factors:
    """Append users fitted to the items; those with nothing among these get a random start."""
    factors, bias = loss.fold_in(new, at)
    lonely = (new.counts == 0) & ~empty
    if lonely.any():
        level = at.user_factors.mean(axis=0, dtype=np.float64)
        chance = rng.stream(seed, "partial-fit", len(at.user_factors))
        drawn = chance.random((int(lonely.sum()), factors.shape[1])) + 0.5
        factors[lonely] = (drawn * level).astype(np.float32)
    return replace(
        at,
        user_factors=np.concatenate([at.user_factors, factors]),
        user_bias=np.concatenate([at.user_bias, bias]),
    )


def touch(
    at: Factors,
    by_user: CompressedRows,
    by_item: CompressedRows,
    loss: Loss,
    *,
    users: Int64Array,
    items: Int64Array,
    passes: int,
    weights: Float32Array | None = None,
) -> Factors:
    """Sweep some users and some items; all other rows keep their bits.

    Parameters
    ----------
    at : Factors
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
    at = replace(
        at,
        user_factors=at.user_factors.copy(),
        item_factors=at.item_factors.copy(),
        user_bias=at.user_bias.copy(),
        item_bias=at.item_bias.copy(),
    )
    sides = []
    for rows, chosen, side_loss, side_weights, view in (
        (by_user, users, loss, weights, at),
        (by_item, items, loss.of_items, turned, at.swapped),
    ):
        taken = rows.select(chosen)
        if taken.nnz == 0:
            continue
        entries = None if side_weights is None else side_weights[rows.entries_of(chosen)]
        sides.append((side_loss.rows(taken, entries), chosen, view))
    with threads.launch():
        for _ in range(passes):
            for part, chosen, view in sides:
                own, bias = view.user_factors[chosen], view.user_bias[chosen]
                part.improve(view, own, bias)
                view.user_factors[chosen], view.user_bias[chosen] = own, bias
    return at
