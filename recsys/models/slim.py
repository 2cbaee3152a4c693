"""Sparse linear methods: items as non-negative sums of the items most alike to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from recsys.data.rows import CompressedRows
from recsys.factorization.item_weights import ItemRegression
from recsys.kernels.slim import add_history_scores
from recsys.models.item_item import ItemItemModel, rows_from_arrays, rows_to_arrays
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.values import TRANSFORMS, TRANSFORMS_HELP
from recsys.progress import Progress, task
from recsys.typing import AnyArray, Float32Array, Int32Array, Int64Array


@register_model
@dataclass(eq=False)
class SLIM(ItemItemModel):
    """Each item explained by few others, with weights of 0 or more (SLIM).

    For each item i, over the ``n_neighbors`` items most alike to it by cosine, solves

        min over b >= 0   1/2 |x_i - X b|^2 + l2/2 |b|^2 + l1 |b|_1

    (Ning & Karypis 2011, section 3). The rows of ``X`` are what a user's entries count times
    ``(n_u / mean n)^-user_exponent``, so that users who take everything say less; its columns are multiplied
    by ``n_i^-item_exponent``, so that popular items have to be worth their penalty. The score of an item is
    the sum, over the user's history, of what each past item counts times its weight, given back in units of
    the history: every part is 0 or more and belongs to one past item.

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

    n_neighbors: int = param(100, "most items that explain one", minimum=1, search=Range(30, 300, log=True))
    _: KW_ONLY
    l2: float = param(30.0, "squared penalty on weights", minimum=0, search=Range(1.0, 300.0, log=True))
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
    max_iter: int = param(50, "most sweeps over the neighbors of an item", minimum=1)
    tol: float = param(1e-3, "stop when no weight moves by more than this part of the largest", minimum=0)
    value_transform: str = param("binary", TRANSFORMS_HELP, choices=TRANSFORMS)

    def _fit_items(self, rows: CompressedRows, progress: Progress) -> None:
        histories = self.histories_
        popularity = np.maximum(np.bincount(histories.columns, minlength=rows.n_columns), 1.0)
        activity = histories.counts / max(histories.counts.mean(), 1.0)
        of_users = np.maximum(activity, np.finfo(np.float64).tiny) ** -self.user_exponent
        of_items = popularity**-self.item_exponent
        weighted = histories.values * of_users[histories.row_numbers] * of_items[histories.columns]
        # What underflows in single precision would be no entry any more.
        weighted = np.maximum(weighted, np.finfo(np.float32).tiny).astype(np.float32)
        regression = ItemRegression(self.n_neighbors, self.l1, self.l2, self.max_iter, self.tol)
        with task(progress, self.name, rows.n_columns) as running:
            by_target = regression.fit(histories.with_values(weighted), running)
        # From weighted columns back to entries; what is left of a target's weight holds its scores back.
        scale = (
            of_items[by_target.columns]
            * (popularity ** (self.item_exponent - self.target_exponent))[by_target.row_numbers]
        )
        self.weights_ = by_target.with_values((by_target.values * scale).astype(np.float32)).transposed()

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
        weights = self.weights_.values.astype(np.float64) * factor
        self.weights_ = self.weights_.with_values(weights.astype(np.float32))

    def weights_between(self, past: Int32Array, items: Int64Array) -> AnyArray:
        """Return what past items add to the scores of some; see `ItemItemModel.weights_between`."""
        return np.asarray(self.weights_.to_scipy()[past][:, items].toarray())

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
