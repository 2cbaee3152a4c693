"""What a past version wrote, this one reads, and answers the same."""

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from recsys import parse_metrics
from recsys.experiment.plan import is_plan, read_plan
from recsys.experiment.settings import read_model
from recsys.models.registry import MODELS, make
from recsys.recommend.bundle_files import load_bundle
from tests.golden.answers import answers_of

HERE = Path(__file__).parent
BUNDLES = sorted(path.parent for path in HERE.glob("*/*/expected.json"))
PARAMETERS = sorted(HERE.glob("*/parameters.json"))
CONFIGS = sorted(HERE.glob("*/configs/*.toml"))
SOLVED = ("fold_in",)  # solved for anew at each call, until it changes little


def named(path):
    return str(path.relative_to(HERE))


def test_the_first_version_is_frozen():
    first = HERE / "0.1.0"
    assert sum(folder.parent == first for folder in BUNDLES) == 19
    assert first / "parameters.json" in PARAMETERS
    assert sum(path.is_relative_to(first) for path in CONFIGS) == 8


def test_factors_are_frozen_with_and_without_their_zeros():
    for case, is_sparse in (("sparse", True), ("dense", False)):
        arrays = load_file(HERE / "0.1.0" / f"weighted-nmf-{case}" / "arrays.safetensors")
        assert ("model.item_factors_indptr" in arrays) == is_sparse


@pytest.mark.parametrize("folder", BUNDLES, ids=named)
def test_an_old_bundle_answers_as_it_did(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        answers = answers_of(load_bundle(folder))
    expected = json.loads((folder / "expected.json").read_text())
    assert answers.keys() == expected.keys()
    for key, value in expected.items():
        assert_alike(answers[key], value, key, 1e-4 if key in SOLVED else 1e-6)


def assert_alike(answer, expected, where, tolerance):
    """Assert that numbers differ by no more than a share of the largest, and that the rest is equal."""
    if isinstance(expected, dict):
        assert answer.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_alike(answer[key], value, f"{where}.{key}", tolerance)
    elif is_numeric(expected):
        scale = np.abs(expected).max()
        np.testing.assert_allclose(answer, expected, rtol=0, atol=tolerance * scale, err_msg=where)
    elif isinstance(expected, list):
        assert len(answer) == len(expected), where
        for place, (mine, theirs) in enumerate(zip(answer, expected, strict=True)):
            assert_alike(mine, theirs, f"{where}[{place}]", tolerance)
    else:
        assert answer == expected, where


def is_numeric(value):
    """Return whether a value of JSON is a fraction, or lists of fractions."""
    if isinstance(value, list):
        return bool(value) and all(map(is_numeric, value))
    return isinstance(value, float)


@pytest.mark.parametrize("path", PARAMETERS, ids=named)
def test_old_parameters_and_their_values_are_still_accepted(path):
    accepted = json.loads(path.read_text())
    assert accepted.keys() <= MODELS.keys()
    for name, values in accepted.items():
        settings = [{key: value} for key, some in values.items() for value in some]
        for params in [*settings, {key: some[0] for key, some in values.items()}]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)
                assert make(name, params).name == name


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_an_old_config_is_still_read(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        specs = read_plan(path).models if is_plan(path) else [read_model(path)]
        for spec in specs:
            assert make(spec.name, spec.params).name == spec.name
        if is_plan(path):
            assert parse_metrics(read_plan(path).flags["metrics"])


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_the_name_of_an_old_config_still_leads_to_one(path):
    name = Path(path.name)
    assert is_plan(name) == is_plan(path)
