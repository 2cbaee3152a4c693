"""The models by the names that the command line and configs use; each file registers its own."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any, TypeVar

from recsys.errors import ParameterError
from recsys.extensions import import_extension
from recsys.models import parameters
from recsys.models.base import Model
from recsys.models.parameter_docs import with_parameters

_Model = TypeVar("_Model", bound=Model)


class _Registry(Mapping[str, type[Model]]):
    """Model classes by name: our own, read from their files when first asked for, and those of users."""

    def __init__(self) -> None:
        self._classes: dict[str, type[Model]] = {}

    def add(self, model: type[Model]) -> None:
        """Add a class, or raise ParameterError if its name is another's."""
        if _position(model) == len(_PACKAGES):
            _import_models()  # a user's class must not take the name of one that was not asked for yet
        taken = self._classes.get(model.name)
        if taken is not None and (taken.__module__, taken.__qualname__) != (
            model.__module__,
            model.__qualname__,
        ):
            raise ParameterError(
                f"the name {model.name!r} is that of {taken.__module__}.{taken.__qualname__}; give "
                f"{model.__qualname__} another one."
            )
        self._classes[model.name] = model

    def holds(self, model: type[Model]) -> bool:
        """Return whether this very class is registered."""
        return self._classes.get(getattr(model, "name", "")) is model

    def __getitem__(self, name: str) -> type[Model]:
        if name not in self._classes:
            _import_models()
        return self._classes[name]

    def __iter__(self) -> Iterator[str]:
        _import_models()
        return iter(sorted(self._classes, key=lambda name: (_position(self._classes[name]), name)))

    def __len__(self) -> int:
        _import_models()
        return len(self._classes)


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


MODELS = _Registry()
"""All models by name."""


def register_model(model: type[_Model]) -> type[_Model]:
    """Make a model class known by its ``name``; used as a decorator.

    It is then usable by that name wherever a model is asked for: in plans, comparisons, bundles and on the
    command line.

    Raises
    ------
    ParameterError
        If the name is another model's.
    """
    MODELS.add(model)
    model.__doc__ = with_parameters(model)
    return parameters.accept_former_names(model)


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
        close = difflib.get_close_matches(name, MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ParameterError(
            f"there is no model {name!r}; there are {', '.join(MODELS)}, and your own as "
            f"package.module:Class.{hint}"
        )
    return MODELS[name]


def _imported(place: str) -> type[Model]:
    """Return a user's own class; it is registered, so that its bundles load in this process."""
    module_name, _, class_name = place.partition(":")
    model = getattr(import_extension(module_name), class_name, None)
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise ParameterError(
            f"model {place!r}: {class_name!r} is no model class of {module_name}; expected a subclass of "
            f"recsys.models.base.Model."
        )
    return model if MODELS.holds(model) else register_model(model)


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
        "name": cls.name,
        "summary": (cls.__doc__ or "").partition("\n")[0].rstrip("."),
        "predicts_values": bool(cls.predicts_values),
        "has_themes": bool(model.has_themes),
        "folds_in": model.folds_in,
        "parameters": parameters.describe(cls),
    }
