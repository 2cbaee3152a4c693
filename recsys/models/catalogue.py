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
from recsys.models.masked_nmf import MaskedNMF
from recsys.models.popularity import Popularity
from recsys.models.weighted_nmf import WeightedNMF

_CLASSES: tuple[type[Model], ...] = (MaskedNMF, BayesianNMF, WeightedNMF, ALS, Popularity)
MODELS: Mapping[str, type[Model]] = {cls.name: cls for cls in _CLASSES}


def make(name: str, params: Mapping[str, Any] | None = None) -> Model:
    """Return an untrained model by name.

    Raises
    ------
    ParameterError
        If there is no such model, or it has no such parameter, or a value is out of range.
    """
    if name not in MODELS:
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ParameterError(f"there is no model {name!r}; there are {', '.join(MODELS)}.{hint}")
    cls = MODELS[name]
    parameters.check_names(cls, params or {}, name)
    model = cls(**(params or {}))
    parameters.check(model, name)
    return model
