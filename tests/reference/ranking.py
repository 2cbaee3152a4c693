"""Naive twin of `recsys.kernels.ranking`."""


def select_top(scores, seen, n):
    """Return the best n (item, score) pairs of one row that are not in ``seen``."""
    unseen = [(item, score) for item, score in enumerate(scores) if item not in seen]
    return sorted(unseen, key=lambda pair: (-pair[1], pair[0]))[:n]
