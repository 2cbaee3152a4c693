"""scikit-learn's NMF, to which an absent cell is a zero: kept to show what masking buys.

The adapter corrects: values of any size are fitted in a unit near their mean (scikit-learn takes what
is below 1e-6 for nothing), BLAS is held at one thread, themes are ordered by what they explain, and
other users are fitted one by one, so that none depends on who else is asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from recsys import threads
from recsys.data.interactions import Interactions
from recsys.data.log import Feedback
from recsys.data.rows import CompressedRows
from recsys.errors import DependencyError, ModelError
from recsys.factorization.entries import unit_of
from recsys.factorization.factors import Factors, SideFactors
from recsys.models.factor_model import FactorModel
from recsys.models.parameters import param
from recsys.models.registry import register_model
from recsys.models.search import Range
from recsys.models.stored_arrays import require
from recsys.models.trainer import check_range
from recsys.models.values import (
    TRANSFORMS,
    TRANSFORMS_HELP,
    preferences,
    resolved_transform,
    training_preferences,
)
from recsys.progress import Progress, task
from recsys.typing import AnyArray, Float32Array

_MOST_ENTRIES = int(np.iinfo(np.int32).max)


@register_model
@dataclass(eq=False)
class ZeroFilledNMF(FactorModel):
    """scikit-learn's NMF of the whole matrix, absent cells read as zeros.

    Minimises ``1/2 |X - W H|^2`` and penalties, W and H 0 or more, by coordinate descent
    (``solver="cd"``). With ratings it predicts far too low where there is no rating, for it was
    told that there the rating is 0; `MaskedNMF` is what leaves those cells out.

    Needs scikit-learn: ``pip install "recsys[sklearn]"``.

    Attributes
    ----------
    components_ : float32, (n_components, n_items)
        Themes, ordered by the share of the observed total they explain.
    user_factors_, item_factors_, shares_
        See `FactorModel`.
    value_range_ : tuple of float
        Least and largest value seen; `predict_by_row` stays inside.
    typical_value_ : float
        Mean of the values seen: the prediction where user or item is unknown.

    Examples
    --------
    >>> from recsys import Interactions, ZeroFilledNMF
    >>> users, items = ["ann", "ann", "bob", "bob", "eve"], ["tea", "milk", "tea", "jam", "jam"]
    >>> data = Interactions.from_pairs(users, items)
    >>> model = ZeroFilledNMF(n_components=2).fit(data)
    >>> bool((model.components_ >= 0).all())
    True
    """

    name: ClassVar[str] = "zero-filled-nmf"
    predicts_values: ClassVar[bool] = True
    feedback: ClassVar[Feedback] = "explicit"

    n_components: int = param(64, "number of themes", minimum=1, search=Range(8, 128, log=True))
    _: KW_ONLY
    alpha: float = param(
        0.0, "penalty on factors (scikit-learn's alpha_W)", minimum=0, search=Range(0.0, 1.0)
    )
    l1_ratio: float = param(0.0, "share of the penalty that is on the sum of factors", minimum=0, maximum=1)
    max_iter: int = param(200, "most sweeps over users and items", minimum=1)
    tol: float = param(1e-4, "stop when a sweep changes this share of what the first changed", minimum=0)
    value_transform: str = param("auto", TRANSFORMS_HELP, choices=TRANSFORMS, former_name="amounts")
    random_state: int = param(0, "seed of the start", minimum=0)

    @property
    def takes_negative(self) -> bool:
        """Whether ratings may be below 0: if whatever is not 0 counts the same."""
        return self.value_transform == "binary"

    def _fit(self, data: Interactions, progress: Progress) -> None:
        rows = training_preferences(data, self.value_transform)
        unit = unit_of(rows.values)
        solver = self._solver(unit)
        with task(progress, self.name, 1) as running, _quietly():
            users = solver.fit_transform(_matrix(rows, unit))
            running.advance(1)
        root = np.sqrt(unit)
        user_factors, item_factors = (
            np.ascontiguousarray(side * root, dtype=np.float32) for side in (users, solver.components_.T)
        )
        factors = Factors.unbiased(user_factors, item_factors)
        check_range(factors, self.name, self.alpha, "alpha")
        factors, shares, _ = factors.by_share(rows)
        self._learned(factors, shares=shares)
        observed = data.by_user.values
        self.value_range_ = (float(observed.min()), float(observed.max()))
        self.typical_value_ = float(np.mean(observed, dtype=np.float64))

    def fit_bytes(self, data: Interactions) -> int:
        """Return about how many bytes a fit takes: factors five times in double precision, at the start."""
        return 40 * self.n_components * (data.n_users + data.n_items) + 20 * data.nnz

    def _resolved_params(self, data: Interactions) -> dict[str, Any]:
        return {"value_transform": resolved_transform(self.value_transform, data.feedback)}

    def _solver(self, unit: float) -> Any:
        """Return scikit-learn's estimator for values divided by ``unit``, or raise DependencyError."""
        try:
            from sklearn.decomposition import NMF  # type: ignore[import-untyped]
        except ImportError as error:
            raise DependencyError(
                f'{self.name} needs scikit-learn, which is not installed: pip install "recsys[sklearn]".'
            ) from error
        on_sums, on_squares = self.alpha * self.l1_ratio / unit**1.5, self.alpha * (1 - self.l1_ratio) / unit
        params = {
            "n_components": self.n_components,
            "alpha_W": on_sums + on_squares,
            "l1_ratio": on_sums / (on_sums + on_squares) if on_sums else 0.0,
            "max_iter": self.max_iter,
            "tol": self.tol,
            "random_state": int(self.random_state),
        }
        return NMF(**params)

    def _fold_in(self, rows: CompressedRows) -> SideFactors:
        factors = np.zeros((rows.n_rows, self.n_components), dtype=np.float32)
        entries = preferences(rows, str(self.fitted_params_["value_transform"]))
        with _quietly():
            for row in np.flatnonzero(entries.counts):
                single = entries.select(np.array([row]))
                unit = unit_of(single.values)
                solver, root = self._solver(unit), np.sqrt(unit)
                # What `transform` looks for in a fitted estimator.
                solver.components_ = np.ascontiguousarray(self.item_factors_.T, dtype=np.float64) / root
                solver._n_components, solver.n_features_in_ = self.n_components, self.n_items_
                factors[row] = solver.transform(_matrix(single, unit))[0] * root
        return SideFactors.of(factors)

    def predict_by_row(self, users: AnyArray, items: AnyArray) -> Float32Array:
        """Return predicted values, inside the range of those seen; see `Model.predict_by_row`.

        Raises
        ------
        ModelError
            If amounts did not count as they are, so that scores are in other units than the log.
        """
        self._check_fitted()
        kind = str(self.fitted_params_["value_transform"])
        if kind != "raw":
            raise ModelError(
                f"{self.name}: it was fitted to {kind} amounts, which are not in the units of the log; "
                f"set value_transform=raw for predictions."
            )
        scores = self._products(users, items)
        scores[(np.asarray(users, np.int64) < 0) | (np.asarray(items, np.int64) < 0)] = self.typical_value_
        return np.clip(scores, *self.value_range_)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Return all that was learned as named arrays."""
        return {**super().to_arrays(), "values": np.array([*self.value_range_, self.typical_value_])}

    def restore(self, arrays: Mapping[str, AnyArray]) -> None:
        """Take back what `to_arrays` gave; see `Model.restore`."""
        values = require(arrays, "values", np.float64, 1)
        if len(values) != 3:
            raise ModelError(f"array 'values' has {len(values)} numbers; expected least, largest and mean.")
        super().restore(arrays)
        self.value_range_, self.typical_value_ = (float(values[0]), float(values[1])), float(values[2])


def _matrix(rows: CompressedRows, unit: float) -> sparse.csr_matrix:
    """Return rows divided by a unit, as scikit-learn takes them: double precision, indices of 32 bits.

    Raises
    ------
    ModelError
        If there are more entries than can be counted so.
    """
    if rows.nnz > _MOST_ENTRIES:
        raise ModelError(
            f"{ZeroFilledNMF.name}: {rows.nnz:,} entries; scikit-learn counts {_MOST_ENTRIES:,} at most."
        )
    return sparse.csr_matrix(
        (rows.values.astype(np.float64) / unit, rows.columns.copy(), rows.indptr.astype(np.int32)),
        shape=(rows.n_rows, rows.n_columns),
    )


@contextmanager
def _quietly() -> Iterator[None]:
    """Hold BLAS at one thread, and keep to ourselves that max_iter came before tol, as it may."""
    with threads.launch_beside(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
