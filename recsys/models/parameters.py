"""Parameters that stand beside their model: typed, ranged, with one line of help each."""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from recsys.errors import ParameterError

_LIMITS = ("minimum", "above", "maximum", "choices")


def param(
    default: Any,
    help: str,  # noqa: A002 - the word every command line uses
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] | None = None,
    kind: type | None = None,
) -> Any:
    """Declare a model's parameter as a dataclass field.

    Parameters
    ----------
    default : bool, int, float, str or None
        Its type is the parameter's type; None needs ``kind``.
    help : str
        One line.
    minimum, above, maximum : float, optional
        Bounds: at least, more than, at most.
    choices : tuple of str, optional
        The values a text may have.
    kind : type, optional
        int or float, for a parameter that may be None.
    """
    limits: dict[str, Any] = {"kind": kind or type(default)} | {
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "choices": choices,
    }
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def describe(model: type) -> list[dict[str, Any]]:
    """Return name, default, help and limits of each parameter of a model class; no limit is None."""
    return [
        {"name": field.name, "default": field.default, "help": field.metadata["help"]}
        | {limit: field.metadata[limit] for limit in _LIMITS}
        for field in _fields(model)
    ]


def _fields(model: Any) -> tuple[dataclasses.Field[Any], ...]:
    return tuple(field for field in dataclasses.fields(model) if "help" in field.metadata)


def check_names(model: type, names: Iterable[str], model_name: str) -> None:
    """Raise ParameterError if a name is no parameter of the model."""
    known = [field.name for field in _fields(model)]
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ParameterError(
                f"{model_name} has no parameter {name!r}; it has {', '.join(known) or 'none'}.{hint}"
            )


def check(model: Any, model_name: str) -> None:
    """Raise ParameterError if a parameter of an instance has the wrong type or is out of range."""
    for field in _fields(type(model)):
        _check_one(field, getattr(model, field.name), f"{model_name}: {field.name}")


def _check_one(field: dataclasses.Field[Any], value: Any, where: str) -> None:
    default, limits = field.default, field.metadata
    if default is None and value is None:
        return
    if limits["choices"] is not None:
        if value not in limits["choices"]:
            raise ParameterError(f"{where} is {value!r}; expected one of {', '.join(limits['choices'])}.")
        return
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ParameterError(f"{where} is {value!r}; expected true or false.")
        return
    whole = limits["kind"] is int
    kind = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral if whole else numbers.Real):
        raise ParameterError(f"{where} is {value!r}; expected {kind}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ParameterError(f"{where} is {value!r}; expected {kind}.")
    least, most = limits["minimum"], limits["maximum"]
    if least is not None and number < least:
        raise ParameterError(f"{where} is {value!r}; expected {kind}, {least:g} or more.")
    if limits["above"] is not None and number <= limits["above"]:
        raise ParameterError(f"{where} is {value!r}; expected {kind} above {limits['above']:g}.")
    if most is not None and number > most:
        raise ParameterError(f"{where} is {value!r}; expected {kind}, {most:g} or less.")


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Turn ``key=value`` texts into typed values: true, false, whole numbers, numbers, else text.

    Raises
    ------
    ParameterError
        If a text has no ``=`` or a key comes twice.
    """
    parsed: dict[str, Any] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key:
            raise ParameterError(f"--set {text!r}: expected key=value, e.g. n_components=32.")
        if key in parsed:
            raise ParameterError(f"--set gives {key!r} twice; give it once.")
        parsed[key] = _literal(value)
    return parsed


def _literal(text: str) -> Any:
    words: Mapping[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
