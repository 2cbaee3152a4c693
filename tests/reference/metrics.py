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


def capped_recall(listed, held_out, k):
    """Hits among the first k, over the most there could be."""
    return len(set(listed[:k]) & held_out) / min(k, len(held_out))


def f1(listed, held_out, k):
    """Harmonic mean of precision and recall."""
    p, r = precision(listed, held_out, k), recall(listed, held_out, k)
    return 2 * p * r / (p + r) if p + r else 0.0


def graded_ndcg(listed, values, k):
    """Discounted values of the hits over those of the best list; `values` maps held-out items to them."""
    gain = sum(values.get(item, 0) / math.log2(p + 1) for p, item in enumerate(listed[:k], start=1))
    best = sorted(values.values(), reverse=True)[:k]
    ideal = sum(value / math.log2(p + 1) for p, value in enumerate(best, start=1))
    return gain / ideal if ideal else math.nan


def mean(numbers):
    """Mean, NaN of nothing."""
    numbers = list(numbers)
    return sum(numbers) / len(numbers) if numbers else math.nan


def novelty(listed, owners, n_users, k):
    """Mean bits of surprise; `owners` maps an item to how many of n_users have it."""
    return mean(-math.log2(max(owners[item], 1) / n_users) for item in listed[:k])


def popularity_lift(listed, history, owners, k):
    """Mean owners of the list over mean owners of the history, less one."""
    before = mean(owners[item] for item in history)
    return mean(owners[item] for item in listed[:k]) / before - 1 if before else math.nan


def diversity(listed, vectors, k):
    """Mean of 1 - cosine over pairs of listed items that have a vector that is not zero."""
    known = [vectors[item] for item in listed[:k] if any(vectors[item])]
    distances = []
    for at, one in enumerate(known):
        for two in known[at + 1 :]:
            product = sum(a * b for a, b in zip(one, two, strict=True))
            distances.append(1 - product / (math.hypot(*one) * math.hypot(*two)))
    return mean(distances)


def serendipity(listed, held_out, history, owners, k):
    """Hits that are not in the list of the most popular unseen items, over k."""
    unseen = [item for item in owners if item not in history]
    usual = sorted(unseen, key=lambda item: (-owners[item], item))[:k]
    return len(set(listed[:k]) & held_out - set(usual)) / k


def calibration(listed, history, categories, k, smoothing=0.01):
    """Divergence of the list's mix of categories from the history's."""

    def mix(items):
        known = [categories[item] for item in items if categories[item]]
        shares = {}
        for labels in known:
            for label in labels:
                shares[label] = shares.get(label, 0) + 1 / len(labels) / len(known)
        return shares

    p, q = mix(history), mix(listed[:k])
    if not p or not q:
        return math.nan
    return sum(
        share * math.log(share / ((1 - smoothing) * q.get(label, 0) + smoothing * share))
        for label, share in p.items()
    )


def auc(scores, held_out):
    """Share of pairs in order; `scores` maps unseen items to scores."""
    hits = [score for item, score in scores.items() if item in held_out]
    others = [score for item, score in scores.items() if item not in held_out]
    return mean(1.0 if hit > other else 0.5 if hit == other else 0.0 for hit in hits for other in others)


def gini(lists, n_items, k):
    """Mean difference between any two items' exposures, over twice the mean exposure."""
    exposure = [sum(item in listed[:k] for listed in lists) for item in range(n_items)]
    if not sum(exposure):
        return math.nan
    return sum(abs(a - b) for a in exposure for b in exposure) / (2 * n_items * sum(exposure))


PER_USER = {
    "precision": precision,
    "recall": recall,
    "capped-recall": capped_recall,
    "f1": f1,
    "ndcg": ndcg,
    "map": average_precision,
    "mrr": mrr,
    "hit-rate": hit_rate,
}
