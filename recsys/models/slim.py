"""Sparse linear methods: items as non-negative sums of the items most alike to them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Literal, Self

import numpy as np

from recsys.checkpoints import KEEPS_NOTHING, Keeper
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import InputError, ModelError
from recsys.factorization.item_weights import N_HEAD, ItemRegression
from recsys.kernels.history_scores import add_history_scores
from recsys.models.item_item import ItemItemModel, rows_from_arrays, rows_to_arrays
from recsys.models.neighbor_penalty import slim_l2
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.training_data import Training
from recsys.models.updatable import UpdatableEstimator
from recsys.models.update_checks import check_passes, check_unchanged
from recsys.models.values import TRANSFORMS, TRANSFORMS_HELP, above_base, preferences
from recsys.progress import SILENT, GivenProgress, Progress, listener, task
from recsys.typing import AnyArray, Float32Array, Int32Array, Int64Array

_MOST_HALVINGS = 100.0  # of what an entry counts: it stays above 0 in single precision


@register_model
@dataclass(eq=False)
class SLIM(ItemItemModel, UpdatableEstimator):
    """Each item explained by few others, with weights of 0 or more (SLIM).

    For each item i, over the ``n_neighbors`` items most alike to it by cosine, solves

        min over b >= 0   1/2 |x_i - X b|^2 + l2/2 |b|^2 + l1 |b|_1

    (Ning & Karypis 2011, section 3). The rows of ``X`` are what a user's entries count times
    ``(n_u / mean n)^-user_exponent``, so that users who take everything say less; its columns are multiplied
    by ``n_i^-item_exponent``, so that popular items have to be worth their penalty. The score of an item is
    the sum, over the user's history, of what each past item counts times its weight, given back in units of
    the history: every part is 0 or more and belongs to one past item.

    With a ``half_life`` an entry counts the less in scores the older it is; weights between items are fitted
    to entries of all ages alike. The history of somebody who is not in the log has no times and counts as
    new.

    Where ``l2`` is not given it follows the mean number of users of an item; see `slim_l2`.

    Nothing is learned of users but their histories, so a new user needs no training.

    Attributes
    ----------
    weights_ : CompressedRows, (n_items, n_items)
        Row j: the items that past item j speaks for, and how much an entry of 1 adds to their scores.
    histories_, unit_
        See `ItemItemModel`.

    Examples
    --------
    >>> from recsys import Interactions, SLIM
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = SLIM(l2=1.0).fit(data)
    >>> bool((model.weights_.values >= 0).all())
    True
    """

    name: ClassVar[str] = "slim"
    keeps_checkpoints: ClassVar[bool] = True

    n_neighbors: int = param(100, "most items that explain one", minimum=1, search=Range(30, 300, log=True))
    _: KW_ONLY
    l2: float | None = param(
        None,
        "squared penalty on weights; none: 10 to 30, less where items have few users",
        minimum=0,
        kind=float,
        search=Range(1.0, 300.0, log=True),
    )
    l1: float = param(0.0, "penalty on the sum of weights", minimum=0)
    user_exponent: float = param(
        0.2, "how far active users count less", minimum=0, maximum=1, search=Range(0.0, 0.5)
    )
    item_exponent: float = param(
        0.2, "how far popular items are held back as neighbors", minimum=0, maximum=1, search=Range(0.0, 0.5)
    )
    target_exponent: float = param(
        0.1, "how far scores of popular items are held back", minimum=0, maximum=1, search=Range(0.0, 0.5)
    )
    half_life: float = param(
        0.0,
        "age of a past entry at which it counts half, as a part of the log's time span; 0: no age counts",
        minimum=0,
    )
    max_iter: int = param(50, "most sweeps over the neighbors of an item", minimum=1)
    tol: float = param(1e-3, "stop when no weight moves by more than this part of the largest", minimum=0)
    value_transform: str = param("binary", TRANSFORMS_HELP, choices=TRANSFORMS)

    _own: Float32Array | None = field(default=None, init=False, repr=False)
    weight_scale_: float = field(default=1.0, init=False, repr=False)

    def _fit(self, data: Interactions, progress: Progress, keeper: Keeper = KEEPS_NOTHING) -> None:
        self._fit_items(self._take_histories(data), progress, keeper)
        self.histories_ = self._aged(self.histories_, data)
        self._hold(Training(data))

    def _aged(self, histories: CompressedRows, data: Interactions) -> CompressedRows:
        """Return the histories of a log with each entry counting less the older it is."""
        if self.half_life == 0:
            return histories
        if data.time is None:
            raise InputError(
                f"{self.name}: half_life needs times and the log has none; name their column by --time, or "
                f"leave half_life out."
            )
        times = data.time[above_base(data.by_user, self.base_).values != 0].astype(np.float64)
        ages = (times.max() - times) / max(float(np.ptp(times)), 1.0)
        aged = histories.values * np.exp2(-np.minimum(ages / self.half_life, _MOST_HALVINGS))
        return histories.with_values(np.maximum(aged, np.finfo(np.float32).tiny).astype(np.float32))

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {**super()._resolved_params(data), "l2": self._used_l2}

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: products of popular items, weights, entries twice."""
        n_weights = data.n_items * min(self.n_neighbors, data.n_items)
        return 4 * min(data.n_items, N_HEAD) ** 2 + 48 * n_weights + 32 * data.nnz

    less_memory: ClassVar[str] = "take fewer neighbors, or leave out rare items"

    def _fit_items(self, rows: CompressedRows, progress: Progress, keeper: Keeper = KEEPS_NOTHING) -> None:
        self._used_l2 = slim_l2(rows) if self.l2 is None else float(self.l2)
        by_target = self._explained_by(self.histories_, self._used_l2, progress, keeper=keeper)
        self.weights_ = by_target.transposed()
        self.weight_scale_ = 1.0

    def _explained_by(
        self,
        histories: CompressedRows,
        l2: float,
        progress: Progress,
        items: Int64Array | None = None,
        keeper: Keeper = KEEPS_NOTHING,
    ) -> CompressedRows:
        """Return for each item, or some of them, the weights of the items that explain it in histories."""
        popularity = np.maximum(np.bincount(histories.columns, minlength=histories.n_columns), 1.0)
        activity = histories.counts / max(histories.counts.mean(), 1.0)
        of_users = np.maximum(activity, np.finfo(np.float64).tiny) ** -self.user_exponent
        of_items = popularity**-self.item_exponent
        weighted = histories.values * of_users[histories.row_numbers] * of_items[histories.columns]
        # What underflows in single precision would be no entry any more.
        weighted = np.maximum(weighted, np.finfo(np.float32).tiny).astype(np.float32)
        regression = ItemRegression(self.n_neighbors, self.l1, l2, self.max_iter, self.tol)
        n_fitted = histories.n_columns if items is None else len(items)
        with task(progress, self.name, n_fitted) as running:
            by_target = regression.fit(histories.with_values(weighted), running, items=items, keeper=keeper)
        # From weighted columns back to entries; what is left of a target's weight holds its scores back.
        scale = (
            of_items[by_target.columns]
            * (popularity ** (self.item_exponent - self.target_exponent))[by_target.row_numbers]
        )
        return by_target.with_values((by_target.values * scale).astype(np.float32))

    def partial_fit(
        self,
        X: Any,
        y: None = None,
        *,
        known: Any = None,
        passes: int = 1,
        reach: Literal["touched", "all"] = "touched",
        progress: GivenProgress = SILENT,
    ) -> Self:
        """Take in new entries, of known and of new users and items, without fitting every item again.

        Histories are all entries from then on, and lists go by them. ``reach="touched"`` fits anew how the
        items with a new entry are explained by others, from all entries; how other items are explained stays
        as it is, bit for bit, though it would change a little with the data. ``reach="all"`` is a `fit` of
        all entries. The first call of a model that is not fitted is a `fit`.

        Parameters
        ----------
        X : Interactions, sparse matrix or array-like
            The new entries alone. Interactions are joined by ids; the rows and columns of a matrix are those
            of the model, all of them, then new ones. An entry known already takes the new value (in implicit
            feedback: the sum).
        y : None
            Ignored.
        known : Interactions, sparse matrix or array-like, optional
            The data of the model so far; needed where the model does not have it, after loading.
        passes : int
            Of no effect, for an item's weights have one solution; here so that models are updated alike.
        reach : {"touched", "all"}
        progress : bool, callable or Progress
            See `fit`.

        Raises
        ------
        ParameterError
            If ``reach`` is neither, or a parameter is out of range or is ``value_transform`` and was changed.
        ModelError
            If the model does not have its data, or has a half-life and does not have its times.
        InputError
            If the data cannot be used, or a matrix is smaller than the model.
        """
        check_passes(self.name, passes, reach)
        if not self.is_fitted:
            return self.fit(X, progress=progress)
        transform = str(self.fitted_params_["value_transform"])
        if self.value_transform != "auto":
            check_unchanged(self.name, self.fitted_params_, {"value_transform": self.value_transform})
        before = self._known_data().training(known).data
        data = self._new_entries(X, before)
        merged = before.merged(data)
        if self.half_life and merged.time is None:
            raise ModelError(
                f"{self.name}: with a half-life an update needs the times of all entries, which a bundle "
                f"does not hold; train the model anew on everything."
            )
        if reach == "all":
            return self.fit(merged, progress=progress)
        _, touched = Training(merged).rows_with_entries(data)
        histories = self._in_units(preferences(above_base(merged.by_user, self.base_), transform))
        l2 = float(self.fitted_params_["l2"] if self.l2 is None else self.l2)
        fresh = self._explained_by(histories, l2, listener(progress), touched)
        self.histories_ = self._aged(histories, merged)
        self.weights_ = _replaced(self.weights_.transposed(), _times(fresh, self.weight_scale_), touched)
        self.weights_ = self.weights_.transposed()
        self._grow_to(Training(merged))
        return self

    def as_of_user(self, user: int) -> Self:
        """Return the model with histories read as those of a training user; see `Model.as_of_user`."""
        self._check_users(np.array([user]))
        model = copy.copy(self)
        past, values = self.histories_.row(user)
        model._own = np.full(self.n_items_, np.nan, dtype=np.float32)
        model._own[past] = values
        return model

    def _counted(self, rows: CompressedRows) -> CompressedRows:
        counted = super()._counted(rows)
        if self._own is None:
            return counted
        own = self._own[counted.columns]
        return counted.with_values(np.where(np.isnan(own), counted.values, own))

    def _scores(self, histories: CompressedRows) -> Float32Array:
        scores = np.zeros((histories.n_rows, self.weights_.n_rows), dtype=np.float32)
        self.add_scores(histories, scores)
        return scores

    def add_scores(self, histories: CompressedRows, scores: Float32Array) -> None:
        """Add the scores of all items for histories in units to ``scores``, (n_users, n_items)."""
        weights = self.weights_
        add_history_scores(
            histories.indptr,
            histories.columns,
            histories.values,
            weights.indptr,
            weights.columns,
            weights.values,
            scores,
        )

    def scale_weights(self, factor: float) -> None:
        """Multiply all weights, so that scores have another size and the same order.

        Parameters
        ----------
        factor : float
            0 or more.
        """
        self._check_fitted()
        self.weights_ = _times(self.weights_, factor)
        self.weight_scale_ *= factor

    def weights_between(self, past: Int32Array, items: Int64Array) -> AnyArray:
        """Return what past items add to the scores of some; see `ItemItemModel.weights_between`."""
        of_past = self.weights_.select(past.astype(np.int64))
        columns, number_of = np.unique(items, return_inverse=True)
        wanted = np.isin(of_past.columns, columns)
        between = np.zeros((len(past), len(columns)), dtype=np.float32)
        numbers = np.searchsorted(columns, of_past.columns[wanted])
        between[of_past.row_numbers[wanted], numbers] = of_past.values[wanted]
        return between[:, number_of]

    @property
    def stored_per_row(self) -> float:
        """Weights and entries of histories stored for a user or an item on average."""
        self._check_fitted()
        return (self.weights_.nnz + self.histories_.nnz) / (self.n_users_ + self.n_items_)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), **rows_to_arrays("weights", self.weights_)}

    def _restore_items(self, arrays: Mapping[str, AnyArray]) -> int:
        n_items = max(len(arrays.get("weights_indptr", ())) - 1, 0)
        self.weights_ = rows_from_arrays("weights", arrays, n_items)
        return n_items


def _times(rows: CompressedRows, factor: float) -> CompressedRows:
    """Return rows with their values multiplied."""
    if factor == 1:
        return rows
    return rows.with_values((rows.values.astype(np.float64) * factor).astype(np.float32))


def _replaced(rows: CompressedRows, fresh: CompressedRows, numbers: Int64Array) -> CompressedRows:
    """Return rows of which those of some numbers, and all beyond the last, are taken from ``fresh``."""
    is_fresh = np.arange(fresh.n_rows) >= rows.n_rows
    is_fresh[numbers] = True
    kept, taken = ~is_fresh[rows.row_numbers], is_fresh[fresh.row_numbers]
    owners = np.concatenate([rows.row_numbers[kept], fresh.row_numbers[taken]])
    order = np.argsort(owners, kind="stable")
    columns = np.concatenate([rows.columns[kept], fresh.columns[taken]])[order]
    values = np.concatenate([rows.values[kept], fresh.values[taken]])[order]
    indptr = np.r_[0, np.cumsum(np.bincount(owners, minlength=fresh.n_rows))]
    return CompressedRows(indptr, columns, values, fresh.n_columns)
