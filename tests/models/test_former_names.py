"""Names that parameters had before are taken for one version, with a warning."""

import warnings

import numpy as np
import pytest

from recsys.errors import ParameterError
from recsys.models.registry import MODELS, find, make
from tests.matrices import random_matrix

FORMER = [
    ("weighted-nmf", "absent_weight", 0.3, "unobserved_weight"),
    ("weighted-nmf", "user_absent_exponent", 0.3, "user_unobserved_exponent"),
    ("weighted-nmf", "item_absent_exponent", 0.3, "item_unobserved_exponent"),
    *(
        (name, "amounts", "log", "value_transform")
        for name in ("poisson-nmf", "ease", "item-knn", "pure-svd", "zero-filled-nmf")
    ),
]


@pytest.mark.parametrize(("model", "former", "value", "name"), FORMER)
def test_a_former_name_is_taken_with_a_warning(model, former, value, name):
    cls = MODELS[model]
    for set_it in (
        lambda: cls(**{former: value}),
        lambda: cls().set_params(**{former: value}),
        lambda: make(model, {former: value}),
    ):
        with pytest.warns(FutureWarning, match=f"'{former}' is called '{name}' now") as caught:
            changed = set_it()
        assert len(caught) == 1
        assert changed.get_params()[name] == value
        assert former not in changed.get_params()


@pytest.mark.parametrize(("model", "former", "value", "name"), FORMER)
def test_a_stored_config_is_read_without_a_word(model, former, value, name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert find(model).current_config({former: value}) == {name: value}


def test_a_former_value_is_taken_with_a_warning():
    with pytest.warns(FutureWarning, match="init='baskets' is called 'profiles' now"):
        model = MODELS["weighted-nmf"](4, init="baskets")
    assert model.init == "profiles"
    assert find("weighted-nmf").current_config({"init": "baskets"}) == {"init": "profiles"}
    matrix = random_matrix(12, 9)
    today = MODELS["weighted-nmf"](4).fit(matrix)
    np.testing.assert_array_equal(model.fit(matrix).item_factors_, today.item_factors_)


@pytest.mark.parametrize(
    "set_both",
    [
        lambda both: make("weighted-nmf", both),
        lambda both: find("weighted-nmf")(**both),
        lambda both: find("weighted-nmf")().set_params(**both),
        lambda both: find("weighted-nmf").current_config(both),
    ],
    ids=["make", "constructor", "set_params", "stored config"],
)
def test_both_names_at_once_are_refused(set_both):
    with pytest.raises(ParameterError, match="'unobserved_weight' is given twice"):
        set_both({"absent_weight": 0.1, "unobserved_weight": 0.2})


def test_the_signature_shows_the_names_of_today():
    sklearn = pytest.importorskip("sklearn.base")
    model = MODELS["weighted-nmf"](4, unobserved_weight=0.2)
    assert sklearn.clone(model).get_params() == model.get_params()
    with pytest.warns(FutureWarning):
        former = MODELS["weighted-nmf"](4, absent_weight=0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a copy is made by the names of today
        assert sklearn.clone(former).get_params() == model.get_params()
