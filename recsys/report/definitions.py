"""What each metric means, in one line for readers of a report; the metric's own file has all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

DEFINITIONS: Mapping[str, str] = {
    "precision": "hits among the first k, divided by k",
    "recall": "hits divided by the user's held-out items",
    "capped-recall": "hits divided by k or by the held-out items, whichever is less",
    "f1": "harmonic mean of precision and recall",
    "hit-rate": "share of users with at least one hit",
    "mrr": "one over the place of the first hit",
    "map": "average precision, divided by k or by the held-out items, whichever is less",
    "ndcg": "hits weighed by place, relative to the best possible list",
    "graded-ndcg": "as ndcg, a hit counting as much as its held-out value",
    "auc": "chance that a held-out item is ranked before another unseen one",
    "coverage": "share of the catalogue in somebody's first k",
    "gini": "how unequally places are shared out among items, 0 to 1",
    "novelty": "how little known listed items are, in bits",
    "popularity-lift": "how much more popular lists are than the user's own history",
    "diversity": "how far listed items are apart, 0 to 1",
    "serendipity": "hits that the popularity list would not have had, divided by k",
    "calibration": "how far the mix of categories is from that of the history",
    "rmse": "root of the mean squared error of predicted values",
    "mae": "mean absolute error of predicted values",
}
_GAP = "-gap"


def defined(metrics: Sequence[str]) -> list[tuple[str, str]]:
    """Return the definitions of metrics as (name, words), each name once."""
    found = {}
    for metric in metrics:
        name = metric.partition("@")[0]
        base = name.removesuffix(_GAP)
        if base in DEFINITIONS:
            found[name] = (
                DEFINITIONS[base] if base == name else f"how far groups of users lie apart in {base}"
            )
    return list(found.items())
