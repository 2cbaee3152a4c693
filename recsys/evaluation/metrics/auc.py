"""Area under the ROC curve, over all unseen items."""

from __future__ import annotations

import numpy as np

from recsys.evaluation.definitions import ScoreMetric
from recsys.evaluation.list_block import ListBlock
from recsys.evaluation.registry import register_metric
from recsys.kernels.pair_order import shares_in_order
from recsys.typing import Float64Array


def auc(block: ListBlock) -> Float64Array:
    """Return the share of (held-out, other) pairs of unseen items that the scores put in order.

    All items of the training catalogue that the user has not seen take part: no list is cut, so
    there is no k, and nothing is sampled. Equal scores are half in order. Held-out items that
    training does not know have no score and are left out. Not defined for a user without a known
    held-out item, or whose unseen items are all held out. Needs the scores of all items, so given
    lists have none. Parameters as in `precision`. Source: Hanley & McNeil (1982); Rendle et al.
    (2009), section 3.2.
    """
    assert block.scores is not None
    shares = np.empty(len(block))
    held = block.held_out.by_user
    shares_in_order(block.scores, block.users, held.indptr, held.columns, shares)
    return shares


register_metric(
    ScoreMetric(
        name="auc",
        function=auc,
        definition="chance that a held-out item is ranked before another unseen one",
    )
)
