"""Naive twin of `recsys.kernels.hits`."""


def find_hits(lists, n_listed, held_out, starts):
    """Return which entry of the user's held-out items each place is, -1 for none; `starts` is their first."""
    return [
        [
            start + sorted(held).index(item) if place < length and item in held else -1
            for place, item in enumerate(items)
        ]
        for items, length, held, start in zip(lists, n_listed, held_out, starts, strict=True)
    ]
