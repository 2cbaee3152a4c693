"""Themes plus neighbors: weighted NMF and a sparse linear item model, fitted alone and added."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from recsys.checkpoints import GivenCheckpoint, opened
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.factorization.factors import Factors
from recsys.factorization.history import History
from recsys.factorization.sparse_factors import LARGEST_RANK
from recsys.models.base import Model
from recsys.models.fit_state import fit_of
from recsys.models.hybrid_rules import LEAST_COMPONENTS, number_of_components, weight_of_neighbors
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.parameters import param, param_of
from recsys.models.part_progress import PartProgress, snapshots
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.slim import SLIM
from recsys.models.stored_arrays import require
from recsys.models.stored_parts import load_parts, parts_to_arrays
from recsys.models.summed_model import SummedModel
from recsys.models.taken_entries import LIKED, LIKED_HELP, check_updatable, liked, newly_taken, taken
from recsys.models.training_data import Training
from recsys.models.updatable import UpdatableModel
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import AnyArray, Float32Array

_THEMES, _NEIGHBORS, _RATINGS = "themes_", "neighbors_", "ratings_"
_RATINGS_L2 = f"{_RATINGS}l2"
_SCALE = f"{_NEIGHBORS}scale"

_OF_THEMES = (
    *("n_components", "unobserved_weight", "l2", "user_exponent", "item_exponent"),
    *("user_l1", "item_l1", "max_iter", "random_state"),
)
_OF_NEIGHBORS = ("l2", "l1", "user_exponent", "item_exponent", "target_exponent", "half_life")


@register_model
@dataclass(eq=False)
class HybridNMF(SummedModel, UpdatableModel):
    """Themes plus neighbors: non-negative factors and a sparse item model, whose scores are added.

    A score is a plain sum of parts that are 0 or more: what each component of a `WeightedNMF` adds, and what
    each past item of the user adds by the weights of a `SLIM`. Both are fitted to the same entries, each
    alone, and brought to the same root mean square over all items of some 500 users; the neighbors then
    count ``neighbor_weight`` times: where it is not given, 0.11 times the mean number of users of an item,
    from 1 to 2, since neighbors rest on the users that items share. Their weights are stored so, and
    nothing is scaled afterwards.

    Of a log of ratings ``liked`` and ``liked_from`` say which entries count as taken; the others are to the
    model as if they were not there, but no less seen. A `MaskedNMF` of all ratings is then fitted beside
    (``ratings``): lists are in the order of the scores, `predict_by_row` gives what it says in units of the
    log.

    Where ``n_components`` is not given it follows the users or the items, whichever are fewer: an eighth of
    them, between 64 and 256, or a sixteenth where that is more, at most 1,024.

    Attributes
    ----------
    themes_ : WeightedNMF
        The part with components.
    neighbors_ : SLIM
        The part with weights between items, in units of the score.
    ratings_ : MaskedNMF or None
        What predicts ratings.

    Examples
    --------
    >>> from recsys import HybridNMF, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = HybridNMF(n_components=2).fit(data)
    >>> bool((model.score_block([0, 1, 2]) >= 0).all())
    True
    """

    name: ClassVar[str] = "hybrid-nmf"
    has_themes: ClassVar[bool] = True
    shows_iterations: ClassVar[bool] = True
    keeps_checkpoints: ClassVar[bool] = True
    lists_only_params: ClassVar[Mapping[str, Any]] = {"ratings": "no"}

    n_components: int | None = param(
        None,
        "number of themes; none: by the number of users or items, 64 to 1,024",
        minimum=1,
        maximum=LARGEST_RANK,
        kind=int,
        search=Range(32, 2048, log=True),
    )
    _: KW_ONLY
    neighbor_weight: float | None = param(
        None,
        "how much neighbors count beside themes, at equal size of scores; none: 1 to 2",
        minimum=0,
        maximum=1e6,
        kind=float,
        search=Range(0.25, 8.0, log=True),
    )
    n_neighbors: int = param_of(SLIM, "n_neighbors")
    l2: float | None = param_of(WeightedNMF, "l2")
    unobserved_weight: float | None = param_of(WeightedNMF, "unobserved_weight")
    user_exponent: float = param_of(WeightedNMF, "user_exponent")
    item_exponent: float = param_of(WeightedNMF, "item_exponent")
    user_l1: float | None = param_of(WeightedNMF, "user_l1")
    item_l1: float | None = param_of(WeightedNMF, "item_l1")
    max_iter: int = param_of(WeightedNMF, "max_iter", 3)
    random_state: int = param_of(WeightedNMF, "random_state")
    neighbor_l2: float | None = param_of(SLIM, "l2")
    neighbor_l1: float = param_of(SLIM, "l1")
    neighbor_user_exponent: float = param_of(SLIM, "user_exponent")
    neighbor_item_exponent: float = param_of(SLIM, "item_exponent")
    neighbor_target_exponent: float = param_of(SLIM, "target_exponent")
    neighbor_half_life: float = param_of(SLIM, "half_life")

    liked: str = param("all", LIKED_HELP, choices=LIKED)
    liked_from: float | None = param(None, "least value that counts as taken; none: any", kind=float)
    ratings: str = param(
        "auto",
        "whether a masked-nmf predicts ratings beside; auto: for logs of ratings",
        choices=("auto", "yes", "no"),
    )

    themes_: WeightedNMF = field(init=False, repr=False)
    neighbors_: SLIM = field(init=False, repr=False)
    ratings_: MaskedNMF | None = field(init=False, repr=False)

    @property
    def predicts_values(self) -> bool:  # type: ignore[override]
        """Whether `predict_by_row` answers: whether there is a part for ratings."""
        return self.is_fitted and self.ratings_ is not None

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: whatever is not 0 counts as taken."""
        return True

    def _parts(self, n_components: int) -> tuple[WeightedNMF, SLIM]:
        """Return the two parts, not fitted."""
        of_themes = {name: getattr(self, name) for name in _OF_THEMES} | {"n_components": n_components}
        of_neighbors = {name: getattr(self, f"neighbor_{name}") for name in _OF_NEIGHBORS}
        return WeightedNMF(**of_themes), SLIM(n_neighbors=self.n_neighbors, **of_neighbors)

    def fit(
        self,
        X: Any,
        y: None = None,
        *,
        W: Any = None,
        H: Any = None,
        progress: GivenProgress = SILENT,
        checkpoint: GivenCheckpoint = None,
    ) -> Self:
        """Learn from interactions; see `Model.fit`.

        ``W`` and ``H``, of shapes (n_users, n_components) and (n_components, n_items), are where the themes
        begin, as for `NMF.fit` with ``init="custom"``; the neighbors have one solution and need no start.
        """
        return self._fitted_by(lambda data: self._fit(data, listener(progress), W, H, checkpoint), X)

    def _fit(
        self,
        data: Interactions,
        progress: Progress,
        W: Any = None,
        H: Any = None,
        checkpoint: GivenCheckpoint = None,
    ) -> None:
        taken_data = taken(data, self.liked, self.liked_from, self.name)
        themes, neighbors = self._parts(self._number_of_components(data))
        if W is not None or H is not None:
            themes.set_params(init="custom")
        ratings = MaskedNMF(random_state=self.random_state) if self._wants_ratings(data) else None
        with opened(checkpoint, lambda: self._what(data, W, H)) as keeper:
            if ratings is not None:
                ratings.fit(data, progress=PartProgress(progress), checkpoint=keeper.part("ratings"))
            neighbors.fit(taken_data, progress=progress, checkpoint=keeper.part("neighbors"))
            self._used_weight = self.neighbor_weight
            if self._used_weight is None:
                self._used_weight = weight_of_neighbors(taken_data.by_user)
            self.neighbors_, self.ratings_ = neighbors, ratings
            self._hold(Training(data))
            show = snapshots(progress, lambda themes: self._ended_with(themes, data))
            listening = PartProgress(progress, show)
            try:
                themes.fit(taken_data, W=W, H=H, progress=listening, checkpoint=keeper.part("themes"))
            except KeyboardInterrupt:
                if not themes.is_fitted:
                    raise  # else the best state so far; who asked for the fit learns of it from `history`
        self._join(themes)

    def _ended_with(self, themes: WeightedNMF, data: Interactions) -> Self:
        """Return the model as of a fit that ended with these themes."""
        model = copy.copy(self)
        model.max_iter, model.neighbors_ = themes.max_iter, copy.copy(self.neighbors_)
        model._join(themes)
        return model._finished(data)

    def _join(self, themes: WeightedNMF) -> None:
        """Take over the themes, and bring the neighbors to their size."""
        self.themes_ = themes
        assert self._used_weight is not None
        self.neighbors_.scale_weights(self._used_weight * self._level_ratio())

    def partial_fit(
        self,
        X: Any,
        y: None = None,
        *,
        known: Any = None,
        passes: int = 3,
        progress: GivenProgress = SILENT,
    ) -> Self:
        """Take in new entries, of known and of new users and items, without a full retrain.

        Each part does so by its own `partial_fit`: users and items with a new entry are fitted anew, as
        factors and as weights, and all else stays as it is, bit for bit; how much neighbors count beside
        themes stays that of the fit. The first call of a model that is not fitted is a `fit`.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like
            The new entries alone; see `NMF.partial_fit`.
        y : None
            Ignored.
        known : Interactions, sparse matrix or array-like, optional
            The data of the model so far; needed where the model does not have it, after loading.
        passes : int
            Sweeps of the themes, and of the part for ratings.
        progress : bool, callable or Progress

        Raises
        ------
        ParameterError
            If ``passes`` is no number, or a parameter is out of range or one that only a `fit` can change.
        ModelError
            If the model does not have its data or was stored by a version that could not be updated, if
            ``liked`` goes by users' means, which new entries move, or if an entry no longer counts as taken.
        InputError
            If the data cannot be used, or a matrix is smaller than the model.
        """
        if not self.is_fitted:
            return self.fit(X, progress=progress)
        check_updatable(self.name, self.liked, self.neighbors_.weight_scale_)
        before = self._known_data().training(known).data
        new = self._new_entries(X, before)
        listening = PartProgress(listener(progress))
        taken_data = taken(before, self.liked, self.liked_from, self.name)
        newly = newly_taken(before, new, self.liked_from)
        themes, neighbors = copy.copy(self.themes_), copy.copy(self.neighbors_)
        ratings = copy.copy(self.ratings_)
        themes.partial_fit(newly, known=taken_data, passes=passes, progress=listening)
        neighbors.partial_fit(newly, known=taken_data, progress=listening)
        if ratings is not None:
            ratings.partial_fit(new, known=before, passes=passes, progress=listening)
        self.themes_, self.neighbors_, self.ratings_ = themes, neighbors, ratings
        self._grow_to(Training(before.merged(new)))
        return self

    def _wants_ratings(self, data: Interactions) -> bool:
        return self.ratings == "yes" or (self.ratings == "auto" and data.feedback == "explicit")

    def _number_of_components(self, data: Interactions) -> int:
        return self.n_components or number_of_components(data.n_users, data.n_items)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: those of its largest part, for they are fitted in turn."""
        parts: list[Model] = list(self._parts(self._number_of_components(data)))
        if self._wants_ratings(data):
            parts.append(MaskedNMF())
        return max(part.fit_bytes(data) for part in parts)

    def _what(self, data: Interactions, W: Any, H: Any) -> dict[str, Any]:
        """Return what a fit is of, for its checkpoints."""
        start = None if W is None or H is None else Factors.unbiased(np.asarray(W), np.transpose(H))
        return fit_of(self.name, self.get_params(), data, start=start)

    def _counted(self, rows: CompressedRows) -> CompressedRows:
        return liked(rows, self.liked, self.liked_from)

    def _counts_alone(self, history: CompressedRows) -> bool:
        return self.liked == "all" and self._counted(history).nnz == history.nnz

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        fitted = self.themes_.fitted_params_
        resolved = {name: fitted[name] for name in _OF_THEMES}
        return {
            **resolved,
            "neighbor_l2": self.neighbors_.fitted_params_["l2"],
            "neighbor_weight": self._used_weight,
            "ratings": "no" if self.ratings_ is None else "yes",
        }

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted ratings of pairs; see `Model.predict_by_row`."""
        if not self.predicts_values:
            return super().predict_by_row(users, items)
        assert self.ratings_ is not None
        return self.ratings_.predict_by_row(users, items)

    def predict_histories(self, rows: CompressedRows) -> Float32Array:
        """Return predicted ratings for users with other histories; see `Model.predict_histories`."""
        assert self.ratings_ is not None
        return self.ratings_.score_histories(rows)

    @property
    def stored_per_row(self) -> float:
        """Factors, weights and entries of histories stored for a user or an item on average."""
        return super().stored_per_row + (0.0 if self.ratings_ is None else self.ratings_.stored_per_row)

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        arrays = parts_to_arrays(self._stored_parts())
        arrays[_SCALE] = np.array([self.neighbors_.weight_scale_])
        if self.ratings_ is not None:  # its penalty is no parameter of the whole
            arrays[_RATINGS_L2] = np.array([self.ratings_.fitted_params_["l2"]], dtype=np.float64)
        return arrays

    def _stored_parts(self) -> dict[str, Model]:
        parts: dict[str, Model] = {_THEMES: self.themes_, _NEIGHBORS: self.neighbors_}
        return parts if self.ratings_ is None else {**parts, _RATINGS: self.ratings_}

    def _note_stored(self, history: History | None, ids: tuple[Ids, Ids] | None) -> None:
        super()._note_stored(history, ids)
        self.themes_.history_, self.themes_.ids_ = history, ids

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        self.themes_, self.neighbors_ = self._parts(self.n_components or LEAST_COMPONENTS)
        self.ratings_ = None
        if any(name.startswith(_RATINGS) for name in arrays):
            (l2,) = require(arrays, _RATINGS_L2, np.float64, 1)
            self.ratings_ = MaskedNMF(l2=float(l2), random_state=self.random_state)
        self.n_users_, self.n_items_ = load_parts(self._stored_parts(), arrays)
        scale = require(arrays, _SCALE, np.float64, 1) if _SCALE in arrays else [math.nan]  # before 0.2.0
        self.neighbors_.weight_scale_ = float(scale[0])
