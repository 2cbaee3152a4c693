"""Parameters that stand beside their model: typed, ranged, with one line of help each."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import numbers
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from recsys.errors import ParameterError
from recsys.models.search import Search

_Model = TypeVar("_Model")
MOST_SEED = 2**32 - 1
_MOST_WHOLE = 1_000_000
_MOST = {
    "random_state": MOST_SEED,
    "n_components": 16_384,
    "n_init": 1_000,
    "n_inner": 1_000,
    "n_chains": 1_000,
    "n_kept": 10_000,
}
"""What whole numbers may be at most where a parameter states nothing else: beyond it no fit would end."""
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
    search: Search | None = None,
    former_name: str | None = None,
    former_choices: Mapping[str, str] | None = None,
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
    search : Range or Choice, optional
        Where tuning searches by default; without it the parameter is held.
    former_name : str, optional
        The name it had before; taken with a warning by classes that `accept_former_names`.
    former_choices : mapping of str to str, optional
        Values it had before, and what each is called today.
    """
    limits: dict[str, Any] = {"kind": kind or type(default)} | {
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "choices": choices,
        "search": search,
        "former_name": former_name,
        "former_choices": former_choices or {},
    }
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def param_of(model: type, name: str, default: Any = dataclasses.MISSING, help: str | None = None) -> Any:  # noqa: A002
    """Declare a parameter that is passed on to another model, with that one's default, help and limits.

    Parameters
    ----------
    model : type
        The class it is passed on to.
    name : str
        Its name there.
    default : optional
        Another default.
    help : str, optional
        Another line of help.
    """
    (field,) = (field for field in _fields(model) if field.name == name)
    return dataclasses.field(
        default=field.default if default is dataclasses.MISSING else default,
        metadata={**field.metadata, "former_name": None} | ({} if help is None else {"help": help}),
    )


def describe(model: type) -> list[dict[str, Any]]:
    """Return name, type, default, help and limits of each parameter of a model class; no limit is None."""
    return [
        {
            "name": field.name,
            "type": field.metadata["kind"].__name__,
            "default": field.default,
            "help": field.metadata["help"],
        }
        | {limit: field.metadata[limit] for limit in _LIMITS}
        | {"maximum": _most(field)}
        for field in _fields(model)
    ]


def searches(model: type) -> dict[str, Search]:
    """Return where the parameters of a model class are searched when it is tuned, by name."""
    return {
        field.name: field.metadata["search"]
        for field in _fields(model)
        if field.metadata["search"] is not None
    }


def _fields(model: Any) -> tuple[dataclasses.Field[Any], ...]:
    if not dataclasses.is_dataclass(model):
        return ()  # somebody's own class that declares no parameters
    return tuple(field for field in dataclasses.fields(model) if "help" in field.metadata)


def _most(field: dataclasses.Field[Any]) -> float | None:
    """Return the largest number that a parameter may be; None: any that is finite."""
    stated: float | None = field.metadata["maximum"]
    if stated is not None or field.metadata["kind"] is not int:
        return stated
    return _MOST.get(field.name, _MOST_WHOLE)


def current_names(model: type, params: Mapping[str, Any], *, warn: bool = True) -> dict[str, Any]:
    """Return parameters under the names and values of today.

    Parameters
    ----------
    model : type
        A model class.
    params : mapping
        Unknown names are left as they are.
    warn : bool
        Whether a former name or value gives a FutureWarning; stored configs, which nobody can mend, do not.

    Raises
    ------
    ParameterError
        If a parameter is given under both names.
    """
    former = {
        field.metadata["former_name"]: field for field in _fields(model) if field.metadata["former_name"]
    }
    current: dict[str, Any] = {}
    for key, value in params.items():
        field = former.get(key)
        name = key if field is None else field.name
        if name in current or (field is not None and name in params):
            raise ParameterError(f"{name!r} is given twice, once as {key!r}, its former name; give it once.")
        if field is not None and warn:
            warnings.warn(f"{key!r} is called {name!r} now; use that.", FutureWarning, stacklevel=4)
        current[name] = value
    for field in _fields(model):
        value = current.get(field.name)
        if isinstance(value, str) and value in field.metadata["former_choices"]:
            current[field.name] = field.metadata["former_choices"][value]
            if warn:
                warnings.warn(
                    f"{field.name}={value!r} is called {current[field.name]!r} now; use that.",
                    FutureWarning,
                    stacklevel=4,
                )
    return current


def accept_former_names(model: type[_Model]) -> type[_Model]:
    """Let a model class take parameters under their former names, with a warning; for one version."""
    original = model.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **params: Any) -> None:
        original(self, *args, **current_names(model, params))

    model.__init__ = init  # type: ignore[method-assign]
    return model


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
    least, most = limits["minimum"], _most(field)
    if least is not None and number < least:
        raise ParameterError(f"{where} is {value!r}; expected {kind}, {least:g} or more.")
    if limits["above"] is not None and number <= limits["above"]:
        raise ParameterError(f"{where} is {value!r}; expected {kind} above {limits['above']:g}.")
    if most is not None and number > most:
        shown = f"{most:,}" if isinstance(most, int) else f"{most:g}"
        raise ParameterError(f"{where} is {value!r:.40}; expected {kind}, {shown} or less.")


def parse_assignments(assignments: Iterable[str]) -> dict[str, Any]:
    """Turn ``key=value`` texts into typed values: true, false, whole numbers, numbers, else text.

    Raises
    ------
    ParameterError
        If a text has no ``=`` or a key comes twice.
    """
    return {key: literal(value) for key, value in split_assignments(assignments).items()}


def split_assignments(assignments: Iterable[str]) -> dict[str, str]:
    """Split ``key=value`` texts; see `parse_assignments`."""
    parsed: dict[str, str] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key:
            raise ParameterError(f"--set {text!r}: expected key=value, e.g. n_components=32.")
        if key in parsed:
            raise ParameterError(f"--set gives {key!r} twice; give it once.")
        parsed[key] = value
    return parsed


def literal(text: str) -> Any:
    """Return a value as it is written: true, false, none, a whole number, a number, else text."""
    words: Mapping[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
