"""PureSVD: the largest singular vectors of the matrix, absent cells as zeros."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse.linalg import svds

from recsys import rng, threads
from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import ModelError
from recsys.factorization.factors import Factors, SideFactors
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.values import (
    TRANSFORMS,
    TRANSFORMS_HELP,
    preferences,
    resolved_transform,
    training_preferences,
)
from recsys.progress import Progress, task
from recsys.typing import Float64Array

_DENSE_SIDE = 64  # a side of so few rows is decomposed whole: ARPACK wants fewer vectors than rows


@register_model
@dataclass(eq=False)
class PureSVD(FactorModel):
    """The best approximation of a given rank to the matrix with zeros for absent cells.

    With ``Q`` the leading right singular vectors of ``X``, item factors are ``Q`` and user factors
    ``X Q``, so that a score is the projection ``X Q Q'`` and a new user needs no training (Cremonesi,
    Koren & Turrin 2010, section 3.2). Where the matrix has fewer singular values than
    ``n_components``, the other factors are zeros.

    It is scipy's ``svds`` (ARPACK) but for this: it starts from a vector drawn by the seed, vectors
    come by falling singular value, each with the sign that makes its largest loading positive, and a
    small matrix is decomposed whole, which ``svds`` refuses to.

    Attributes
    ----------
    singular_values_ : float64, (n_found,)
        Of the last fit, largest first; not stored in a bundle.
    user_factors_, item_factors_
        See `FactorModel`; of any sign.

    Examples
    --------
    >>> from recsys import Interactions, PureSVD
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = PureSVD(n_components=2).fit(data)
    >>> model.user_factors_.shape, model.item_factors_.shape
    ((3, 2), (3, 2))
    """

    name: ClassVar[str] = "pure-svd"
    has_themes: ClassVar[bool] = False

    n_components: int = param(32, "number of singular vectors", minimum=1, search=Range(8, 256, log=True))
    _: KW_ONLY
    value_transform: str = param("binary", TRANSFORMS_HELP, choices=TRANSFORMS, former_name="amounts")
    random_state: int = param(0, "seed of the vector ARPACK starts from", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: but not their logarithms."""
        return self.value_transform != "log"

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rows = training_preferences(data, self.value_transform)
        matrix = rows.to_scipy().astype(np.float64)
        unit = float(np.max(matrix.data))
        matrix.data /= unit  # squares of singular values stay finite
        with task(progress, self.name, 1) as running, threads.launch():
            values, vectors = self._leading(matrix)
            running.advance(1)
            item_factors = np.zeros((rows.n_columns, self.n_components), dtype=np.float32)
            item_factors[:, : len(values)] = vectors
            user_factors = np.asarray(matrix @ item_factors.astype(np.float64)) * unit
        self.singular_values_ = values * unit
        self._learned(Factors.unbiased(user_factors.astype(np.float32), item_factors))

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: factors in double precision twice, and in single."""
        n_rows, smallest = data.n_users + data.n_items, min(data.n_users, data.n_items)
        dense = 16 * data.n_users * data.n_items if smallest <= max(self.n_components, _DENSE_SIDE) else 0
        return 24 * self.n_components * n_rows + 52 * data.nnz + dense

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"value_transform": resolved_transform(self.value_transform, data.feedback)}

    def _leading(self, matrix: Any) -> tuple[Float64Array, Float64Array]:
        """Return singular values, largest first, and right singular vectors, (n_items, n_found)."""
        smallest = min(matrix.shape)
        if smallest <= max(self.n_components, _DENSE_SIDE):
            _, values, vectors = np.linalg.svd(matrix.toarray(), full_matrices=False)
        else:
            start = rng.stream(int(self.random_state), "pure-svd").standard_normal(smallest)
            try:
                _, values, vectors = svds(matrix, k=self.n_components, v0=start)
            except RuntimeError as error:  # ARPACK found no convergence
                raise ModelError(f"{self.name}: {error}; ask for fewer n_components.") from error
            order = np.argsort(-values, kind="stable")
            values, vectors = values[order], vectors[order]
        is_real = values > values[0] * max(matrix.shape) * np.finfo(np.float64).eps
        values, vectors = values[is_real][: self.n_components], vectors[is_real][: self.n_components]
        largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=1)[:, None], axis=1)
        return values, (vectors * np.sign(largest)).T

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        matrix = preferences(rows, str(self.fitted_params_["value_transform"])).to_scipy().astype(np.float64)
        factors = np.asarray(matrix @ self.item_factors_.astype(np.float64), dtype=np.float32)
        return SideFactors.of(factors)
