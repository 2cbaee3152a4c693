"""Nearest neighbours among items: people who have this also have that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.kernels.ranking import select_top
from recsys.models.item_item import ItemItemModel, rows_from_arrays, rows_to_arrays
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Choice, Range
from recsys.models.values import TRANSFORMS, TRANSFORMS_HELP
from recsys.progress import Progress, task
from recsys.typing import AnyArray, Float32Array, Float64Array, Int32Array, Int64Array

_BLOCK_BYTES = 64 * 2**20


@register_model
@dataclass(eq=False)
class ItemKNN(ItemItemModel):
    """Nearest neighbours: an item scores by how alike it is to those the user has.

    An item is the column of its users. Two items are alike by the cosine of their columns
    (``cosine``), of columns in which users with many items count less (``tf-idf``), or by the inner
    product of BM25 weights, which also damp popular items (``bm25``). Each item keeps its
    ``n_neighbors`` most alike others; equals fall to the lower item number. The score of an item is
    the sum over the user's items of what the entry counts times the similarity.

    It gives what implicit's ``CosineRecommender``, ``TFIDFRecommender`` and ``BM25Recommender`` give,
    but for this: an item is no neighbour of itself, which takes one of implicit's ``K`` places;
    weights below 0, of users who have nearly all items, count as 0; and users that leave a column
    nothing make no division by zero. Sources: Deshpande & Karypis (2004); Robertson & Zaragoza (2009).

    Attributes
    ----------
    neighbors_ : CompressedRows, (n_items, n_items)
        The similarities above 0 that each item keeps.
    histories_, unit_
        See `ItemItemModel`.

    Examples
    --------
    >>> from recsys import Interactions, ItemKNN
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = ItemKNN(n_neighbors=2, similarity="cosine").fit(data)
    >>> model.neighbors_.n_rows
    3
    """

    name: ClassVar[str] = "item-knn"

    n_neighbors: int = param(20, "most neighbours an item keeps", minimum=1, search=Range(5, 500, log=True))
    _: KW_ONLY
    similarity: str = param(
        "bm25",
        "what makes two items alike",
        choices=("cosine", "tf-idf", "bm25"),
        search=Choice(("cosine", "tf-idf", "bm25")),
    )
    shrinkage: float = param(
        0.0,
        "added below the line of cosine and tf-idf, so that few common users prove little",
        minimum=0,
        search=Range(0.0, 100.0),
    )
    k1: float = param(1.2, "how far amounts go beyond 1 in bm25", minimum=0)
    b: float = param(
        0.75, "how far popular items are damped in bm25", minimum=0, maximum=1, search=Range(0.0, 1.0)
    )
    value_transform: str = param("auto", TRANSFORMS_HELP, choices=TRANSFORMS, former_name="amounts")

    def _fit_items(self, rows: CompressedRows, progress: Progress) -> None:
        weighted = rows.to_scipy().astype(np.float64)
        weighted.data = self._weights(rows)
        by_item = weighted.T.tocsr()
        norms = np.sqrt(by_item.power(2).sum(axis=1))
        n_items = rows.n_columns
        kept = min(self.n_neighbors, n_items)
        step = max(1, _BLOCK_BYTES // (12 * n_items))
        parts: list[tuple[Int64Array, AnyArray, AnyArray]] = []
        with task(progress, self.name, n_items) as running:
            for start in range(0, n_items, step):
                block = np.arange(start, min(start + step, n_items))
                alike = (by_item[block] @ weighted).toarray()
                if self.similarity != "bm25":
                    below = norms[block, None] * norms + self.shrinkage
                    np.divide(alike, below, out=alike, where=below > 0)
                parts.append(_strongest(alike.astype(np.float32), block, kept))
                running.advance(len(block))
        counts, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.neighbors_ = CompressedRows(np.r_[0, np.cumsum(counts)], columns, values, n_items)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: a block of pairs twice, and what entries weigh."""
        n_kept = data.n_items * min(self.n_neighbors, data.n_items)
        return 2 * min(_BLOCK_BYTES, 12 * data.n_items**2) + 60 * data.nnz + 16 * n_kept

    def _weights(self, rows: CompressedRows) -> Float64Array:
        """Return what each entry weighs in its item's column, (nnz,)."""
        amounts = rows.values.astype(np.float64)
        if self.similarity == "cosine":
            return amounts
        n_items = rows.n_columns
        # Of a user: how much having an item says, by how many they have.
        telling = np.maximum(np.log(n_items) - np.log1p(rows.counts), 0.0)[rows.row_numbers]
        if self.similarity == "tf-idf":
            return np.asarray(np.sqrt(amounts) * telling)
        totals = np.bincount(rows.columns, weights=amounts, minlength=n_items)
        lengths = 1.0 - self.b + self.b * totals / totals.mean()
        return np.asarray(amounts * (self.k1 + 1.0) / (self.k1 * lengths[rows.columns] + amounts) * telling)

    def _scores(self, histories: CompressedRows) -> Float32Array:
        scores: Float32Array = (histories.to_scipy() @ self.neighbors_.to_scipy()).toarray()
        return scores

    def weights_between(self, past: Int32Array, items: Int64Array) -> AnyArray:
        """Return what past items add to the scores of some; see `ItemItemModel.weights_between`."""
        return np.asarray(self.neighbors_.to_scipy()[past][:, items].toarray())

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), **rows_to_arrays("neighbors", self.neighbors_)}

    def _restore_items(self, arrays: Mapping[str, AnyArray]) -> int:
        n_items = max(len(arrays.get("neighbors_indptr", ())) - 1, 0)
        self.neighbors_ = rows_from_arrays("neighbors", arrays, n_items)
        return n_items


def _strongest(alike: Float32Array, block: Int64Array, kept: int) -> tuple[Int64Array, AnyArray, AnyArray]:
    """Return how many others each item of a block keeps, which (ascending), and how alike they are.

    Parameters
    ----------
    alike : float32, (n_block, n_items)
    block : int64, (n_block,)
        The items whose rows these are.
    kept : int
    """
    items = np.empty((len(block), kept), dtype=np.int32)
    values = np.empty((len(block), kept), dtype=np.float32)
    n_listed, is_finite = np.empty(len(block), dtype=np.int64), np.empty(len(block), dtype=np.bool_)
    # The pattern of items to leave out: of each, the item itself.
    itself = np.arange(len(block) + 1), block.astype(np.int32)
    select_top(alike, *itself, np.arange(len(block)), items, values, n_listed, is_finite)
    keep = (np.arange(kept) < n_listed[:, None]) & (values > 0)
    order = np.argsort(np.where(keep, items, np.iinfo(np.int32).max), axis=1, kind="stable")
    keep = np.take_along_axis(keep, order, axis=1)
    places = [np.take_along_axis(side, order, axis=1)[keep] for side in (items, values)]
    return keep.sum(axis=1), places[0], places[1]
