"""The parameters section of a model's docstring, written from its declared parameters."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from typing import Any

from recsys.models.parameters import describe

_WIDTH = 100
_FIRST_SECTION = re.compile(r"^(Attributes|Methods|See Also|Notes|References|Examples)\n-+$", re.MULTILINE)


def document_parameters(model: type) -> None:
    """Add a numpy-style ``Parameters`` section to a model class's docstring.

    It says name, type, default, range and meaning of each parameter as `param` declares them, so that the
    two cannot differ. It stands before the other sections. A docstring that has the section already, and
    one that is missing (``python -OO`` removes them), stays as it is.

    Parameters
    ----------
    model : type
        A model class; its ``__doc__`` is changed.
    """
    described = describe(model)
    if not model.__doc__ or not described:
        return
    text = inspect.cleandoc(model.__doc__)
    if re.search(r"^Parameters\n-+$", text, re.MULTILINE):
        return
    first = _FIRST_SECTION.search(text)
    end = len(text) if first is None else first.start()
    section = "Parameters\n----------\n" + "\n".join(map(_entry, described))
    parts = (text[:end].rstrip(), section, text[end:].rstrip())
    model.__doc__ = "\n\n".join(part for part in parts if part) + "\n"


def _entry(parameter: Mapping[str, Any]) -> str:
    """Return name, type, default and meaning of a parameter, as numpydoc has them."""
    meaning = parameter["help"][:1].upper() + parameter["help"][1:] + "."
    lines = textwrap.wrap(f"{meaning} {_range(parameter)}".rstrip(), _WIDTH)
    head = f"{parameter['name']} : {_type(parameter)}, default={parameter['default']!r}"
    return "\n".join((head, *(f"    {line}" for line in lines)))


def _type(parameter: Mapping[str, Any]) -> str:
    if parameter["choices"] is not None:
        return "{" + ", ".join(map(repr, parameter["choices"])) + "}"
    name: str = parameter["type"]
    return f"{name} or None" if parameter["default"] is None else name


def _range(parameter: Mapping[str, Any]) -> str:
    """Return the range of a number as a sentence; nothing where any number is taken."""
    least, above, most = (parameter[limit] for limit in ("minimum", "above", "maximum"))
    if least is not None and most is not None:
        return f"From {least:g} to {most:g}."
    ends = [f"above {above:g}"] if above is not None else []
    ends += [f"{least:g} or more"] if least is not None else []
    ends += [f"at most {most:g}"] if most is not None else []
    sentence = ", ".join(ends)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""
