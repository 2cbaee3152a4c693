"""The parts of a hybrid of components and neighbors: how they are fitted, added, updated and stored."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys.checkpoints import Keeper
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.models.base import Model
from recsys.models.hybrid_rules import weight_of_neighbors
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.part_progress import PartProgress, snapshots
from recsys.models.score_parts import ScoreParts
from recsys.models.slim import SLIM
from recsys.models.stored_arrays import require
from recsys.models.stored_parts import load_parts, parts_to_arrays
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import Progress
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

_LEVEL_USERS = 512
_THEMES, _NEIGHBORS, _RATINGS = "themes_", "neighbors_", "ratings_"  # prefixes of arrays
_RATINGS_L2 = f"{_RATINGS}l2"
_SCALE = f"{_NEIGHBORS}scale"

_OF_THEMES = (
    *("n_components", "unobserved_weight", "l2", "user_exponent", "item_exponent"),
    *("user_l1", "item_l1", "max_iter", "random_state"),
)
_OF_NEIGHBORS = ("l2", "l1", "user_exponent", "item_exponent", "target_exponent", "half_life")


@dataclass(frozen=True, eq=False)
class HybridParts:
    """A part with components and one with neighbors, whose scores are added, and one that predicts ratings.

    Histories are those that count: which entries do is the hybrid's to say.

    Attributes
    ----------
    themes : WeightedNMF
    neighbors : SLIM
        Its weights are in units of the sum.
    ratings : MaskedNMF or None
    """

    themes: WeightedNMF
    neighbors: SLIM
    ratings: MaskedNMF | None

    @classmethod
    def unfitted(
        cls,
        params: Mapping[str, Any],
        *,
        n_components: int,
        has_ratings: bool,
        ratings_l2: float | None = None,
    ) -> HybridParts:
        """Return parts that are not fitted.

        Parameters
        ----------
        params : mapping of str to object
            Those of the hybrid, by name.
        n_components : int
        has_ratings : bool
            Whether there is a part for ratings.
        ratings_l2 : float, optional
            Its penalty, where it was fitted before.
        """
        of_themes = {name: params[name] for name in _OF_THEMES} | {"n_components": n_components}
        of_neighbors = {name: params[f"neighbor_{name}"] for name in _OF_NEIGHBORS}
        ratings = MaskedNMF(l2=ratings_l2, random_state=params["random_state"]) if has_ratings else None
        neighbors = SLIM(n_neighbors=params["n_neighbors"], **of_neighbors)
        return cls(WeightedNMF(**of_themes), neighbors, ratings)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the hybrid that the fits of its parts decided."""
        return {
            **{name: self.themes.fitted_params_[name] for name in _OF_THEMES},
            "neighbor_l2": self.neighbors.fitted_params_["l2"],
            "ratings": "no" if self.ratings is None else "yes",
        }

    # -- fitting --------------------------------------------------------------------------------
    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: those of the largest part, for they are fitted in turn."""
        return max(part.fit_bytes(data) for part in self._by_prefix().values())

    def fit(
        self,
        data: Interactions,
        taken: Interactions,
        *,
        weight: float | None,
        W: Any,
        H: Any,
        keeper: Keeper,
        progress: Progress,
        model_of: Callable[[HybridParts, float], object],
    ) -> tuple[HybridParts, float]:
        """Fit each part alone, and return them with the neighbors weighed, and their weight.

        Parameters
        ----------
        data : Interactions
            All entries, which the part for ratings learns from.
        taken : Interactions
            Those that count as taken.
        weight : float or None
            How much neighbors count at equal size of scores; None: by `weight_of_neighbors`.
        W, H : array-like, shapes (n_users, n_components) and (n_components, n_items), or None
            The start of the themes.
        keeper : Keeper
        progress : Progress
        model_of : callable
            Makes the hybrid of its parts and the weight, for listeners that ask for it after each iteration.

        Raises
        ------
        KeyboardInterrupt
            If interrupted before the themes' first full sweep; after it they are the best state so far, and
            their history says "interrupted".
        """
        if W is not None or H is not None:
            self.themes.set_params(init="custom")
        if self.ratings is not None:
            self.ratings.fit(data, progress=PartProgress(progress), checkpoint=keeper.part("ratings"))
        self.neighbors.fit(taken, progress=progress, checkpoint=keeper.part("neighbors"))
        used = weight_of_neighbors(taken.by_user) if weight is None else weight
        show = snapshots(progress, lambda themes: model_of(replace(self, themes=themes)._weighed(used), used))
        listening = PartProgress(progress, show)
        try:
            self.themes.fit(taken, W=W, H=H, progress=listening, checkpoint=keeper.part("themes"))
        except KeyboardInterrupt:
            if not self.themes.is_fitted:
                raise
        return self._weighed(used), used

    def _weighed(self, weight: float) -> HybridParts:
        """Return the parts with neighbors brought to the size of the themes, times ``weight``, 0 or more."""
        neighbors = copy.copy(self.neighbors)
        neighbors.scale_weights(weight * self._level_ratio())
        return replace(self, neighbors=neighbors)

    def _level_ratio(self) -> float:
        """Return the size of the themes' scores divided by that of the neighbors'; 1 where one has none."""
        n_users = self.themes.n_users_
        users = np.unique(np.linspace(0, n_users - 1, min(n_users, _LEVEL_USERS)).astype(np.int64))
        squares = np.zeros(2)
        for user in users:
            for number, part in enumerate((self.themes, self.neighbors)):
                squares[number] += np.square(part.score_block(user[None]), dtype=np.float64).sum()
        return float(np.sqrt(squares[0] / squares[1])) if squares.all() else 1.0

    # -- scores ---------------------------------------------------------------------------------
    def score_block(self, users: Int64Array) -> Float32Array:
        """Return scores of all items for training users by row number, (n_users, n_items)."""
        scores = self.themes.score_block(users)
        self.neighbors.add_scores(self.neighbors.histories_.select(users), scores)
        return scores

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for histories, (n_histories, n_items)."""
        return self.themes.score_histories(rows) + self.neighbors.score_histories(rows)

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return scores of some items for histories, (n_histories, n_items); see `Model.scores_of_items`."""
        return self.themes.scores_of_items(rows, items) + self.neighbors.scores_of_items(rows, items)

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        parts = (self.themes, self.neighbors)
        of_themes, of_neighbors = (part.scores_without(history, removed, items) for part in parts)
        return np.asarray(of_themes + of_neighbors)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts:
        """Return a training user's scores as what components and past items add; see `Model.score_parts`."""
        return _joined(self.themes.score_parts(user, items), self.neighbors.score_parts(user, items))

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        """Return the scores for a history as what components and past items add."""
        parts = (self.themes, self.neighbors)
        return _joined(*(part.history_score_parts(history, items) for part in parts))

    def is_blank(self, users: AnyArray | None) -> BoolArray:
        """Return for each training user whether neither part knows anything; see `Model.is_blank`."""
        return self.themes.is_blank(users) & self.neighbors.is_blank(users)

    @property
    def stored_per_row(self) -> float:
        """Factors, weights and entries of histories stored for a user or an item on average."""
        of_ratings = 0.0 if self.ratings is None else self.ratings.stored_per_row
        return self.themes.stored_per_row + self.neighbors.stored_per_row + of_ratings

    # -- updates --------------------------------------------------------------------------------
    def updated(
        self,
        taken: Interactions,
        newly_taken: Interactions,
        known: Interactions,
        new: Interactions,
        *,
        passes: int,
        progress: Progress,
    ) -> HybridParts:
        """Return the parts with new entries taken in, each by its own `partial_fit`.

        Parameters
        ----------
        taken, newly_taken : Interactions
            Entries that count as taken, those that were fitted and those to take in.
        known, new : Interactions
            All entries, which the part for ratings learns from.
        passes : int
            Sweeps of the themes, and of the part for ratings.
        progress : Progress
        """
        parts = HybridParts(copy.copy(self.themes), copy.copy(self.neighbors), copy.copy(self.ratings))
        parts.themes.partial_fit(newly_taken, known=taken, passes=passes, progress=progress)
        parts.neighbors.partial_fit(newly_taken, known=taken, progress=progress)
        if parts.ratings is not None:
            parts.ratings.partial_fit(new, known=known, passes=passes, progress=progress)
        return parts

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that the parts learned as named arrays."""
        arrays = parts_to_arrays(self._by_prefix())
        arrays[_SCALE] = np.array([self.neighbors.weight_scale_])
        if self.ratings is not None:  # its penalty is no parameter of the whole
            arrays[_RATINGS_L2] = np.array([self.ratings.fitted_params_["l2"]], dtype=np.float64)
        return arrays

    @classmethod
    def restored(
        cls, arrays: Mapping[str, AnyArray], params: Mapping[str, Any], *, n_components: int
    ) -> HybridParts:
        """Return the parts that `to_arrays` took apart.

        Parameters
        ----------
        arrays : mapping of str to array
        params, n_components
            As in `unfitted`.

        Raises
        ------
        ModelError
            If an array is missing or has the wrong shape, or the parts are not of the same size.
        """
        has_ratings, l2 = any(name.startswith(_RATINGS) for name in arrays), None
        if has_ratings:
            (stored,) = require(arrays, _RATINGS_L2, np.float64, 1)
            l2 = float(stored)
        parts = cls.unfitted(params, n_components=n_components, has_ratings=has_ratings, ratings_l2=l2)
        load_parts(parts._by_prefix(), arrays)
        scale = require(arrays, _SCALE, np.float64, 1) if _SCALE in arrays else [math.nan]  # before 0.2.0
        parts.neighbors.weight_scale_ = float(scale[0])
        return parts

    def _by_prefix(self) -> dict[str, Model]:
        parts: dict[str, Model] = {_THEMES: self.themes, _NEIGHBORS: self.neighbors}
        return parts if self.ratings is None else {**parts, _RATINGS: self.ratings}


def _joined(themes: ScoreParts | None, neighbors: ScoreParts | None) -> ScoreParts:
    """Return the parts of two scores that are added."""
    assert themes is not None
    assert neighbors is not None
    return replace(themes, past_items=neighbors.past_items, from_past=neighbors.from_past)
