"""Naive twins of `recsys.kernels.scoring`."""

import numpy as np


def score_block(user_factors, item_factors_by_theme, user_offset, item_offset):
    """Return offsets and products, one cell after the other."""
    n_users, rank = user_factors.shape
    n_items = item_factors_by_theme.shape[1]
    scores = np.zeros((n_users, n_items))
    for user in range(n_users):
        for item in range(n_items):
            scores[user, item] = float(user_offset[user]) + float(item_offset[item])
            for f in range(rank):
                scores[user, item] += float(user_factors[user, f]) * float(item_factors_by_theme[f, item])
    return scores


def score_pairs(users, items, user_factors, item_factors, user_offset, item_offset):
    """Return the score of each pair; -1 leaves out that side and the product."""
    scores = np.zeros(len(users))
    for pair, (user, item) in enumerate(zip(users, items, strict=True)):
        if user != -1:
            scores[pair] += float(user_offset[user])
        if item != -1:
            scores[pair] += float(item_offset[item])
        if user != -1 and item != -1:
            for f in range(user_factors.shape[1]):
                scores[pair] += float(user_factors[user, f]) * float(item_factors[item, f])
    return scores
