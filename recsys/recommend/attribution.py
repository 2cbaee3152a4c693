"""How much of a user's scores goes back to each item of the user's history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.models.factor_model import FactorModel
from recsys.models.score_parts import ScoreParts
from recsys.recommend.removal import History
from recsys.typing import Float64Array, Int64Array

MOST_REMOVED = 200
"""Past items that are removed for one item; of a longer history, those that are closest to the item."""
MORE_THAN_NAMED = 2
"""How many more than a reason names are removed for each item, where reasons are made for whole lists."""
_OF_COMPONENTS = 0.6  # what removals, one by one, take away of what components add: other past items fill in
_TINY = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True, eq=False)
class Attribution:
    """What the scores of some items lose without each past item.

    Attributes
    ----------
    history : History
    parts : ScoreParts or None
    candidates : int64, (n_candidates,)
        Positions in the history of the items that were removed, each alone.
    drops : float64, (n_candidates, n_targets), or None
        None where nothing can be folded in again, or no score goes back to single past items.
    wholes : float64, (n_targets,)
        What the scores are made of: all parts above 0, but for mean and user bias, which are the same for
        all items of a user. Shares are of this.
    """

    history: History
    parts: ScoreParts | None
    candidates: Int64Array
    drops: Float64Array | None
    wholes: Float64Array

    def share_of(self, amount: float, target: int) -> float:
        """Return an amount as a share of what a score is made of."""
        whole = float(self.wholes[target])
        return amount / whole if whole > 0 else 0.0

    def ordered(self, target: int) -> Int64Array:
        """Return the candidates' numbers by what a score loses without them, the most first."""
        if self.drops is None:
            return np.zeros(0, dtype=np.int64)
        return np.argsort(-self.drops[:, target], kind="stable")


def attribute(
    history: History, parts: ScoreParts | None, targets: Int64Array, *, folds: bool, most: int = MOST_REMOVED
) -> Attribution:
    """Return what the scores of some items go back to.

    Where scores are sums over past items and nothing else, a past item's part is what its removal takes
    away, exactly. Otherwise each past item is removed and the user folded in again.

    Parameters
    ----------
    history : History
    parts : ScoreParts or None
        Of the targets.
    targets : int64, (n_targets,)
        Row numbers of items.
    folds : bool
        Whether the history holds the values that the model was trained on, and the model folds in.
    most : int
        Most past items to remove for each target: of a longer history, those closest to it.
    """
    n_past, empty = len(history.items), np.zeros(0, dtype=np.int64)
    wholes = np.zeros(len(targets)) if parts is None else _wholes(parts)
    if parts is not None and parts.components is None:
        if parts.from_past is None:  # nothing goes back to the history
            return Attribution(history, parts, empty, None, wholes)
        candidates = np.searchsorted(history.items, parts.past_items).astype(np.int64)
        return Attribution(history, parts, candidates, parts.from_past.T, wholes)
    if not folds or n_past == 0:
        return Attribution(history, parts, empty, None, wholes)
    candidates = np.arange(n_past, dtype=np.int64)
    if n_past > most and parts is not None:
        order = np.argsort(-_closeness(history, parts), axis=1, kind="stable")[:, :most]
        candidates = np.unique(order).astype(np.int64)
    drops = history.drops(candidates, targets)
    if parts is None:
        wholes = drops.clip(min=0).sum(axis=0)
    return Attribution(history, parts, candidates, drops, wholes)


def _wholes(parts: ScoreParts) -> Float64Array:
    wholes = np.maximum(parts.item_bias, 0.0)
    for more in (parts.components, parts.from_past):
        if more is not None:
            wholes = wholes + more.clip(min=0).sum(axis=1)
    return wholes


def _closeness(history: History, parts: ScoreParts) -> Float64Array:
    """Return about how much each past item brings, (n_targets, n_past): for the choice of candidates.

    What a past item adds by neighbors is known. What components add is shared out by how far a past item's
    factors h_j point to the components that speak for the target: ``sum_f h_jf c_f / |h_j|^(1/2)``, where c_f
    is what component f adds. Undivided, what is popular would be closest to everything; divided by the whole
    length, what is rare.
    """
    closeness = np.zeros((len(parts.item_bias), len(history.items)))
    model = history.model.component_model or history.model
    if isinstance(model, FactorModel) and parts.components is not None:
        factors = model.item_rows(history.items).astype(np.float64)
        lengths = np.sqrt(np.sqrt((factors**2).sum(axis=1)))
        pointed = np.maximum(parts.components @ factors.T, 0.0) / np.maximum(lengths, _TINY)
        level = np.maximum(parts.components, 0.0).sum(axis=1) / np.maximum(pointed.sum(axis=1), _TINY)
        closeness += _OF_COMPONENTS * level[:, None] * pointed
    if parts.from_past is not None:
        closeness[:, np.searchsorted(history.items, parts.past_items)] += parts.from_past
    return closeness
