"""The component that adds most to each score of a list."""

from __future__ import annotations

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.typing import Float32Array, Int64Array

_BLOCK_NUMBERS = 2**23  # contributions of components at a time


def strongest_themes(
    whole: Model,
    users: Int64Array,
    items: Int64Array,
    scores: Float32Array,
    histories: CompressedRows | None = None,
) -> tuple[Int64Array, Float32Array]:
    """Return the theme (from 1) that adds most to each pair's score, and its share of all.

    All is what the themes add; where neighbors add to a score, too, it is the score. Users are rows of the
    training data or, where they are given, of histories; -1 is one of whom nothing is known.
    """
    themes = np.zeros(len(users), dtype=np.int64)
    shares = np.zeros(len(users), dtype=np.float32)
    model = whole.component_model
    new_users = None if histories is None or model is None else whole.history_components(histories)
    if model is None or (histories is not None and new_users is None):
        return themes, shares
    step = max(1, _BLOCK_NUMBERS // len(model.shares_))
    for start in range(0, len(users), step):
        known = start + np.flatnonzero(users[start : start + step] >= 0)
        if new_users is None:
            parts = model.contributions(users[known], items[known])
        else:
            parts = new_users[users[known]] * model.item_rows(items[known])
        totals = parts.sum(axis=1) if model is whole else scores[known]
        best = parts.argmax(axis=1)
        explained = parts.any(axis=1) & (totals > 0)
        pairs = known[explained]
        themes[pairs] = best[explained] + 1
        shares[pairs] = parts[explained, best[explained]] / totals[explained]
    return themes, shares
