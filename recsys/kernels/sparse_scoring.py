"""Scores of a factor model of which most factors are zero."""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int32Array, Int64Array, UInt16Array


@kernel(fastmath={"contract"})
def score_block_sparse(
    user_indptr: Int64Array,
    user_themes: UInt16Array,
    user_values: Float32Array,
    theme_indptr: Int64Array,
    theme_items: Int32Array,
    theme_values: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + W H'`` for a block of users.

    The terms of one score are added in the order of the themes, as in
    `recsys.kernels.scoring.score_block`.

    Parameters
    ----------
    user_indptr, user_themes, user_values : (n_block + 1,), (n_nonzeros,), (n_nonzeros,)
        The factors of the users that are not zero.
    theme_indptr, theme_items, theme_values : (rank + 1,), (n_nonzeros,), (n_nonzeros,)
        The item factors that are not zero, by theme.
    user_offset : (n_block,)
    item_offset : (n_items,)
    scores : (n_block, n_items)
        Receives the scores.
    """
    for user in prange(len(scores)):
        line, offset = scores[user], user_offset[user]
        for item in range(len(line)):
            line[item] = offset + item_offset[item]
        for at in range(user_indptr[user], user_indptr[user + 1]):
            theme, weight = user_themes[at], user_values[at]
            for entry in range(theme_indptr[theme], theme_indptr[theme + 1]):
                line[theme_items[entry]] += weight * theme_values[entry]
