"""Models of users' own, known by name or by where they are."""

import sys

import pytest

from recsys.data.interactions import Interactions
from recsys.errors import BundleError, ParameterError
from recsys.models.baselines.popularity import Popularity
from recsys.models.registry import MODELS, about, find, make, register_model
from recsys.recommend.bundle import Bundle
from recsys.recommend.bundle_files import load_bundle, save_bundle
from tests.matrices import random_matrix

MODULE = """
from recsys.models.baselines.popularity import Popularity


class Mine(Popularity):
    "The most popular items, once more."

    name = "mine"


NUMBER = 3
"""


@pytest.fixture
def my_models(tmp_path, monkeypatch):
    """A module in the current folder; what it registers is forgotten afterwards."""
    (tmp_path / "my_models.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MODELS, "_entries", {name: MODELS[name] for name in MODELS})
    yield
    sys.modules.pop("my_models", None)


def test_a_class_is_found_by_where_it_is_and_then_by_its_name(my_models):
    before = list(sys.path)
    cls = find("my_models:Mine")
    assert sys.path == before
    assert MODELS["mine"] is find("mine") is find("my_models:Mine") is cls
    assert about("my_models:Mine")["summary"] == "The most popular items, once more"
    assert list(MODELS)[-1] == "mine"


def test_ours_come_first_then_what_we_compare_with():
    names = [name for name in MODELS if MODELS[name].__module__.startswith("recsys.")]
    assert names[:6] == [
        "bayesian-nmf",
        "hybrid-nmf",
        "masked-nmf",
        "poisson-nmf",
        "slim",
        "weighted-nmf",
    ]
    assert names[6:] == sorted(names[6:])
    assert len(MODELS) == len(list(MODELS))


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("nowhere.at_all:Mine", "the module 'nowhere.at_all' cannot be imported"),
        (":Mine", "the module '' cannot be imported"),
        ("my_models:Yours", "'Yours' is no model class of my_models"),
        ("my_models:NUMBER", "'NUMBER' is no model class of my_models"),
        ("yours", "there is no model 'yours'"),
    ],
)
def test_what_is_no_model_is_refused(my_models, place, message):
    with pytest.raises(ParameterError, match=message):
        make(place)


def test_a_name_that_is_taken_is_refused():
    class Other(Popularity):
        name = "als"

    with pytest.raises(ParameterError, match=r"already a model 'als': recsys.models.baselines.als.ALS"):
        register_model(Other)


def test_a_bundle_of_ones_own_model_loads_where_it_is_registered_and_imports_nothing(my_models, tmp_path):
    data = Interactions.from_matrix(random_matrix(6, 5), feedback="implicit")
    save_bundle(Bundle.of(make("my_models:Mine").fit(data), data), tmp_path / "model")
    assert load_bundle(tmp_path / "model").model.name == "mine"
    del MODELS._entries["mine"]
    with pytest.raises(BundleError, match=r"it is of a model 'mine'; there are .*recsys --import MODULE"):
        load_bundle(tmp_path / "model")
