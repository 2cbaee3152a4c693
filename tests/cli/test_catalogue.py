"""``recsys models``: what there is to choose from."""

import json

import pytest

from recsys.models.registry import MODELS, about, make
from recsys_cli.main import run


def said(capsys, *arguments):
    code = run(["models", *arguments])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return captured.out


def test_every_model_is_listed_with_one_line(capsys):
    lines = said(capsys).splitlines()
    for name in MODELS:
        (line,) = [line for line in lines if line.split()[:1] == [name]]
        assert line.endswith(about(name)["summary"])
        assert len(about(name)["summary"]) > 20
        assert len(line) <= 110


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_is_shown_with_a_default_that_set_would_take(capsys, name):
    lines = said(capsys, name).splitlines()
    shown = json.loads(said(capsys, name, "--json"))
    assert shown["name"] == name
    assert {one["name"]: one["default"] for one in shown["parameters"]} == make(name).get_params()
    for one in shown["parameters"]:
        (line,) = [line for line in lines if line.split()[:1] == [one["name"]]]
        assert line.split()[1] == str(one["default"]).lower()
        assert one["help"] in line


def test_for_programs_there_is_one_object(capsys):
    listed = json.loads(said(capsys, "--json"))["models"]
    assert [model["name"] for model in listed] == list(MODELS)
    able = {model["name"]: model for model in listed}
    assert able["masked-nmf"]["has_themes"]
    assert not able["als"]["has_themes"]
    assert able["weighted-nmf"]["has_themes"]
    for model in able.values():
        assert all(type(model[key]) is bool for key in ("predicts_values", "has_themes", "folds_in"))
    assert able["bias"]["predicts_values"]
    assert not able["bpr"]["folds_in"]


def test_a_name_that_does_not_exist_is_refused_with_a_hint(capsys):
    assert run(["models", "eas"]) == 2
    assert "there is no model 'eas'" in (said_wrong := capsys.readouterr().err)
    assert "Did you mean 'ease'?" in said_wrong
