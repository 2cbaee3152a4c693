"""Naive twins of `recsys.kernels.list_items` and `recsys.kernels.list_categories`, of one list each."""

from tests.reference import metrics


def _known(items, n_listed, n_counted):
    return [item for item in items[: min(n_listed, n_counted)] if item >= 0]


def mean_of_items(items, n_listed, n_counted, of_item):
    """Return the mean of the listed items' numbers."""
    return metrics.mean(of_item[item] for item in _known(items, n_listed, n_counted))


def mean_of_rows(history, of_item):
    """Return the mean of the numbers of a history."""
    return metrics.mean(of_item[item] for item in history)


def mean_distances(items, n_listed, n_counted, vectors):
    """Return the mean of 1 - cosine over pairs."""
    return metrics.diversity(_known(items, n_listed, n_counted), vectors, n_counted)


def divergences(items, n_listed, n_counted, history, categories, smoothing):
    """Return the divergence of the list's categories from the history's."""
    return metrics.calibration(_known(items, n_listed, n_counted), history, categories, n_counted, smoothing)


def count_unexpected_hits(items, hits, n_counted, n_expected, history, by_popularity):
    """Return how many hits are not among the first unseen items of the list by popularity."""
    expected = [item for item in by_popularity if item not in history][:n_expected]
    return sum(
        hit and item not in expected for item, hit in zip(items[:n_counted], hits[:n_counted], strict=True)
    )
