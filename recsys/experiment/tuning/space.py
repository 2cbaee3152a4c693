"""Which parameters are searched, and where: as text, as declared by a model, checked against its limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from recsys.errors import ParameterError
from recsys.experiment.settings import ModelSpec
from recsys.models import parameters
from recsys.models.search import Choice, Range, Search, SearchSpace

_LOG_FROM = 8
"""Ratio of the ends from which ratios are searched, where the model does not say."""


@dataclass(frozen=True)
class Space:
    """A model with the parameters that are held and those that are searched.

    Attributes
    ----------
    spec : ModelSpec
        What is held.
    searched : mapping of str to Range or Choice
    """

    spec: ModelSpec
    searched: SearchSpace

    def setting(self, params: Mapping[str, Any]) -> ModelSpec:
        """Return the model with values of the searched parameters."""
        return replace(self.spec, params={**self.spec.params, **params})

    def __str__(self) -> str:
        return ", ".join(f"{name} {where}" for name, where in self.searched.items())


def space_of(spec: ModelSpec, searches: Mapping[str, Any] | None = None) -> Space:
    """Return what is searched: what a model declares, changed by ``searches``.

    Parameters
    ----------
    spec : ModelSpec
        Parameters it has are held; a config's values can so be kept.
    searches : mapping of str to value, tuple or Range or Choice, optional
        By the name of a parameter: a range or a choice to search, a list of values to choose from, or one
        value to hold.

    Raises
    ------
    ParameterError
        If a parameter is not known, a value is out of its range, a range is empty, or nothing is searched.
    """
    model = spec.made()
    searches = parameters.current_names(type(model), searches or {})
    parameters.check_names(type(model), searches, spec.name)
    searched = {
        name: where for name, where in parameters.searches(type(model)).items() if name not in spec.params
    }
    held = dict(spec.params)
    for name, where in searches.items():
        searched.pop(name, None)
        held.pop(name, None)
        if isinstance(where, (list, tuple)):
            where = Choice(tuple(where))
        if isinstance(where, (Range, Choice)):
            searched[name] = _checked(spec, name, where)
        else:
            held[name] = where
    held_spec = replace(spec, params=held)
    held_spec.made()
    if not searched:
        known = ", ".join(parameters.searches(type(model))) or "none"
        raise ParameterError(
            f"{spec.name}: no parameter is searched (it declares {known}); give a range such as "
            f"n_components=16..256, or values such as loss=squared,kl."
        )
    return Space(held_spec, searched)


def parse_searches(assignments: Sequence[str]) -> dict[str, Any]:
    """Read ``KEY=16..512`` (a range), ``KEY=8,16,32`` (values) and ``KEY=3`` (held).

    Raises
    ------
    ParameterError
        If a text has no ``=``, a key comes twice, or an end of a range is no number.
    """
    searches: dict[str, Any] = {}
    for key, value in parameters.split_assignments(assignments).items():
        low, dots, high = value.partition("..")
        if dots:
            searches[key] = _range(key, low.strip(), high.strip())
        elif "," in value:
            searches[key] = Choice(tuple(parameters.literal(part.strip()) for part in value.split(",")))
        else:
            searches[key] = parameters.literal(value)
    return searches


def _range(key: str, low: str, high: str) -> Range:
    ends = [parameters.literal(low), parameters.literal(high)]
    for end in ends:
        if isinstance(end, bool) or not isinstance(end, (int, float)):
            raise ParameterError(
                f"--set {key}={low}..{high}: {end!r} is no number; expected e.g. {key}=16..512."
            )
    first, last = ends
    return Range(first, last, log=first > 0 and last >= _LOG_FROM * first)


def _checked(spec: ModelSpec, name: str, where: Search) -> Search:
    """Return a search that the model's limits allow, or raise ParameterError."""
    entry = next(entry for entry in parameters.describe(type(spec.made())) if entry["name"] == name)
    if isinstance(where, Range):
        if not where.low < where.high:
            raise ParameterError(
                f"{spec.name}: {name} is searched from {where.low:g} to {where.high:g}; expected the lower "
                f"end first, and another one after it."
            )
        if entry["type"] not in ("int", "float"):
            raise ParameterError(
                f"{spec.name}: {name} is no number, so it has no range; give values: {name}=A,B."
            )
        if entry["type"] == "int" and not where.is_whole:
            raise ParameterError(f"{spec.name}: {name} is a whole number; give whole ends of its range.")
        if entry["type"] == "float":
            where = Range(float(where.low), float(where.high), where.log)
        declared = parameters.searches(type(spec.made())).get(name)
        if isinstance(declared, Range) and where.low > 0:
            where = replace(where, log=declared.log)
        ends: tuple[Any, ...] = (where.low, where.high)
    else:
        ends = where.values
    for value in ends:
        replace(spec, params={**spec.params, name: value}).made()
    if isinstance(where, Choice) and len(set(ends)) < 2:
        raise ParameterError(f"{spec.name}: {name} has {len(set(ends))} value to choose from; give two.")
    return where
