"""Blocks of users in, ranked unseen items out; never users x items in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recsys.data.ids import Id
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError, ParameterError
from recsys.kernels.ranking import select_top
from recsys.models.scorer import BlockScorer
from recsys.recommend.restriction import Restriction
from recsys.typing import Float32Array, Int32Array, Int64Array

BLOCK_BYTES = 16 * 2**20
"""How large a block of scores may be: small enough to be near when the best are looked for, and to be had
again without being cleared by the system, which takes as long as the search."""


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
    step = max(1, block_bytes // (4 * model.n_items_))
    indptr, items = (
        (np.zeros(1, np.int64), np.zeros(0, np.int32)) if seen is None else (seen.indptr, seen.columns)
    )
    depth = n if rules is None else rules.depth(n, model.n_items_)
    for start in range(0, len(users), step):
        block = np.ascontiguousarray(users[start : start + step], dtype=np.int64)
        left_out = block if seen is not None else np.full(len(block), -1)
        if rules is not None:
            called = rules.names_of(block) if names is None else names[start : start + step]
            indptr, items = rules.left_out(block, called, seen)
            left_out = np.arange(len(block))
        scores = model.score_block(block)
        ranked = RankedBlock(
            users=block,
            items=np.empty((len(block), depth), dtype=np.int32),
            scores=np.empty((len(block), depth), dtype=np.float32),
            n_listed=np.empty(len(block), dtype=np.int64),
            unseen_scores=_unseen(scores, block, seen, rules) if keep_scores else None,
        )
        is_finite = np.empty(len(block), dtype=np.bool_)
        select_top(scores, indptr, items, left_out, ranked.items, ranked.scores, ranked.n_listed, is_finite)
        if not is_finite.all():
            user = int(block[np.flatnonzero(~is_finite)[0]])
            raise ModelError(f"{model.name} gave a score that is not finite for user row {user}.")
        if rules is not None and rules.reranker is not None:
            top = ranked.items, ranked.scores, ranked.n_listed
            own = _rows_of(seen if histories is None else histories, block, model.n_items_)
            items_listed, scores_listed, n_listed = rules.reranker.lists(scores, top, n, own)
            ranked = replace(ranked, items=items_listed, scores=scores_listed, n_listed=n_listed)
        del scores  # before the next block is made
        yield ranked


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
