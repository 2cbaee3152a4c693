"""Models as people give them: by name, as a class, an object, or an object of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from recsys.errors import ParameterError
from recsys.experiment.settings import AUTO, ModelSpec, read_model
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.own_model import OwnModel
from recsys.models.registry import holds

GivenModel: TypeAlias = "str | Path | ModelSpec | Model | type[Model] | object"
"""A name ("als", "auto"), the path of a config (TOML), a model, its class, or an object with ``fit`` and
``score_block``."""
GivenModels: TypeAlias = "GivenModel | Iterable[GivenModel] | Mapping[str, GivenModel]"


def specs_of(models: GivenModels) -> tuple[ModelSpec, ...]:
    """Return what models are meant, each with its parameters.

    Parameters
    ----------
    models : model, iterable of models, or mapping of label to model
        A model is a name, the path of a TOML config, a `Model` (fitted or not: an untrained one is made
        of its parameters), a class of it, or any object with ``fit`` and ``score_block``.

    Raises
    ------
    ParameterError
        If there is none, or one is nothing of that kind, or has a parameter out of range.
    """
    if isinstance(models, Mapping):
        named = [(str(label), model) for label, model in models.items()]
    elif isinstance(models, Iterable) and not isinstance(models, (str, bytes)):
        named = [("", model) for model in models]
    else:
        named = [("", models)]
    if not named:
        raise ParameterError('there is no model to measure; give some, e.g. ["weighted-nmf", "als"].')
    return tuple(spec_of(model, label) for label, model in named)


def spec_of(model: GivenModel, label: str = "") -> ModelSpec:
    """Return what one model is meant; see `specs_of`."""
    spec = _spec(model, label)
    if spec.name != AUTO:
        spec.made()  # a wrong parameter shows before anything is trained
    return spec


def _spec(model: Any, label: str) -> ModelSpec:
    if isinstance(model, ModelSpec):
        return model if not label else ModelSpec(model.name, model.params, label, model.template)
    if isinstance(model, Path) or (isinstance(model, str) and model.endswith(".toml")):
        return _spec(read_model(Path(model)), label)
    if isinstance(model, str):
        return ModelSpec(model, {}, label)
    if isinstance(model, type):
        model = _instance(model)
    if isinstance(model, Model):
        if not holds(type(model)):
            return ModelSpec(getattr(model, "name", type(model).__name__), {}, label, model)
        defaults = {item["name"]: item["default"] for item in parameters.describe(type(model))}
        params = {
            name: value for name, value in model.get_params().items() if _differs(value, defaults[name])
        }
        return ModelSpec(model.name, params, label)
    if OwnModel.fits(model):
        return ModelSpec(_name_of(model), {}, label, OwnModel(model))
    raise ParameterError(
        f"{model!r:.80} is no model; expected a name such as 'weighted-nmf', a model, its class, the path of "
        f"a TOML config, or an object with fit(interactions) and score_block(users)."
    )


def _instance(cls: type) -> Any:
    try:
        return cls()
    except TypeError as error:
        raise ParameterError(
            f"{cls.__name__} needs arguments ({error}); give an object of it instead of the class."
        ) from None


def _differs(value: object, default: object) -> bool:
    return type(value) is not type(default) or value != default


def _name_of(model: object) -> str:
    name = getattr(model, "name", None)
    return name if isinstance(name, str) and name else type(model).__name__
