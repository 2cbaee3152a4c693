"""Naive twin of `recsys.kernels.ranked_scoring`: all scores, then a full sort."""

from tests.reference.ranking import select_top
from tests.reference.scoring import score_block


def rank_block(user_factors, item_factors, user_offset, item_offset, seen, n):
    """Return the best n (item, score) pairs of each user, ``seen`` being a set for each."""
    scores = score_block(user_factors, item_factors.T, user_offset, item_offset)
    return [select_top(list(row), own, n) for row, own in zip(scores, seen, strict=True)]
