"""Naive twin of `recsys.kernels.given_lists`, of one list."""


def lay_out(items, n):
    """Return the first n items with repeats as -1, padded with -1, and the number of repeats."""
    found, repeated = [], 0
    for item in items[:n]:
        is_repeat = item >= 0 and item in found
        repeated += is_repeat
        found.append(-1 if is_repeat else item)
    return found + [-1] * (n - len(found)), repeated
