"""What scikit-learn asks of a transformer beside ``fit``, where scikit-learn is installed or not.

Its `BaseEstimator` is not inherited from: models are imported and run without scikit-learn. What is answered
by its public functions imports them when it is called.
"""

from __future__ import annotations

import copy
import sys
from importlib import import_module
from typing import Any, Self

import numpy as np

from recsys.data.interactions import Interactions
from recsys.data.rows import CompressedRows
from recsys.errors import DependencyError, InputError, ParameterError
from recsys.factorization.factors import SideFactors
from recsys.models.factor_model import FactorModel
from recsys.models.given_factors import finite_array
from recsys.models.held_out_score import held_out_score
from recsys.models.training_data import rows_of_items
from recsys.models.updatable import UpdatableEstimator
from recsys.typing import AnyArray, Float32Array

_CONTAINERS = ("default", "pandas", "polars")


class SklearnEstimator(FactorModel, UpdatableEstimator):
    """A transformer to scikit-learn's tools: `transform` and back, tags, names, ``score``, routing."""

    _output_container: str | None = None
    _routing: Any = None
    feature_names_in_: AnyArray

    def __sklearn_clone__(self) -> Self:
        """Return an estimator that is not fitted, with the same parameters, output and routing."""
        fresh = type(self)(**copy.deepcopy(self.get_params(deep=False)))
        fresh._output_container, fresh._routing = self._output_container, copy.deepcopy(self._routing)
        return fresh

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn's tools may take for granted (called by them alone)."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags  # type: ignore[import-untyped]

        return Tags(
            estimator_type="transformer",
            target_tags=TargetTags(required=False),
            transformer_tags=TransformerTags(preserves_dtype=["float32"]),
            input_tags=InputTags(
                sparse=True,
                positive_only=not (self.takes_negative and self.feedback == "explicit"),
                allow_nan=True,
            ),
        )

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        """Return what a notebook shows: scikit-learn's diagram, or without it the text."""
        shown = {"text/plain": repr(self)}
        try:
            from sklearn.utils import estimator_html_repr
        except ImportError:
            return shown
        return {**shown, "text/html": estimator_html_repr(self)}

    # -- factors and back -------------------------------------------------------------------------
    def transform(self, X: Any) -> Float32Array:
        """Return factors of new users, items held (fold-in); shape (n_new_users, n_components).

        Exact: the problem of one user is convex, and each is improved until it no longer changes.
        A user without entries gets zeros. Biases of the new users are fitted with their factors,
        but not returned.

        Parameters
        ----------
        X : sparse matrix or array-like, shape (n_new_users, n_items)
            Columns are the items of the training data, in their order.

        Raises
        ------
        InputError
            If the number of items is another, or X is an Interactions: its columns are its own items.
        """
        self._check_fitted()
        if isinstance(X, Interactions):
            raise InputError("an Interactions has columns of its own; give a matrix of the training items.")
        folded_in = self._fold_in(self._rows(X)).factors.dense()
        factors: Float32Array = self._contained(self._representation(folded_in), X)
        return factors

    def _representation(self, factors: Float32Array) -> Float32Array:
        """Return what `transform` shows of user factors."""
        return factors

    def _rows(self, X: Any) -> CompressedRows:
        """Return the entries of a matrix of the model's items."""
        self._check_columns(X)
        rows = rows_of_items(X, self.n_items_, type(self).__name__, allows_negative=True)
        self.check_signs(rows.values)
        return rows

    def inverse_transform(self, W: Any) -> Float32Array:
        """Return scores of all items for users given by their factors, as `transform` returns them.

        Parameters
        ----------
        W : array-like, shape (n_users, n_components)

        Returns
        -------
        float32, shape (n_users, n_items)
            ``W components_``; each row is in the order of the user's list.

        Raises
        ------
        InputError
            If the shape is another, or a number is not finite.
        """
        self._check_fitted()
        return self._scores(SideFactors.of(finite_array(W, "W", (None, len(self.shares_)))))

    # -- names of columns --------------------------------------------------------------------------
    def _note_columns(self, X: Any) -> None:
        """Keep the names of a frame's columns as ``feature_names_in_``, where all are text."""
        names = _names(X)
        if names is None:
            self.__dict__.pop("feature_names_in_", None)
        else:
            self.feature_names_in_ = names

    def _check_columns(self, X: Any) -> None:
        """Raise InputError if a frame has other columns than the one fitted, or in another order."""
        fitted, names = getattr(self, "feature_names_in_", None), _names(X)
        if fitted is None or names is None or len(names) != len(fitted):
            return  # a wrong number is said where entries are read
        for position, (name, expected) in enumerate(zip(names, fitted, strict=True)):
            if name != expected:
                raise InputError(
                    f"column {position} of the frame is {name!r}; expected {expected!r}, as fitted: give the "
                    f"same columns in the same order."
                )

    # -- of a fit ----------------------------------------------------------------------------------
    @property
    def n_features_in_(self) -> int:
        """Number of items."""
        self._check_fitted()
        return self.n_items_

    @property
    def n_iter_(self) -> int:
        """Number of sweeps of the last fit."""
        self._check_fitted()
        return 0 if self.history_ is None else self.history_.n_iter

    def score(self, X: Any, y: None = None) -> float:
        """Return how well entries held out are answered, greater being better.

        Parameters
        ----------
        X : ObservedEntries or Interactions
            Entries that were not fitted, of the users and items that were; joined by ids.
        y : None
            Ignored.

        Returns
        -------
        float
            Of a model that predicts values, minus their root mean squared error; of one that ranks, the mean
            NDCG@100 of lists of items not fitted. `recsys.entry_scorer` makes a score of any other metric.

        Raises
        ------
        InputError
            If an entry was fitted, or ``X`` is a plain matrix, whose rows may be other users.
        ModelError
            If the model was loaded, and so does not hold its data.
        """
        return held_out_score(self, X, self.training_)

    def get_feature_names_out(self, input_features: Any = None) -> AnyArray:
        """Return a name for each column of what `transform` returns: maskednmf0, maskednmf1 ..."""
        self._check_fitted()
        name = type(self).__name__.lower()
        return np.array([f"{name}{number}" for number in range(len(self.shares_))], dtype=object)

    # -- the container of what transform returns -------------------------------------------------
    def set_output(self, *, transform: str | None = None) -> Self:
        """Choose what `transform` and `fit_transform` return.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            An array, or a data frame with the columns of `get_feature_names_out` and, of pandas, the index of
            ``X``. None leaves the choice as it is.

        Raises
        ------
        ParameterError
            If it is none of these.
        """
        if transform is not None and transform not in _CONTAINERS:
            raise ParameterError(f"transform is {transform!r}; expected one of {', '.join(_CONTAINERS)}.")
        if transform is not None:
            self._output_container = transform
        return self

    def _contained(self, data: Float32Array, X: Any) -> Any:
        """Return what was found for ``X`` in the container chosen here, or for all of scikit-learn."""
        chosen = self._output_container
        sklearn = sys.modules.get("sklearn")
        if chosen is None and sklearn is not None:
            chosen = sklearn.get_config()["transform_output"]
        if chosen == "pandas":
            import pandas as pd

            index = X.index if isinstance(X, pd.DataFrame) else None
            return pd.DataFrame(data, index=index, columns=self.get_feature_names_out(), copy=False)
        if chosen == "polars":
            try:
                polars = import_module("polars")
            except ImportError as error:
                raise DependencyError(
                    "set_output(transform='polars') needs polars: pip install polars."
                ) from error
            return polars.DataFrame(data, schema=list(self.get_feature_names_out()), orient="row")
        return data

    # -- metadata routing --------------------------------------------------------------------------
    def set_fit_request(self, *, entry_weight: bool | str | None) -> Self:
        """Say whether meta-estimators pass ``entry_weight`` on to `fit`; see scikit-learn's metadata routing.

        Parameters
        ----------
        entry_weight : bool, str or None
            True: pass it on where it is given; False: do not; None: raise if it is given; a text: pass on
            what is given under that name.
        """
        request = self.get_metadata_routing()
        request.fit.add_request(param="entry_weight", alias=entry_weight)
        self._routing = request
        return self

    def get_metadata_routing(self) -> Any:
        """Return scikit-learn's ``MetadataRequest`` of this estimator."""
        if self._routing is not None:
            return self._routing
        try:
            from sklearn.utils.metadata_routing import MetadataRequest  # type: ignore[import-untyped]
        except ImportError as error:
            raise DependencyError(
                "metadata routing is scikit-learn's; install it: pip install 'recsys[sklearn]'."
            ) from error
        request = MetadataRequest(owner=self)
        request.fit.add_request(param="entry_weight", alias=None)
        return request


def _names(X: Any) -> AnyArray | None:
    """Return the columns of a data frame, if all are text."""
    if not (hasattr(X, "columns") and hasattr(X, "iloc")):
        return None
    names = np.asarray(X.columns, dtype=object)
    return names if all(isinstance(name, str) for name in names) else None
