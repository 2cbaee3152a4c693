"""The models by the names that the command line and configs use; each file registers its own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from recsys.errors import ParameterError
from recsys.extensions import import_extension
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.parameter_docs import document_parameters
from recsys.registry import Registry

_Model = TypeVar("_Model", bound=Model)


_PACKAGES = ("recsys.models", "recsys.models.baselines")


def _position(model: type[Model]) -> int:
    """Return where a model stands in lists: ours, then what we compare with, then those of users."""
    package = model.__module__.rpartition(".")[0]
    return _PACKAGES.index(package) if package in _PACKAGES else len(_PACKAGES)


@cache
def _import_models() -> None:
    """Import every file that may register a model."""
    for package in _PACKAGES:
        folder: ModuleType = importlib.import_module(package)
        for module in pkgutil.iter_modules(folder.__path__):
            importlib.import_module(f"{package}.{module.name}")


MODELS = Registry[type[Model]](
    "model",
    source=lambda model: model,
    definition=lambda model: f"{model.__module__}.{model.__qualname__}",
    position=_position,
    import_all=_import_models,
)
"""All models by name."""


def register_model(model: type[_Model]) -> type[_Model]:
    """Make a model class known by its ``name``; used as a decorator.

    It is then usable by that name wherever a model is asked for: in plans, comparisons, bundles and on the
    command line. Its docstring gets a section with its parameters.

    Raises
    ------
    ParameterError
        If the name is another model's, or cannot be written on the command line.
    """
    if _position(model) == len(_PACKAGES):
        _import_models()  # a user's class must not take the name of one that was not asked for yet
    MODELS.add(model.name, model)
    document_parameters(model)
    return parameters.accept_former_names(model)


def unregister_model(name: str) -> None:
    """Forget a model, e.g. to register another one under its name.

    Raises
    ------
    ParameterError
        If there is no such model.
    """
    MODELS.remove(name)


def holds(model: type[Any]) -> bool:
    """Return whether this very class is registered."""
    return MODELS.get(getattr(model, "name", "")) is model


def find(name: str) -> type[Model]:
    """Return a model's class by its name, or by where it is, as ``package.module:Class``.

    Raises
    ------
    ParameterError
        If there is no such model.
    """
    if ":" in name:
        return _imported(name)
    if name not in MODELS:
        raise MODELS.unknown(name, MODELS, also=", and your own as package.module:Class")
    return MODELS[name]


def _imported(path: str) -> type[Model]:
    """Return a user's own class; it is registered, so that its bundles load in this process."""
    module_name, _, class_name = path.partition(":")
    model = getattr(import_extension(module_name), class_name, None)
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise ParameterError(
            f"model {path!r}: {class_name!r} is no model class of {module_name}; expected a subclass of "
            f"recsys.models.base.Model."
        )
    return model if holds(model) else register_model(model)


def models_of_any_sign() -> list[str]:
    """Return the names of the models that, with their defaults, take ratings below 0."""
    return [name for name in MODELS if MODELS[name]().takes_negative]


def models_with_checkpoints() -> list[str]:
    """Return the names of the models whose `fit` takes a checkpoint."""
    return [name for name in MODELS if MODELS[name].keeps_checkpoints]


def model_has_themes(name: str) -> bool:
    """Return whether a model of this name has themes: non-negative factors. A name not known has none."""
    model = MODELS.get(name)
    return model is not None and bool(model.has_themes)


def make(name: str, params: Mapping[str, Any] | None = None) -> Model:
    """Return an untrained model by name; parameters may have their former names.

    Raises
    ------
    ParameterError
        If there is no such model, or it has no such parameter, or a value is out of range.
    """
    cls = find(name)
    current = parameters.current_names(cls, params or {})
    parameters.check_names(cls, current, name)
    model = cls(**current)
    parameters.check(model, name)
    return model


def about(name: str) -> dict[str, Any]:
    """Return what a model is, for people to choose by.

    Returns
    -------
    dict
        ``name``, ``summary`` (one line), whether it ``predicts_values``, ``has_themes`` and ``folds_in``
        users it was not trained on, and ``parameters``, each with ``name``, ``type``, ``default``,
        ``help`` and limits.

    Raises
    ------
    ParameterError
        If there is no such model.
    """
    cls = find(name)
    model = cls()
    return {
        "name": cls.name,
        "summary": (cls.__doc__ or "").partition("\n")[0].rstrip("."),
        "predicts_values": bool(cls.predicts_values),
        "has_themes": bool(model.has_themes),
        "folds_in": model.folds_in,
        "parameters": parameters.describe(cls),
    }
