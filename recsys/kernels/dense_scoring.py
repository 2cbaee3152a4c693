"""Scores of a factor model of which most factors are not zero, six users and sixteen items at a time.

A score is the same sum in the same order as in `recsys.kernels.scoring`, so the same bits; here ninety-six of
them are held in registers while the components pass, which a compiler does not find on its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange
from numba.core import cgutils

from recsys.kernels.launching import kernel
from recsys.kernels.vector_code import INT64, LANES, VectorCode, compiled_by
from recsys.typing import Float32Array

COMPILED_IN = "2d8ae8f6242d"
"""Digest of the shared code compiled in here: Numba's cache sees changes of this file only."""

USERS, ITEMS = 6, 2 * LANES  # twelve sums, two vectors of items and a factor are all that registers hold
USER_CHUNK = 4 * USERS


def _score_tile(
    code: VectorCode, users: Any, panel: Any, rank: Any, user_offset: Any, item_offset: Any, out: Any
) -> None:
    totals = code.sums(2 * USERS)
    offsets = [code.read(item_offset, half) for half in (0, LANES)]
    for user in range(USERS):
        own = code.number(user_offset, user)
        for half in range(2):
            code.store(code.fadd(own, offsets[half]), totals[2 * user + half])
    with cgutils.for_range(code.builder, rank) as loop:
        entry, weights = code.behind(panel, code.times(loop.index, ITEMS)), code.times(loop.index, USERS)
        factors = [code.read(entry, half) for half in (0, LANES)]
        for user in range(USERS):
            weight = code.number(users, code.add(weights, INT64(user)))
            for half in range(2):
                code.accumulate(totals[2 * user + half], weight, factors[half])
    for number, total in enumerate(totals):
        code.write(code.load(total), out, number * LANES)


@compiled_by(_score_tile)
def score_tile(
    users: Float32Array,
    panel: Float32Array,
    rank: int,
    user_offset: Float32Array,
    item_offset: Float32Array,
    out: Float32Array,
) -> None:
    """Write the scores of six users, (rank, 6), and sixteen items, (rank, 16), to ``out``, (6, 16)."""
    scores = (user_offset[:USERS, None] + item_offset[:ITEMS]).astype(np.float32)
    for f in range(rank):
        scores += users[f * USERS : (f + 1) * USERS, None] * panel[f * ITEMS : (f + 1) * ITEMS]
    out[:] = scores.ravel()


def panels_of(item_factors: Float32Array) -> Float32Array:
    """Return item factors (n_items, rank) in panels of sixteen, (n_panels, rank, 16), padded with zeros."""
    n_items, rank = item_factors.shape
    n_panels = -(-n_items // ITEMS)
    padded = np.zeros((n_panels * ITEMS, rank), dtype=np.float32)
    padded[:n_items] = item_factors
    return np.ascontiguousarray(padded.reshape(n_panels, ITEMS, rank).transpose(0, 2, 1))


@kernel()
def score_block_dense(
    user_factors: Float32Array,
    item_panels: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + W H'`` for a block of users.

    Parameters
    ----------
    user_factors : (n_block, rank)
    item_panels : (n_panels, rank, 16)
        See `panels_of`.
    user_offset, item_offset : (n_block,), (n_items,)
    scores : (n_block, n_items)
        Receives the scores.
    """
    (n_users, rank), n_items = user_factors.shape, len(item_offset)
    for chunk in prange((n_users + USER_CHUNK - 1) // USER_CHUNK):
        first, last = chunk * USER_CHUNK, min((chunk + 1) * USER_CHUNK, n_users)
        n_groups = (last - first + USERS - 1) // USERS
        packed = np.zeros((n_groups, rank * USERS), dtype=np.float32)
        own = np.zeros((n_groups, USERS), dtype=np.float32)
        for user in range(first, last):
            group, lane = (user - first) // USERS, (user - first) % USERS
            own[group, lane] = user_offset[user]
            for f in range(rank):
                packed[group, f * USERS + lane] = user_factors[user, f]
        offset, tile = np.zeros(ITEMS, dtype=np.float32), np.empty(USERS * ITEMS, dtype=np.float32)
        for panel in range(len(item_panels)):
            start = panel * ITEMS
            width = min(ITEMS, n_items - start)
            offset[:width] = item_offset[start : start + width]
            factors = item_panels[panel].reshape(-1)
            for group in range(n_groups):
                score_tile(packed[group], factors, rank, own[group], offset, tile)
                begin = first + group * USERS
                for user in range(begin, min(begin + USERS, last)):
                    line, where = scores[user], (user - begin) * ITEMS
                    if width == ITEMS:
                        for j in range(ITEMS):
                            line[start + j] = tile[where + j]
                    else:
                        for j in range(width):
                            line[start + j] = tile[where + j]
