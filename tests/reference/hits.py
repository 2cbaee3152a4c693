"""Naive twin of `recsys.kernels.hits`."""


def mark_hits(lists, n_listed, held_out):
    """Return whether each place of each list is one of the user's held-out items."""
    return [
        [place < length and item in held for place, item in enumerate(items)]
        for items, length, held in zip(lists, n_listed, held_out, strict=True)
    ]
