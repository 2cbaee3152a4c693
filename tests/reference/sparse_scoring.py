"""Naive twin of `recsys.kernels.sparse_scoring`, on dense factors."""


def score_block_sparse(users, items, user_offset, item_offset):
    """Return ``user_offset + item_offset + W H'``."""
    return [
        [
            float(user_offset[u])
            + float(item_offset[i])
            + sum(float(users[u, f]) * float(items[i, f]) for f in range(users.shape[1]))
            for i in range(len(items))
        ]
        for u in range(len(users))
    ]
