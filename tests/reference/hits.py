"""Naive twin of `recsys.kernels.hits`."""


def mark_hits(lists, n_listed, held_out):
    """Return whether each place of each list is one of the user's held-out items."""
    return [
        [place < length and item in held for place, item in enumerate(items)]
        for items, length, held in zip(lists, n_listed, held_out, strict=True)
    ]


def mark_gains(lists, hits, values):
    """Return the held-out value at each hit; `values` maps each user's held-out items to them."""
    return [
        [of_user[item] if hit else 0 for item, hit in zip(items, marks, strict=True)]
        for items, marks, of_user in zip(lists, hits, values, strict=True)
    ]
