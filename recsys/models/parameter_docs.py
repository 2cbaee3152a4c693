"""The Parameters section of a model's docstring, made from its declarations, so that it cannot drift."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import Any

_LATER = re.compile(r"^(?:Attributes|See Also|Notes|References|Examples)\n-{3,}$", re.MULTILINE)


def with_parameters(model: type) -> str:
    """Return the docstring of a model class with a section on its parameters.

    A class that describes them itself keeps what it has. The section stands before those on attributes,
    notes and examples.
    """
    text = inspect.cleandoc(model.__doc__ or "")
    if not dataclasses.is_dataclass(model) or re.search(r"^Parameters\n-{3,}$", text, re.MULTILINE):
        return text
    declared = [field for field in dataclasses.fields(model) if "help" in field.metadata]
    if not declared:
        return text
    section = "\n".join(["Parameters", "----------", *(_entry(field) for field in declared)])
    later = _LATER.search(text)
    cut = len(text) if later is None else later.start()
    return "\n\n".join(part.strip() for part in (text[:cut], section, text[cut:]) if part.strip()) + "\n"


def _entry(field: dataclasses.Field[Any]) -> str:
    limits = field.metadata
    kinds = limits["kind"].__name__
    if limits["choices"] is not None:
        kinds = "{" + ", ".join(map(repr, limits["choices"])) + "}"
    optional = " or None" if field.default is None else ""
    bounds = [
        f"{word} {limits[bound]:g}"
        for bound, word in (("minimum", "at least"), ("above", "above"), ("maximum", "at most"))
        if limits[bound] is not None
    ]
    help_ = limits["help"][0].upper() + limits["help"][1:].rstrip(".")
    allowed = f" ({', '.join(bounds)})" if bounds else ""
    return f"{field.name} : {kinds}{optional}, default {field.default!r}\n    {help_}{allowed}."
