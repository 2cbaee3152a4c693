"""Every model class says in its help what its parameters are, and shows an example that runs."""

import doctest
import inspect
import re
import sys
from dataclasses import dataclass

import pytest

from recsys.models.base import Model
from recsys.models.parameter_docs import document_parameters
from recsys.models.parameters import describe, param
from recsys.models.registry import MODELS

OURS = [model for model in MODELS.values() if model.__module__.startswith("recsys.")]


def parameters_section(model):
    """Return the parameters of a docstring: name to (type and default, text)."""
    text = inspect.getdoc(model)
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n\w+\n-{3,}|\Z)", text, re.MULTILINE | re.DOTALL)
    entries = re.findall(r"^(\w+) : (.*)\n((?:    .*\n?)+)", section.group(1), re.MULTILINE)
    return {name: (kind, " ".join(body.split())) for name, kind, body in entries}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.name)
def test_help_has_every_constructor_parameter(model):
    documented = parameters_section(model) if describe(model) else {}
    assert list(documented) == list(inspect.signature(model).parameters)
    for parameter in describe(model):
        kind, text = documented[parameter["name"]]
        assert kind.endswith(f"default={parameter['default']!r}")
        assert text[1:].startswith(parameter["help"][1:])


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.name)
def test_the_examples_run(model):
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(model, globs=vars(sys.modules[model.__module__]).copy())
    assert example.examples
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
    assert result.failed == 0


@dataclass(eq=False)
class Documented(Model):
    """In one line.

    Attributes
    ----------
    weights_ : array
        Learned.
    """

    rate: float = param(0.5, "how fast", above=0, maximum=1)
    share: float = param(0.5, "how much", minimum=0, maximum=1)
    limit: float | None = param(None, "seconds after which it stops", above=0, kind=float)
    init: str = param("random", "where it starts", choices=("random", "custom"))
    whole: bool = param(True, "whether all of it counts")


def test_type_range_and_choices_are_told_before_the_attributes():
    document_parameters(Documented)
    assert parameters_section(Documented) == {
        "rate": ("float, default=0.5", "How fast. Above 0, at most 1."),
        "share": ("float, default=0.5", "How much. From 0 to 1."),
        "limit": ("float or None, default=None", "Seconds after which it stops. Above 0."),
        "init": ("{'random', 'custom'}, default='random'", "Where it starts."),
        "whole": ("bool, default=True", "Whether all of it counts."),
    }
    text = Documented.__doc__
    assert text.startswith("In one line.\n\nParameters\n")
    assert text.index("Parameters\n") < text.index("Attributes\n")
    document_parameters(Documented)
    assert text == Documented.__doc__, "a second time changes nothing"


def test_a_class_without_a_docstring_stays_without():
    class Bare(Documented):
        pass

    Bare.__doc__ = None
    document_parameters(Bare)
    assert Bare.__doc__ is None
