import pydoc
import re
from dataclasses import dataclass

import numpy as np
import pytest

from recsys.errors import ParameterError
from recsys.models.parameters import check, describe, param, parse_assignments
from recsys.models.registry import MODELS, about, make


@dataclass
class Some:
    whole: int = param(3, "a whole number", minimum=1, maximum=9)
    number: float = param(0.5, "a number", above=0, maximum=1)
    switch: bool = param(True, "a switch")
    kind: str = param("log", "a choice", choices=("log", "linear"))
    optional: int | None = param(None, "a whole number or nothing", minimum=1, kind=int)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("whole", 1),
        ("whole", np.int64(9)),
        ("number", 1),
        ("number", np.float32(0.25)),
        ("switch", False),
        ("kind", "linear"),
        ("optional", None),
        ("optional", 4),
    ],
)
def test_values_of_the_right_kind_pass(name, value):
    check(Some(**{name: value}), "some")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("whole", 0, "a whole number, 1 or more"),
        ("whole", 10, "a whole number, 9 or less"),
        ("whole", 1.5, "a whole number"),
        ("whole", True, "a whole number"),
        ("whole", "3", "a whole number"),
        ("whole", None, "a whole number"),
        ("number", 0, "a number above 0"),
        ("number", 1.5, "a number, 1 or less"),
        ("number", float("nan"), "a number"),
        ("number", float("inf"), "a number"),
        ("number", [1], "a number"),
        ("switch", 1, "true or false"),
        ("kind", "Log", "one of log, linear"),
        ("optional", 0, "a whole number, 1 or more"),
    ],
)
def test_other_values_are_refused(name, value, expected):
    with pytest.raises(
        ParameterError, match=f"some: {name} is {value!r}; expected {expected}".replace("[", r"\[")
    ):
        check(Some(**{name: value}), "some")


@pytest.mark.parametrize("value", [np.array([1, 2]), 10**400], ids=["an array", "a huge number"])
@pytest.mark.parametrize("name", ["whole", "number"])
def test_values_that_are_no_float_are_refused(name, value):
    with pytest.raises(ParameterError, match=f"some: {name} is"):
        check(Some(**{name: value}), "some")


def test_a_whole_number_written_as_a_float_is_refused():
    # range() and array shapes take no float, so what passes here would fail in the middle of a fit.
    with pytest.raises(ParameterError, match=r"some: whole is 2\.0; expected a whole number"):
        check(Some(whole=2.0), "some")


def test_assignments_become_typed_values():
    texts = ["a=3", "b=-2", "c=0.5", "d=1e-3", "e=true", "f=False", "g=none", "h=log", " i = x=y ", "j="]
    assert parse_assignments(texts) == {
        "a": 3,
        "b": -2,
        "c": 0.5,
        "d": 1e-3,
        "e": True,
        "f": False,
        "g": None,
        "h": "log",
        "i": "x=y",
        "j": "",
    }
    assert isinstance(parse_assignments(["a=3"])["a"], int)


@pytest.mark.parametrize("text", ["n_components", "=3", " =3"])
def test_an_assignment_without_key_or_sign_is_refused(text):
    with pytest.raises(ParameterError, match="expected key=value"):
        parse_assignments([text])


def test_a_key_given_twice_is_refused():
    with pytest.raises(ParameterError, match="gives 'l2' twice"):
        parse_assignments(["l2=1", "l2=2"])


def test_a_close_name_is_offered():
    with pytest.raises(ParameterError, match=r"no parameter 'n_component'.*Did you mean 'n_components'\?"):
        make("masked-nmf", {"n_component": 3})
    with pytest.raises(
        ParameterError, match=r"no model 'maskednmf'; there are .*Did you mean 'masked-nmf'\?"
    ):
        make("maskednmf")


def test_a_model_made_by_name_has_the_parameters_given():
    assert make("masked-nmf", {"l2": 0.5}).get_params()["l2"] == 0.5


def test_a_value_out_of_range_is_refused_when_a_model_is_made():
    with pytest.raises(ParameterError, match="masked-nmf: n_components is 0; expected a whole number, 1 or"):
        make("masked-nmf", {"n_components": 0})


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_one_line_of_help(name):
    for entry in describe(MODELS[name]):
        assert entry["help"]
        assert "\n" not in entry["help"]


@pytest.mark.parametrize("name", list(MODELS))
def test_help_describes_every_parameter_of_a_model(name):
    cls = MODELS[name]
    text = pydoc.plain(pydoc.render_doc(cls))
    declared = describe(cls)
    assert ("Parameters" in (cls.__doc__ or "")) == bool(declared)
    for parameter in declared:
        (entry,) = re.findall(
            rf"^ \|  {parameter['name']} : (.*)\n \|      (.*)\.$", text, flags=re.MULTILINE
        )
        assert entry[0].endswith(f"default {parameter['default']!r}")
        assert parameter["help"][1:].rstrip(".") in entry[1]
        if parameter["minimum"] is not None:
            assert f"at least {parameter['minimum']:g}" in entry[1]
    assert about(name)["summary"] == (cls.__doc__ or "").partition("\n")[0].rstrip(".")


def test_the_section_stands_before_attributes():
    text = MODELS["masked-nmf"].__doc__ or ""
    order = [text.index(f"\n{name}\n---") for name in ("Parameters", "Attributes", "Examples")]
    assert order == sorted(order)
    assert text.count("\nParameters\n---") == 1
