"""Naive twins of `recsys.kernels.list_counts`."""


def count_hits(hits, n_counted):
    """Return how many of the first places are hits."""
    return [sum(row[:n_counted]) for row in hits]


def first_hits(hits, n_counted):
    """Return the place, from 1, of the first hit; 0 without one."""
    return [row[:n_counted].index(True) + 1 if True in row[:n_counted] else 0 for row in hits]


def sum_precisions(hits, n_counted):
    """Return the sum of the shares of hits up to each hit."""
    return [
        sum(sum(row[: place + 1]) / (place + 1) for place in range(n_counted) if row[place]) for row in hits
    ]


def sum_discounts(hits, n_counted, discounts):
    """Return the sum of the discounts at the hits."""
    return [sum(discounts[place] for place in range(n_counted) if row[place]) for row in hits]


def sum_gains(gains, n_counted, discounts):
    """Return the sum of the discounted gains."""
    return [sum(row[place] * discounts[place] for place in range(n_counted)) for row in gains]


def sum_largest(values, discounts):
    """Return the sum of the discounted values of each user, the largest first."""
    return [sum(v * d for v, d in zip(sorted(of, reverse=True), discounts, strict=False)) for of in values]
