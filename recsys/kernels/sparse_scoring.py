"""Scores of a factor model of which most factors are zero."""

from __future__ import annotations

from numba import prange

from recsys.kernels.launching import kernel
from recsys.typing import Float32Array, Int32Array, Int64Array, UInt16Array


@kernel(fastmath={"contract"})
def score_block_sparse(
    user_indptr: Int64Array,
    user_components: UInt16Array,
    user_values: Float32Array,
    component_indptr: Int64Array,
    component_items: Int32Array,
    component_values: Float32Array,
    user_offset: Float32Array,
    item_offset: Float32Array,
    scores: Float32Array,
) -> None:
    """Write ``user_offset + item_offset + W H'`` for a block of users.

    The terms of one score are added in the order of the components, as in
    `recsys.kernels.scoring.score_block`.

    Parameters
    ----------
    user_indptr, user_components, user_values : (n_block + 1,), (n_nonzeros,), (n_nonzeros,)
        The factors of the users that are not zero.
    component_indptr, component_items, component_values : (rank + 1,), (n_nonzeros,), (n_nonzeros,)
        The item factors that are not zero, by component.
    user_offset : (n_block,)
    item_offset : (n_items,)
    scores : (n_block, n_items)
        Receives the scores.
    """
    for user in prange(len(scores)):
        line, offset = scores[user], user_offset[user]
        for item in range(len(line)):
            line[item] = offset + item_offset[item]
        for k in range(user_indptr[user], user_indptr[user + 1]):
            component, weight = user_components[k], user_values[k]
            for entry in range(component_indptr[component], component_indptr[component + 1]):
                line[component_items[entry]] += weight * component_values[entry]
