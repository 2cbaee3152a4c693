"""Every metric by its definition: a ranked list of items, a set of held-out items, a length k."""

import math


def precision(listed, held_out, k):
    """Hits among the first k, over k."""
    return len(set(listed[:k]) & held_out) / k


def recall(listed, held_out, k):
    """Hits among the first k, over all held-out items."""
    return len(set(listed[:k]) & held_out) / len(held_out)


def hit_rate(listed, held_out, k):
    """1 if there is a hit among the first k."""
    return 1.0 if set(listed[:k]) & held_out else 0.0


def mrr(listed, held_out, k):
    """One over the place of the first hit."""
    for place, item in enumerate(listed[:k], start=1):
        if item in held_out:
            return 1 / place
    return 0.0


def average_precision(listed, held_out, k):
    """Precision at the place of each hit, summed, over the most hits there could be."""
    total = 0.0
    for place, item in enumerate(listed[:k], start=1):
        if item in held_out:
            total += precision(listed, held_out, place)
    return total / min(k, len(held_out))


def ndcg(listed, held_out, k):
    """Discounted gain over that of a list with all hits in front."""
    gain = sum(1 / math.log2(p + 1) for p, item in enumerate(listed[:k], start=1) if item in held_out)
    return gain / sum(1 / math.log2(p + 1) for p in range(1, min(k, len(held_out)) + 1))


def coverage(lists, n_items, k):
    """Share of the catalogue that stands among the first k of some list."""
    return len({item for listed in lists for item in listed[:k]}) / n_items


def rmse(predicted, actual):
    """Root of the mean squared error."""
    return math.sqrt(sum((p - a) ** 2 for p, a in zip(predicted, actual, strict=True)) / len(actual))


def mae(predicted, actual):
    """Mean absolute error."""
    return sum(abs(p - a) for p, a in zip(predicted, actual, strict=True)) / len(actual)


PER_USER = {
    "precision": precision,
    "recall": recall,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": mrr,
    "hit-rate": hit_rate,
}
