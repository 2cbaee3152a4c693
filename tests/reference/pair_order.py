"""Naive twin of `recsys.kernels.pair_order`, of one user."""

import math

from tests.reference import metrics


def shares_in_order(scores, held_out):
    """Return the share of pairs of unseen items in order; -inf marks what is left out."""
    unseen = {item: score for item, score in enumerate(scores) if score != -math.inf}
    return metrics.auc(unseen, held_out)
