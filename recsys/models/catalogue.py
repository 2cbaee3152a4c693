"""The models by the names that the command line and configs use."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from recsys.errors import ParameterError
from recsys.models import parameters
from recsys.models.als import ALS
from recsys.models.base import Model
from recsys.models.bayesian_nmf import BayesianNMF
from recsys.models.bias import Bias
from recsys.models.bpr import BPR
from recsys.models.ease import EASE
from recsys.models.explicit_als import ExplicitALS
from recsys.models.factor_model import FactorModel
from recsys.models.item_knn import ItemKNN
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.poisson_nmf import PoissonNMF
from recsys.models.popularity import Popularity
from recsys.models.pure_svd import PureSVD
from recsys.models.weighted_nmf import WeightedNMF
from recsys.models.zero_filled_nmf import ZeroFilledNMF

_CLASSES: tuple[type[Model], ...] = (
    MaskedNMF,
    BayesianNMF,
    WeightedNMF,
    PoissonNMF,
    ALS,
    ExplicitALS,
    ItemKNN,
    EASE,
    BPR,
    PureSVD,
    ZeroFilledNMF,
    Bias,
    Popularity,
)
MODELS: Mapping[str, type[Model]] = {cls.name: cls for cls in _CLASSES}


def find(name: str) -> type[Model]:
    """Return a model's class by its name, or raise ParameterError."""
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ParameterError(f"there is no model {name!r}; there are {', '.join(MODELS)}.{hint}")
    return MODELS[name]


def model_has_themes(name: str) -> bool:
    """Return whether a model of this name has themes: non-negative factors. A name not known has none."""
    cls = MODELS.get(name)
    return cls is not None and issubclass(cls, FactorModel) and cls.has_themes


def make(name: str, params: Mapping[str, Any] | None = None) -> Model:
    """Return an untrained model by name.

    Raises
    ------
    ParameterError
        If there is no such model, or it has no such parameter, or a value is out of range.
    """
    cls = find(name)
    parameters.check_names(cls, params or {}, name)
    model = cls(**(params or {}))
    parameters.check(model, name)
    return model


def about(name: str) -> dict[str, Any]:
    """Return what a model is, for people to choose by.

    Returns
    -------
    dict
        ``name``, ``summary`` (one line), whether it ``predicts_values``, ``has_themes`` and ``folds_in``
        users it was not trained on, and ``parameters``, each with ``name``, ``default``, ``help`` and
        limits.

    Raises
    ------
    ParameterError
        If there is no such model.
    """
    cls = find(name)
    model = cls()
    return {
        "name": name,
        "summary": (cls.__doc__ or "").partition("\n")[0].rstrip("."),
        "predicts_values": cls.predicts_values,
        "has_themes": isinstance(model, FactorModel) and model.has_themes,
        "folds_in": model.folds_in,
        "parameters": parameters.describe(cls),
    }
