"""Blocks of users in, ranked unseen items out; never users x items in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.data.ids import Id
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError, ParameterError
from recsys.factorization.scoring import LeftOut, TopItems
from recsys.kernels.ranked_scoring import LONGEST
from recsys.kernels.ranking import select_top
from recsys.models.factor_model import FactorModel
from recsys.models.scorer import BlockScorer
from recsys.recommend.restriction import Restriction
from recsys.typing import Float32Array, Int32Array, Int64Array

BLOCK_BYTES = 16 * 2**20
"""How large a block of scores may be: small enough to be near when the best are looked for, and to be had
again without being cleared by the system, which takes as long as the search."""
_FUSED_USERS = 1_024  # at a time, where no block of scores is made


@dataclass(frozen=True, eq=False)
class RankedBlock:
    """The lists of a block of users.

    Attributes
    ----------
    users : int64, (n_block,)
    items, scores : int32 and float32, (n_block, n)
        Best first; only the first ``n_listed`` of a row count.
    n_listed : int64, (n_block,)
    unseen_scores : float32, (n_block, n_items), or None
        The scores of all items, -inf for those left out, where they were asked for.
    """

    users: Int64Array
    items: Int32Array
    scores: Float32Array
    n_listed: Int64Array
    unseen_scores: Float32Array | None = None


MOST = 1_000_000
"""Longest list that can be asked for."""


def check_n(n: object, name: str = "n", least: int = 1) -> None:
    """Raise ParameterError unless a number of items is a whole number from ``least`` to `MOST`."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not least <= n <= MOST:
        raise ParameterError(f"{name} is {n!r:.40}; expected a whole number, {least} to {MOST:,}.")


def ranked_blocks(
    model: BlockScorer,
    users: Int64Array,
    n: int,
    seen: CompressedRows | None,
    *,
    block_bytes: int = BLOCK_BYTES,
    keep_scores: bool = False,
    rules: Restriction | None = None,
    names: Sequence[Id] | None = None,
    histories: CompressedRows | None = None,
) -> Iterator[RankedBlock]:
    """Rank all unseen items for each user; ties fall to the lower item number.

    Parameters
    ----------
    model : BlockScorer
        Fitted.
    users : int64, (n_users,)
        Row numbers of the training data.
    n : int
        Longest list wanted; a user with fewer unseen items gets a shorter one.
    seen : CompressedRows or None
        Items to leave out, by user; None leaves out nothing.
    block_bytes : int
        Bound on a block of scores; at least one user is scored at a time.
    keep_scores : bool
        Whether blocks hold the scores of all items; the next block is then scored beside them.
    rules : Restriction, optional
        What else may not be listed.
    names : sequence of id, (n_users,), optional
        The users as rules for single users name them, where row numbers do not say it.
    histories : CompressedRows, optional
        What users have, by which rules calibrate lists; by default ``seen``.

    Raises
    ------
    ModelError
        If a score is not finite.
    """
    check_n(n)
    n = min(int(n), model.n_items_)
    depth = n if rules is None else rules.depth(n, model.n_items_)
    reranker = None if rules is None else rules.reranker
    fuses = not keep_scores and reranker is None and depth <= LONGEST
    step = max(1, block_bytes // (4 * model.n_items_))
    if fuses and rules is None and isinstance(model, FactorModel):
        per_user = 4 * len(model.shares_) + 8 * depth  # no scores are held, but factors and lists
        step = max(step, min(_FUSED_USERS, block_bytes // per_user))
    none = np.zeros(1, np.int64), np.zeros(0, np.int32)
    indptr, items = none if seen is None else (seen.indptr, seen.columns)
    for start in range(0, len(users), step):
        block = np.ascontiguousarray(users[start : start + step], dtype=np.int64)
        rows = block if seen is not None else np.full(len(block), -1)
        if rules is not None:
            called = rules.names_of(block) if names is None else names[start : start + step]
            indptr, items = rules.left_out(block, called, seen)
            rows = np.arange(len(block))
        left_out, top = LeftOut(indptr, items, rows), TopItems.empty(len(block), depth)
        products = model.block_products(block) if fuses and isinstance(model, FactorModel) else None
        if products is not None:
            products.best(left_out, top)
            _check_finite(model, block, top)
            yield RankedBlock(block, top.items, top.scores, top.n_listed)
            continue
        scores = model.score_block(block)
        unseen = _unseen(scores, block, seen, rules) if keep_scores else None
        select_top(scores, indptr, items, rows, top.items, top.scores, top.n_listed, top.is_finite)
        _check_finite(model, block, top)
        lists = top.items, top.scores, top.n_listed
        if reranker is not None:
            own = _rows_of(seen if histories is None else histories, block, model.n_items_)
            lists = reranker.lists(scores, lists, n, own)
        del scores  # before the next block is made
        yield RankedBlock(block, *lists, unseen)


def _check_finite(model: BlockScorer, block: Int64Array, top: TopItems) -> None:
    if not top.is_finite.all():
        user = int(block[np.flatnonzero(~top.is_finite)[0]])
        raise ModelError(f"{model.name} gave a score that is not finite for user row {user}.")


def _rows_of(histories: CompressedRows | None, users: Int64Array, n_items: int) -> CompressedRows:
    """Return what users have; nothing where that is not known."""
    if histories is not None:
        return histories.select(users)
    none = np.zeros(0, dtype=np.int32)
    return CompressedRows(np.zeros(len(users) + 1, np.int64), none, none.astype(np.float32), n_items)


def _unseen(
    scores: Float32Array, users: Int64Array, seen: CompressedRows | None, rules: Restriction | None
) -> Float32Array:
    """Return what holds the scores of all that is unseen: the scratch of selection, or with rules a copy."""
    if rules is None:
        return scores
    unseen = scores.copy()
    for number, user in enumerate(users.tolist() if seen is not None else []):
        assert seen is not None
        unseen[number, seen.row(user)[0]] = -np.inf
    return unseen
