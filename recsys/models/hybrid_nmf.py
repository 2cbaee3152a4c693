"""Themes plus neighbors: weighted NMF and a sparse linear item model, fitted alone and added."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
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
from recsys.models.factor_model import FactorModel
from recsys.models.fit_state import fit_of
from recsys.models.hybrid_parts import HybridParts
from recsys.models.hybrid_rules import LEAST_COMPONENTS, number_of_components
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.parameters import param, param_of
from recsys.models.part_progress import PartProgress
from recsys.models.registry import register_model
from recsys.models.score_parts import ScoreParts
from recsys.models.search import Range
from recsys.models.slim import SLIM
from recsys.models.taken_entries import LIKED, LIKED_HELP, check_updatable, liked, newly_taken, taken
from recsys.models.training_data import Training
from recsys.models.updatable import UpdatableEstimator
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array


@register_model
@dataclass(eq=False)
class HybridNMF(UpdatableEstimator, Model):
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

    _fitted: HybridParts | None = field(default=None, init=False, repr=False)
    _used_weight: float = field(init=False, repr=False)

    # -- the parts ------------------------------------------------------------------------------
    @property
    def _parts(self) -> HybridParts:
        if self._fitted is None:
            self._check_fitted()
        assert self._fitted is not None
        return self._fitted

    @property
    def themes_(self) -> WeightedNMF:
        """The part with components."""
        return self._parts.themes

    @property
    def neighbors_(self) -> SLIM:
        """The part with weights between items, in units of the score."""
        return self._parts.neighbors

    @property
    def ratings_(self) -> MaskedNMF | None:
        """What predicts ratings."""
        return self._parts.ratings

    @property
    def component_model(self) -> FactorModel:
        """The part with components."""
        return self.themes_

    @property
    def neighbor_model(self) -> SLIM:
        """The part with weights between items."""
        return self.neighbors_

    @property
    def predicts_values(self) -> bool:  # type: ignore[override]
        """Whether `predict_by_row` answers: whether there is a part for ratings."""
        return self.is_fitted and self.ratings_ is not None

    @property
    def scores_from_zero(self) -> bool:
        """Whether 0 says that nothing speaks for an item: scores are sums of parts that are 0 or more."""
        return True

    @property
    def history(self) -> History | None:
        """How the training of the themes went."""
        return self.themes_.history if self.is_fitted else None

    @property
    def stored_per_row(self) -> float:
        """Factors, weights and entries of histories stored for a user or an item on average."""
        return self._parts.stored_per_row

    # -- fitting --------------------------------------------------------------------------------
    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: whatever is not 0 counts as taken."""
        return True

    def _new_parts(self, data: Interactions) -> HybridParts:
        """Return the parts of a fit, not fitted."""
        is_rated = self.ratings == "auto" and data.feedback == "explicit"
        return HybridParts.unfitted(
            self.get_params(),
            n_components=self.n_components or number_of_components(data.n_users, data.n_items),
            has_ratings=self.ratings == "yes" or is_rated,
        )

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
        with opened(checkpoint, lambda: self._what(data, W, H)) as keeper:
            parts, weight = self._new_parts(data).fit(
                data,
                taken_data,
                weight=self.neighbor_weight,
                W=W,
                H=H,
                keeper=keeper,
                progress=progress,
                model_of=lambda parts, weight: self._ended_with(parts, weight, data),
            )
        self._keep(parts, weight, data)

    def _keep(self, parts: HybridParts, weight: float, data: Interactions) -> None:
        """Take over what a fit came to."""
        self._fitted, self._used_weight = parts, weight
        self._hold(Training(data))

    def _ended_with(self, parts: HybridParts, weight: float, data: Interactions) -> Self:
        """Return the model as of a fit that ended with these parts."""
        model = copy.copy(self)
        model.max_iter = parts.themes.max_iter
        model._keep(parts, weight, data)
        return model._finished(data)

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
        self._fitted = self._parts.updated(
            taken(before, self.liked, self.liked_from, self.name),
            newly_taken(before, new, self.liked_from),
            before,
            new,
            passes=passes,
            progress=PartProgress(listener(progress)),
        )
        self._grow_to(Training(before.merged(new)))
        return self

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: those of its largest part, for they are fitted in turn."""
        return self._new_parts(data).fit_bytes(data)

    def _what(self, data: Interactions, W: Any, H: Any) -> dict[str, Any]:
        """Return what a fit is of, for its checkpoints."""
        start = None if W is None or H is None else Factors.unbiased(np.asarray(W), np.transpose(H))
        return fit_of(self.name, self.get_params(), data, start=start)

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {**self._parts.params, "neighbor_weight": self._used_weight}

    # -- answers --------------------------------------------------------------------------------
    def _counted(self, rows: CompressedRows) -> CompressedRows:
        """Return the entries of histories that count as taken."""
        return liked(rows, self.liked, self.liked_from)

    def _checked_histories(self, rows: CompressedRows) -> CompressedRows:
        """Return what counts of the histories of new users, or raise InputError."""
        self._check_histories(rows)
        return self._counted(rows)

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        return self._parts.score_block(self._check_users(users))

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users with other histories; see `Model.score_histories`."""
        return self._parts.score_histories(self._checked_histories(rows))

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each training user whether neither part knows anything; see `Model.is_blank`."""
        return self._parts.is_blank(users)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts:
        """Return scores as what components and past items add; see `Model.score_parts`."""
        return self._parts.score_parts(user, items)

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts:
        """Return a new user's scores as what components and past items add; see `Model`."""
        return self._parts.history_score_parts(self._checked_histories(history), items)

    def history_components(self, rows: CompressedRows) -> Float32Array | None:
        """Return the factors of new users in the part with components; see `Model`."""
        return self.themes_.history_components(self._checked_histories(rows))

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return the scores of some items for new users; see `Model.scores_of_items`."""
        return self._parts.scores_of_items(self._checked_histories(rows), items)

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        if self.liked == "all" and self._counted(history).nnz == history.nnz:
            return self._parts.scores_without(history, removed, items)
        return super().scores_without(history, removed, items)  # what counts goes by the other entries

    def as_of_user(self, user: int) -> Self:
        """Return the model with histories read as those of a training user; see `Model.as_of_user`."""
        model = copy.copy(self)
        model._fitted = replace(self._parts, neighbors=self.neighbors_.as_of_user(user))
        return model

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

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return self._parts.to_arrays()

    def _note_stored(self, history: History | None, ids: tuple[Ids, Ids] | None) -> None:
        super()._note_stored(history, ids)
        self.themes_.history_, self.themes_.ids_ = history, ids

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        n_components = self.n_components or LEAST_COMPONENTS
        self._fitted = HybridParts.restored(arrays, self.get_params(), n_components=n_components)
        self.n_users_, self.n_items_ = self.themes_.n_users_, self.themes_.n_items_
