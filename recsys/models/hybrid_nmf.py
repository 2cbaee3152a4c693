"""Themes plus neighbors: weighted NMF and a sparse linear item model, fitted alone and added."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np

from recsys.checkpoints import GivenCheckpoint, opened
from recsys.data.ids import Ids
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.factorization.factors import Factors
from recsys.factorization.history import History
from recsys.factorization.sparse_factors import LARGEST_RANK
from recsys.models.base import Model
from recsys.models.factor_model import FactorModel
from recsys.models.fit_state import fit_of
from recsys.models.hybrid_update import check_updatable, newly_taken
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.parameters import param, param_of
from recsys.models.part_progress import PartProgress
from recsys.models.registry import register_model
from recsys.models.score_parts import ScoreParts
from recsys.models.search import Range
from recsys.models.slim import SLIM, users_of_an_item
from recsys.models.stored_arrays import PartArrays, require
from recsys.models.training_data import KnownData, Training, rows_of_items
from recsys.models.values import LIKED, LIKED_HELP, is_liked, liked
from recsys.models.weighted_nmf import WeightedNMF
from recsys.progress import SILENT, GivenProgress, Progress, listener
from recsys.typing import AnyArray, BoolArray, Float32Array, Float64Array, Int64Array

# The rule for the number of components: a part of the smaller side of the matrix.
_LEAST_COMPONENTS = 64
_ROWS_A_COMPONENT = ((8, 256), (16, 1024))  # an eighth up to 256, from there on a sixteenth up to 1,024
_WEIGHT_FACTOR, _LEAST_WEIGHT, _MOST_WEIGHT = 0.11, 1.0, 2.0  # of neighbors
_LEVEL_USERS = 512
_THEMES, _NEIGHBORS, _RATINGS = "themes_", "neighbors_", "ratings_"
_RATINGS_L2 = f"{_RATINGS}l2"
_SCALE = f"{_NEIGHBORS}scale"

_OF_THEMES = (
    "n_components",
    "unobserved_weight",
    "l2",
    "user_exponent",
    "item_exponent",
    "user_l1",
    "item_l1",
    "max_iter",
    "random_state",
)
_OF_NEIGHBORS = ("l2", "l1", "user_exponent", "item_exponent", "target_exponent", "half_life")


@register_model
@dataclass(eq=False)
class HybridNMF(Model):
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
    _training: Training | None = field(default=None, init=False, repr=False)
    ids_: tuple[Ids, Ids] | None = field(default=None, init=False, repr=False)

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
        data = self._checked(X)
        self._fit(data, listener(progress), W, H, checkpoint)
        return self._finished(data)

    def _fit(
        self,
        data: Interactions,
        progress: Progress,
        W: Any = None,
        H: Any = None,
        checkpoint: GivenCheckpoint = None,
    ) -> None:
        taken = self._taken(data)
        themes, neighbors = self._parts(self._number_of_components(data))
        if W is not None or H is not None:
            themes.set_params(init="custom")
        ratings = MaskedNMF(random_state=self.random_state) if self._wants_ratings(data) else None
        with opened(checkpoint, lambda: self._what(data, W, H)) as keeper:
            if ratings is not None:
                ratings.fit(data, progress=PartProgress(progress), checkpoint=keeper.part("ratings"))
            neighbors.fit(taken, progress=progress, checkpoint=keeper.part("neighbors"))
            self._used_weight = self.neighbor_weight
            if self._used_weight is None:
                by_users = _WEIGHT_FACTOR * users_of_an_item(taken.by_user)
                self._used_weight = float(np.clip(by_users, _LEAST_WEIGHT, _MOST_WEIGHT))
            self.neighbors_, self.ratings_ = neighbors, ratings
            self._training, self.ids_ = Training(data), None
            listening = PartProgress(progress, self._snapshots(progress, data))
            try:
                themes.fit(taken, W=W, H=H, progress=listening, checkpoint=keeper.part("themes"))
            except KeyboardInterrupt:
                if not themes.is_fitted:
                    raise  # else the best state so far; who asked for the fit learns of it from `history`
        self._join(themes)

    def _snapshots(self, progress: Progress, data: Interactions) -> Callable[[WeightedNMF], None] | None:
        """Return what hands on the whole after each sweep of the themes, as a fit that ended there."""
        show = getattr(progress, "snapshot", None)
        if show is None:
            return None

        def hand_over(themes: WeightedNMF) -> None:
            model = copy.copy(self)
            model.max_iter, model.neighbors_ = themes.max_iter, copy.copy(self.neighbors_)
            model._join(themes)
            show(model._finished(data))

        return hand_over

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
        of_fit = KnownData(
            self.name, self.feedback, (self.n_users_, self.n_items_), self._training, self.ids_
        )
        before = of_fit.training(known).data
        new = X
        if not isinstance(X, Interactions):
            rows = rows_of_items(X, self.n_items_, type(self).__name__, wider=True, allows_negative=True)
            new = before.with_entries(rows)
        listening = PartProgress(listener(progress))
        taken, newly = self._taken(before), newly_taken(before, new, self.liked_from)
        themes, neighbors, ratings = (
            copy.copy(self.themes_),
            copy.copy(self.neighbors_),
            copy.copy(self.ratings_),
        )
        themes.partial_fit(newly, known=taken, passes=passes, progress=listening)
        neighbors.partial_fit(newly, known=taken, progress=listening)
        if ratings is not None:
            ratings.partial_fit(new, known=before, passes=passes, progress=listening)
        self.themes_, self.neighbors_, self.ratings_ = themes, neighbors, ratings
        self._training, self.ids_ = Training(before.merged(new)), None
        self._note_data(self._training.data)
        return self

    @property
    def training_(self) -> Interactions:
        """The data of the model, new entries included."""
        self._check_fitted()
        shape = (self.n_users_, self.n_items_)
        return KnownData(self.name, self.feedback, shape, self._training, self.ids_).training(None).data

    def _wants_ratings(self, data: Interactions) -> bool:
        return self.ratings == "yes" or (self.ratings == "auto" and data.feedback == "explicit")

    def _number_of_components(self, data: Interactions) -> int:
        smaller = min(data.n_users, data.n_items)
        ruled = max(_LEAST_COMPONENTS, *(min(smaller // rows, most) for rows, most in _ROWS_A_COMPONENT))
        return ruled if self.n_components is None else self.n_components

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

    def _taken(self, data: Interactions) -> Interactions:
        """Return the entries that count as taken."""
        counts = is_liked(data.by_user, self.liked, self.liked_from)
        if not counts.any():
            raise InputError(
                f"{self.name}: no entry counts as taken with liked={self.liked!r} and "
                f"liked_from={self.liked_from}; values run from {data.by_user.values.min():g} to "
                f"{data.by_user.values.max():g}."
            )
        if counts.all():
            return data
        return replace(
            data, by_user=data.by_user.only(counts), time=None if data.time is None else data.time[counts]
        )

    def _liked(self, rows: CompressedRows) -> CompressedRows:
        return liked(rows, self.liked, self.liked_from)

    def _level_ratio(self) -> float:
        """Return the size of the themes' scores divided by that of the neighbors'; 1 where one has none."""
        n_users = self.themes_.n_users_
        users = np.unique(np.linspace(0, n_users - 1, min(n_users, _LEVEL_USERS)).astype(np.int64))
        squares = np.zeros(2)
        for user in users:
            for number, part in enumerate((self.themes_, self.neighbors_)):
                squares[number] += np.square(part.score_block(user[None]), dtype=np.float64).sum()
        return float(np.sqrt(squares[0] / squares[1])) if squares.all() else 1.0

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        fitted = self.themes_.fitted_params_
        resolved = {name: fitted[name] for name in _OF_THEMES}
        return {
            **resolved,
            "neighbor_l2": self.neighbors_.fitted_params_["l2"],
            "neighbor_weight": self._used_weight,
            "ratings": "no" if self.ratings_ is None else "yes",
        }

    def score_block(self, users: AnyArray) -> Float32Array:
        """Return scores of all items for a block of users; see `Model.score_block`."""
        rows = self._check_users(users)
        scores = self.themes_.score_block(rows)
        self.neighbors_.add_scores(self.neighbors_.histories_.select(rows), scores)
        return scores

    def score_histories(self, rows: CompressedRows) -> Float32Array:
        """Return scores of all items for users with other histories; see `Model.score_histories`."""
        self._check_histories(rows)
        rows = self._liked(rows)
        return self.themes_.score_histories(rows) + self.neighbors_.score_histories(rows)

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

    def is_blank(self, users: AnyArray | None = None) -> BoolArray:
        """Return for each training user whether neither part knows anything; see `Model.is_blank`."""
        self._check_fitted()
        return self.themes_.is_blank(users) & self.neighbors_.is_blank(users)

    def score_parts(self, user: int, items: AnyArray) -> ScoreParts | None:
        """Return scores as what components and past items add; see `Model.score_parts`."""
        return _joined(self.themes_.score_parts(user, items), self.neighbors_.score_parts(user, items))

    def history_score_parts(self, history: CompressedRows, items: AnyArray) -> ScoreParts | None:
        """Return a new user's scores as what components and past items add; see the base."""
        self._check_histories(history)
        rows = self._liked(history)
        parts = (part.history_score_parts(rows, items) for part in (self.themes_, self.neighbors_))
        return _joined(*parts)

    def history_components(self, rows: CompressedRows) -> Float32Array | None:
        """Return the factors of new users in the part with components; see the base."""
        self._check_histories(rows)
        return self.themes_.history_components(self._liked(rows))

    def scores_of_items(self, rows: CompressedRows, items: AnyArray) -> Float32Array:
        """Return the scores of some items for new users; see `Model.scores_of_items`."""
        self._check_histories(rows)
        rows = self._liked(rows)
        return self.themes_.scores_of_items(rows, items) + self.neighbors_.scores_of_items(rows, items)

    def scores_without(self, history: CompressedRows, removed: Int64Array, items: AnyArray) -> Float64Array:
        """Return scores for a history, and without each of some entries; see `Model.scores_without`."""
        # What is liked may change with the rest of a history.
        if self.liked != "all" or self._liked(history).nnz < history.nnz:
            return super().scores_without(history, removed, items)
        parts = (self.themes_, self.neighbors_)
        of_themes, of_neighbors = (part.scores_without(history, removed, items) for part in parts)
        return np.asarray(of_themes + of_neighbors)

    def as_of_user(self, user: int) -> Self:
        """Return the model with histories read as those of a training user; see `Model.as_of_user`."""
        model = copy.copy(self)
        model.neighbors_ = self.neighbors_.as_of_user(user)
        return model

    @property
    def neighbor_model(self) -> SLIM:
        """The part with weights between items."""
        self._check_fitted()
        return self.neighbors_

    @property
    def component_model(self) -> FactorModel | None:
        """The part with components."""
        self._check_fitted()
        return self.themes_

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
        self._check_fitted()
        ratings = 0.0 if self.ratings_ is None else self.ratings_.stored_per_row
        return self.themes_.stored_per_row + self.neighbors_.stored_per_row + ratings

    # -- the bundle -----------------------------------------------------------------------------
    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        self._check_fitted()
        arrays = {
            prefix + name: array
            for prefix, part in self._named_parts()
            for name, array in part.to_arrays().items()
        }
        arrays[_SCALE] = np.array([self.neighbors_.weight_scale_])
        if self.ratings_ is not None:  # its penalty is no parameter of the whole
            arrays[_RATINGS_L2] = np.array([self.ratings_.fitted_params_["l2"]], dtype=np.float64)
        return arrays

    def _named_parts(self) -> Iterator[tuple[str, Model]]:
        yield _THEMES, self.themes_
        yield _NEIGHBORS, self.neighbors_
        if self.ratings_ is not None:
            yield _RATINGS, self.ratings_

    def load(
        self,
        arrays: Mapping[str, AnyArray],
        *,
        history: History | None = None,
        ids: tuple[Ids, Ids] | None = None,
    ) -> None:
        """Become the fitted model that was stored; see `Model.load`."""
        super().load(arrays)
        self.themes_.history_, self.themes_.ids_ = history, ids
        self._training, self.ids_ = None, ids

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        n_components = self.n_components or _LEAST_COMPONENTS
        self.themes_, self.neighbors_ = self._parts(n_components)
        self.ratings_ = None
        if any(name.startswith(_RATINGS) for name in arrays):
            (l2,) = require(arrays, _RATINGS_L2, np.float64, 1)
            self.ratings_ = MaskedNMF(l2=float(l2), random_state=self.random_state)
        sizes = {}
        for prefix, part in self._named_parts():
            part.load(PartArrays(arrays, prefix))
            sizes[prefix] = (part.n_users_, part.n_items_)
        if len(set(sizes.values())) > 1:
            raise ModelError(f"the parts are of different numbers of users and items: {sizes}.")
        scale = require(arrays, _SCALE, np.float64, 1) if _SCALE in arrays else [math.nan]  # before 0.2.0
        self.neighbors_.weight_scale_ = float(scale[0])
        self.n_users_, self.n_items_ = self.themes_.n_users_, self.themes_.n_items_


def _joined(themes: ScoreParts | None, neighbors: ScoreParts | None) -> ScoreParts:
    """Return the parts of two scores that are added."""
    assert themes is not None
    assert neighbors is not None
    return replace(themes, past_items=neighbors.past_items, from_past=neighbors.from_past)
