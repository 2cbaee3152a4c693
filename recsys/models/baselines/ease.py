"""EASE: a linear autoencoder of items, in closed form (Steck 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
from scipy.linalg import lapack

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.models.item_item import ItemItemModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.models.values import TRANSFORMS, TRANSFORMS_HELP
from recsys.progress import Progress, task
from recsys.typing import AnyArray, Float32Array, Float64Array, Int32Array, Int64Array

_BYTES_A_PAIR = 8 + 4  # the inverse in double precision and the weights in single
_BLOCK_BYTES = 64 * 2**20


@register_model
@dataclass(eq=False)
class EASE(ItemItemModel):
    """A linear model in which each item is predicted from all others at once.

    Minimises ``|X - X B|^2 + l2 |B|^2`` with ``diag(B) = 0``, where ``X`` holds what entries count,
    absent cells as 0, in units of their root mean square: for entries that count 1 this is the
    paper's problem. With ``P = (X'X + l2 I)^-1`` the answer is ``B_ij = -P_ij / P_jj`` beside the
    diagonal (Steck 2019, "Embarrassingly shallow autoencoders for sparse data", equation 8). The
    score of an item is the user's row of ``X`` times its column of ``B``.

    There is nothing to iterate, but the matrix is of items by items: 12 bytes a pair while it is
    fitted (14 GiB for 35,000 items), 4 in memory and on disk afterwards; the time grows with the cube.

    Attributes
    ----------
    weights_ : float32, (n_items, n_items)
        B.
    histories_, unit_
        See `ItemItemModel`.

    Examples
    --------
    >>> from recsys import EASE, Interactions
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = EASE(l2=1.0).fit(data)
    >>> model.weights_.shape, float(abs(model.weights_.diagonal()).max())
    ((3, 3), 0.0)
    """

    name: ClassVar[str] = "ease"
    is_signed: ClassVar[bool] = True

    l2: float = param(
        250.0, "squared penalty on weights, as so many users", above=0, search=Range(10.0, 5000.0, log=True)
    )
    _: KW_ONLY
    value_transform: str = param("binary", TRANSFORMS_HELP, choices=TRANSFORMS, former_name="amounts")

    def _fit_items(self, rows: CompressedRows, progress: Progress) -> None:
        n_items = rows.n_columns
        matrix = self.histories_.to_scipy().astype(np.float64)
        by_item = matrix.T.tocsr()
        step = max(1, _BLOCK_BYTES // (12 * n_items))
        # LAPACK works in place on columns; the transpose of rows is just that, and the matrix symmetric.
        inverse: Float64Array = np.empty((n_items, n_items))
        with task(progress, self.name, 3) as running, threads.launch():
            for start in range(0, n_items, step):
                inverse[start : start + step] = (by_item[start : start + step] @ matrix).toarray()
            inverse[np.diag_indices(n_items)] += self.l2
            running.advance(1, "inner products of items")
            _, fault = lapack.dpotrf(inverse.T, lower=1, overwrite_a=1)
            if not fault:
                running.advance(1, "Cholesky factor")
                _, fault = lapack.dpotri(inverse.T, lower=1, overwrite_c=1)
            if fault:
                raise ModelError(
                    f"{self.name}: the matrix of items is not positive definite in double precision; "
                    f"raise l2, now {self.l2:g}."
                )
            running.advance(1, "inverse")
            self.weights_ = _weights_of(inverse, step)

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: all pairs of items, a block of them four times."""
        n_pairs = data.n_items**2
        return _BYTES_A_PAIR * n_pairs + 34 * min(_BLOCK_BYTES // 12, n_pairs) + 28 * data.nnz

    less_memory: ClassVar[str] = "leave out rare items, or use item-knn"

    def _scores(self, histories: CompressedRows) -> Float32Array:
        return np.asarray(histories.to_scipy() @ self.weights_, dtype=np.float32)

    def weights_between(self, past: Int32Array, items: Int64Array) -> AnyArray:
        """Return what past items add to the scores of some; see `ItemItemModel.weights_between`."""
        return np.asarray(self.weights_[np.ix_(past, items)])

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), "weights": self.weights_}

    def _restore_items(self, arrays: Mapping[str, AnyArray]) -> int:
        weights = require(arrays, "weights", np.float32, 2)
        if weights.shape[0] != weights.shape[1]:
            raise ModelError(f"array 'weights' has shape {weights.shape}; expected items by items.")
        self.weights_ = weights
        return len(weights)


def _weights_of(inverse: Float64Array, step: int) -> Float32Array:
    """Return ``-P_ij / P_jj`` with a diagonal of 0, from the upper triangle of P, block by block."""
    n_items = len(inverse)
    scale = -1.0 / np.diagonal(inverse)
    weights: Float32Array = np.empty((n_items, n_items), dtype=np.float32)
    for start in range(0, n_items, step):
        some = slice(start, min(start + step, n_items))
        upper = np.triu(inverse[some], start)
        weights[some, some.start :] = (upper * scale)[:, some.start :]
        # The same numbers below the diagonal: what is a row of P is a column, too.
        weights[some.start :, some] = np.where(
            np.tri(n_items - start, some.stop - start, dtype=bool),
            upper[:, some.start :].T * scale[some],
            weights[some.start :, some],
        )
    weights[np.diag_indices(n_items)] = 0
    return weights
